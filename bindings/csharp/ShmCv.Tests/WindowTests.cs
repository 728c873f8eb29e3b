using System.Diagnostics;

namespace ShmCv.Tests;

/// <summary>Windows, on a display that the test starts (Xvfb), and without a display.</summary>
public sealed class WindowTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void WithoutADisplayThereIsAnExceptionThatSaysSo()
    {
        using var segment = _scratch.Load("small.jpg");
        var result = Processes.Run(Processes.Guest, ["show", "window", segment.Name], Display(null));
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("ShmCvNoDisplayException NoDisplay: ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void ADisplayWithoutAServerIsAnExceptionToo()
    {
        using var segment = _scratch.Load("small.jpg");
        var result = Processes.Run(Processes.Guest, ["show", "window", segment.Name], Display(":7654"));
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("ShmCvNoDisplayException NoDisplay: ", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q", 'q')]
    [InlineData("Left", Constants.KeyLeft)]
    [InlineData("F5", Constants.KeyF1 + 4)]
    public void AKeyPressedInAWindowComesBack(string key, int number)
    {
        if (!Processes.Has("Xvfb") || !Processes.Has("xdotool"))
        {
            Assert.Skip("there is no Xvfb or no xdotool here");
        }

        using var segment = _scratch.Load("patches.png");
        using var server = Processes.Start("Xvfb", ["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]);
        try
        {
            var display = $":{server.StandardOutput.ReadLine()}";
            using var guest = Processes.Start(Processes.Guest, ["show-and-wait", "patches", segment.Name], Display(display));
            Assert.Equal("shown", guest.StandardOutput.ReadLine());
            Xdotool(display, "search", "--sync", "--name", "patches", "windowfocus", "--sync");
            Xdotool(display, "key", key); // goes to the focus, because the window may be gone before the key is up again
            Assert.Equal($"key {number}", guest.StandardOutput.ReadLine());
            guest.WaitForExit();
            Assert.Equal(0, guest.ExitCode);
        }
        finally
        {
            server.Kill();
        }
    }

    [Fact]
    public void ADelayEndsWhenItsTimeIsUp()
    {
        Assert.Equal(-1, Window.Delay(1));
        Assert.Equal(-1, Window.Delay(1, CancellationToken.None));
        Assert.Equal(-1, Window.Delay(250, CancellationToken.None)); // in three slices
    }

    [Fact]
    public void ADelayEndsWhenItIsCancelled()
    {
        using var source = new CancellationTokenSource();
        var waiting = Task.Run(() => Window.Delay(0, source.Token));
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => waiting.GetAwaiter().GetResult());
        Assert.ThrowsAny<OperationCanceledException>(() => Window.Delay(3_600_000, source.Token));
    }

    [Fact]
    public void ClosingWhatIsNotOpenIsNoError()
    {
        Window.Close("no such window");
        Window.CloseAll();
    }

    private static void Xdotool(string display, params string[] arguments)
    {
        var result = Processes.Run("xdotool", arguments, Display(display));
        Assert.True(result.ExitCode == 0, result.All);
    }

    private static Dictionary<string, string?> Display(string? display) => new() { ["DISPLAY"] = display, ["WAYLAND_DISPLAY"] = null };
}
