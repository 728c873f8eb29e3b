namespace ShmCv.Tests;

/// <summary>
/// The C# samples. The first is compiled ahead of time, without code generation at run time and without the files of .NET.
/// </summary>
public sealed class SampleTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void TheSampleWorksCompiledAheadOfTime()
    {
        var flip = Host.Current.Sample(".", "Flip", _scratch.Folder, ahead: true);
        Assert.Equal(OperatingSystem.IsWindows(), File.Exists(Path.ChangeExtension(flip, ".dll"))); // not compiled ahead for it on Linux

        var result = Processes.Run(
            flip,
            ["--headless", Repository.TestData("photograph.jpg"), "flipped.png"],
            new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = null },
            _scratch.Folder);
        Assert.True(result.ExitCode == 0, result.All);
        using var flipped = _scratch.Create(3840 * 2160 * 3);
        flipped.Load(_scratch.File("flipped.png"));
        Assert.Equal(Vectors.Rows("flip").Single(row => row is ["photograph.jpg", "color", "1", _])[3], Scratch.Checksum(flipped));
        Assert.True(File.Exists(_scratch.File("flipped-caption.png")));

        result = Processes.Run(flip, ["--headless", "no-such-photograph.jpg"], folder: _scratch.Folder);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("no-such-photograph.jpg", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void ProducerAndViewerOfTheStreamSampleWorkTogether()
    {
        var program = Host.Current.Sample("stream", "Stream", _scratch.Folder);
        var name = _scratch.Name();
        var library = new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = Host.Current.Library };

        var alone = Processes.Run(program, ["view", "--headless", name], library, _scratch.Folder);
        Assert.Equal(1, alone.ExitCode);
        Assert.Contains(name, alone.Errors, StringComparison.Ordinal);

        using var producer = Processes.Start(program, ["produce", name], library, _scratch.Folder);
        try
        {
            while (!Host.Current.HasName(name))
            {
                Assert.False(producer.HasExited);
            }

            var seen = Processes.Run(program, ["view", "--headless", name, "3"], library, _scratch.Folder);
            Assert.True(seen.ExitCode == 0, seen.All);
            Assert.Contains("saw 3 frames", seen.Output, StringComparison.Ordinal);

            using var display = Display.Start();
            using var viewer = Processes.Start(program, ["view", name], display.With(library), _scratch.Folder);
            display.Press(name, "k"); // another key than those that end it
            display.Press(name, "q");
            Assert.Contains("saw", viewer.StandardOutput.ReadToEnd(), StringComparison.Ordinal);
            viewer.WaitForExit();
            Assert.Equal(0, viewer.ExitCode);
        }
        finally
        {
            producer.Kill();
        }
    }
}
