namespace ShmCv.Tests;

/// <summary>A display for windows of the programs that a test starts. Each system has a class of its own.</summary>
/// <remarks>Tests that use it have the trait "needs", "display": under Wine they run apart from the others.</remarks>
internal abstract class Display : IDisposable
{
    /// <summary>Returns a display. The test is skipped if there is none.</summary>
    internal static Display Start() => OperatingSystem.IsWindows() ? new WindowsDisplay() : new LinuxDisplay();

    /// <summary>Returns the variables of an environment with this display.</summary>
    internal abstract Dictionary<string, string?> With(Dictionary<string, string?>? variables = null);

    /// <summary>Waits for a window, gives it the keyboard, and presses a key, which goes to the focus.</summary>
    internal abstract void Press(string window, string key);

    public abstract void Dispose();
}
