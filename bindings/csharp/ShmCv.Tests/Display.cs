namespace ShmCv.Tests;

/// <summary>A display of the test's own: an X server without a screen. Disposing of it ends the server.</summary>
internal sealed class Display : IDisposable
{
    private readonly System.Diagnostics.Process _server;
    private readonly string _name;

    private Display()
    {
        // The shell ends the server when its input ends, which it does with this process too, also if that is killed.
        _server = Processes.Start(
            "sh", ["-c", "Xvfb -displayfd 1 -screen 0 1280x1024x24 -nolisten tcp & read -r _; kill $!; wait"]);
        _name = $":{_server.StandardOutput.ReadLine()}";
    }

    /// <summary>Starts a display. The test is skipped if a tool for that is missing.</summary>
    internal static Display Start()
    {
        Host.OnLinuxBecause("keys are pressed by xdotool, which is of X");
        if (!Processes.Has("Xvfb") || !Processes.Has("xdotool"))
        {
            Assert.Skip("there is no Xvfb or no xdotool here");
        }

        return new Display();
    }

    /// <summary>Returns the variables of an environment with this display.</summary>
    internal Dictionary<string, string?> With(Dictionary<string, string?>? variables = null) =>
        new(variables ?? []) { ["DISPLAY"] = _name, ["WAYLAND_DISPLAY"] = null, ["GDK_BACKEND"] = "x11" };

    /// <summary>Waits for a window, gives it the keyboard, and presses a key, which goes to the focus.</summary>
    internal void Press(string window, string key)
    {
        Xdotool("search", "--sync", "--onlyvisible", "--name", $"^{window}$", "windowfocus", "--sync");
        Xdotool("key", key); // the window may be gone before the key is up again
    }

    public void Dispose()
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
