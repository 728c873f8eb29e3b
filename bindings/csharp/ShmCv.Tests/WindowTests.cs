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
        var result = Processes.Run(Processes.Guest, ["show", "window", segment.Name], DisplayOf(null));
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("ShmCvNoDisplayException NoDisplay: ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void ADisplayWithoutAServerIsAnExceptionToo()
    {
        using var segment = _scratch.Load("small.jpg");
        var result = Processes.Run(Processes.Guest, ["show", "window", segment.Name], DisplayOf(":7654"));
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("ShmCvNoDisplayException NoDisplay: ", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("needs", "display")]
    [InlineData("q", 'q')]
    [InlineData("Left", Constants.KeyLeft)]
    [InlineData("F5", Constants.KeyF1 + 4)]
    public void AKeyPressedInAWindowComesBack(string key, int number)
    {
        using var display = Display.Start();
        using var segment = _scratch.Load("patches.png");
        using var guest = Processes.Start(Processes.Guest, ["show-and-wait", "patches", segment.Name], display.With());
        Assert.Equal("shown", guest.StandardOutput.ReadLine());
        display.Press("patches", key);
        Assert.Equal($"key {number}", guest.StandardOutput.ReadLine());
        guest.WaitForExit();
        Assert.Equal(0, guest.ExitCode);
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

    private static Dictionary<string, string?> DisplayOf(string? display) => new() { ["DISPLAY"] = display, ["WAYLAND_DISPLAY"] = null };
}
