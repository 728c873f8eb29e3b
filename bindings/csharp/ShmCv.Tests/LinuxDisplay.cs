namespace ShmCv.Tests;

/// <summary>A display of the test's own: an X server without a screen. Disposing of it ends the server.</summary>
internal sealed class LinuxDisplay : Display
{
    private readonly System.Diagnostics.Process _server;
    private readonly string _name;

    internal LinuxDisplay()
    {
        if (!Processes.Has("Xvfb") || !Processes.Has("xdotool"))
        {
            Assert.Skip("there is no Xvfb or no xdotool here");
        }

        // The shell ends the server when its input ends, which it does with this process too, also if that is killed.
        _server = Processes.Start(
            "sh", ["-c", "Xvfb -displayfd 1 -screen 0 1280x1024x24 -nolisten tcp & read -r _; kill $!; wait"]);
        _name = $":{_server.StandardOutput.ReadLine()}";
    }

    internal override Dictionary<string, string?> With(Dictionary<string, string?>? variables = null) =>
        new(variables ?? []) { ["DISPLAY"] = _name, ["WAYLAND_DISPLAY"] = null, ["GDK_BACKEND"] = "x11" };

    internal override void Press(string window, string key)
    {
        Xdotool("search", "--sync", "--onlyvisible", "--name", $"^{window}$", "windowfocus", "--sync");
        Xdotool("key", key); // the window may be gone before the key is up again
    }

    public override void Dispose()
    {
        _server.StandardInput.Close();
        _server.WaitForExit();
        _server.Dispose();
    }

    private void Xdotool(params string[] arguments)
    {
        var result = Processes.Run("xdotool", arguments, With());
        Assert.True(result.ExitCode == 0, result.All);
    }
}
