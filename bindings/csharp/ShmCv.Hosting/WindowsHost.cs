using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ShmCv.Hosting;

/// <summary>Windows: exceptions of the system, and what the process does with those that no code handles.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsHost : Host
{
    private uint errorMode, reporting;

    public override IEnumerable<string> Modes => ["gc", "null", "divide", "dynamic", "threads", "children"];

    public override string LibraryFile => "libshmcv.dll";

    public override int ThisThread => Environment.CurrentManagedThreadId;

    public override ulong MaskOfThisThread => 0;

    public override (string Program, string Arguments) Child => (Path.Combine(Environment.SystemDirectory, "cmd.exe"), "/c exit 0");

    public override void BlockInterrupts()
    {
    }

    public override void End(int status) => _ = TerminateProcess(-1, (uint)status);

    public override void Note() => (errorMode, reporting) = (GetErrorMode(), Reporting);

    public override IEnumerable<string> ChangedByLoading()
    {
        if (GetErrorMode() != errorMode)
        {
            yield return $"the error mode was {errorMode:x}, and is {GetErrorMode():x} since the library was loaded: the host's crash dialogs are gone";
        }
        if (Reporting != reporting)
        {
            yield return $"the flags of error reporting were {reporting:x}, and are {Reporting:x} since the library was loaded";
        }
    }

    public override IEnumerable<string> ChangedInThreads() => [];

    private static uint Reporting => WerGetFlags(-1, out uint flags) >= 0 ? flags : 0;

    [LibraryImport("kernel32")] private static partial uint GetErrorMode();
    [LibraryImport("kernel32")] private static partial int WerGetFlags(nint process, out uint flags);
    [LibraryImport("kernel32")] private static partial int TerminateProcess(nint process, uint status);
}
