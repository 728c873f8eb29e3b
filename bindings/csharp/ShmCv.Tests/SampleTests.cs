using System.Text;
using System.Text.Json.Nodes;

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
    public void RecorderSavesEveryFrameWithItsStory()
    {
        var program = Host.Current.Sample("recorder", "Recorder", _scratch.Folder);
        var image = new ImageInfo(64, 48, ColorOrder.Bgr);
        using var stream = FrameStream.Create(_scratch.Name(), image.Size);
        for (var number = 1; number <= 3; number++)
        {
            using var frame = stream.Begin();
            frame.AsSpan().Fill((byte)number);
            frame.Image = image;
            frame.Describe(FrameClock.NowNs, Encoding.UTF8.GetBytes($$"""{"number":{{number}}}"""));
            frame.Publish();
        }

        var library = new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = Host.Current.Library };
        using var recorder = Processes.Start(program, [stream.Name, _scratch.File("recorded")], library, _scratch.Folder);
        try
        {
            var said = "";
            while (!said.Contains("frame 3, saved", StringComparison.Ordinal))
            {
                var next = recorder.StandardOutput.Read();
                Assert.True(next >= 0, said);
                said += (char)next;
            }
        }
        finally
        {
            recorder.Kill();
            recorder.WaitForExit();
        }

        var stories = Directory.GetFiles(_scratch.File("recorded"), "*.json").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(3, stories.Length);
        for (var number = 1; number <= 3; number++)
        {
            var story = JsonNode.Parse(File.ReadAllText(stories[number - 1]))!;
            Assert.Equal(number, (int)story["number"]!);
            Assert.Equal((number, 0), ((int)story["recorder"]!["sequence"]!, (int)story["recorder"]!["missed"]!));
            Assert.InRange((double)story["recorder"]!["latency_ms"]!, 0, 3_600_000);
            using var saved = _scratch.Create(image.Size);
            saved.Load(Path.ChangeExtension(stories[number - 1], ".png"));
            Assert.False(saved.AsSpan().ContainsAnyExcept((byte)number));
        }
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
        }
        finally
        {
            producer.Kill();
        }
    }

    [Fact]
    [Trait("needs", "display")]
    public void ViewerOfTheStreamSampleEndsWithAKey()
    {
        using var display = Display.Start();
        var program = Host.Current.Sample("stream", "Stream", _scratch.Folder);
        var name = _scratch.Name();
        var variables = display.With(new() { ["SHMCV_LIBRARY"] = Host.Current.Library });
        using var producer = Processes.Start(program, ["produce", name], variables, _scratch.Folder);
        try
        {
            while (!Host.Current.HasName(name))
            {
                Assert.False(producer.HasExited);
            }

            foreach (var key in new[] { "q", "Escape" })
            {
                using var viewer = Processes.Start(program, ["view", name], variables, _scratch.Folder);
                display.Press(name, "k"); // another key than those that end it
                display.Press(name, key);
                Assert.Contains("saw", viewer.StandardOutput.ReadToEnd(), StringComparison.Ordinal);
                viewer.WaitForExit();
                Assert.Equal(0, viewer.ExitCode);
            }
        }
        finally
        {
            producer.Kill();
        }
    }

    [Fact]
    [Trait("needs", "display")]
    public void TheSampleShowsBothPictures()
    {
        using var display = Display.Start();
        var flip = Host.Current.Sample(".", "Flip", _scratch.Folder);
        var library = new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = Host.Current.Library };
        var result = Processes.Run(flip, [Repository.TestData("photograph.jpg"), "flipped.png"], display.With(library), _scratch.Folder);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("showed both", result.Output, StringComparison.Ordinal);
    }
}
