using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ShmCv.Tests;

/// <summary>The display of this session of Windows.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsDisplay : Display
{
    private const uint Up = 2; // KEYEVENTF_KEYUP

    internal WindowsDisplay() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("SHMCV_TEST_DISPLAY") is not null,
        "the variable SHMCV_TEST_DISPLAY tells that windows can be shown, and it is not there");

    internal override Dictionary<string, string?> With(Dictionary<string, string?>? variables = null) => new(variables ?? []);

    internal override void Press(string window, string key)
    {
        nint found;
        do
        {
            found = FindWindow(null, window);
        }
        while (found == 0 || !IsWindowVisible(found) || !SetForegroundWindow(found) || GetForegroundWindow() != found);

        PressKey(Number(key), 0, 0, 0);
        PressKey(Number(key), 0, Up, 0);
    }

    public override void Dispose()
    {
    }

    // The virtual key of a name of X.
    private static byte Number(string key) => key switch
    {
        "Left" => 0x25,
        "F5" => 0x74,
        "Escape" => 0x1b,
        [var letter and >= 'a' and <= 'z'] => (byte)char.ToUpperInvariant(letter),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key, "no key that tests press"),
    };

    [LibraryImport("user32", EntryPoint = "FindWindowW", StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint FindWindow(string? type, string title);

    [LibraryImport("user32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool IsWindowVisible(nint window);

    [LibraryImport("user32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetForegroundWindow(nint window);

    [LibraryImport("user32")]
    private static partial nint GetForegroundWindow();

    [LibraryImport("user32", EntryPoint = "keybd_event")]
    private static partial void PressKey(byte key, byte scan, uint flags, nuint extra);
}
