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
        if (!Processes.Has("clang") && !Processes.Has("gcc"))
        {
            Assert.Skip("NativeAOT links with clang or gcc, and neither is here");
        }

        DotNet.Run(
            ["publish", "csharp-sample", "-c", "Release", "--artifacts-path", _scratch.File("artifacts"), "-o", _scratch.File("out")],
            Repository.Root);
        Assert.False(File.Exists(_scratch.File("out/Flip.dll")));

        var result = Processes.Run(
            _scratch.File("out/Flip"),
            ["--headless", Repository.TestData("photograph.jpg"), "flipped.png"],
            new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = null },
            _scratch.Folder);
        Assert.True(result.ExitCode == 0, result.All);
        using var flipped = _scratch.Create(3840 * 2160 * 3);
        flipped.Load(_scratch.File("flipped.png"));
        Assert.Equal(Vectors.Rows("flip").Single(row => row is ["photograph.jpg", "color", "1", _])[3], Scratch.Checksum(flipped));
        Assert.True(File.Exists(_scratch.File("flipped-caption.png")));

        result = Processes.Run(_scratch.File("out/Flip"), ["--headless", "no-such-photograph.jpg"], folder: _scratch.Folder);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("no-such-photograph.jpg", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void ProducerAndViewerOfTheStreamSampleWorkTogether()
    {
        DotNet.Run(["build", "csharp-sample/stream", "-c", "Release", "--artifacts-path", _scratch.File("artifacts")], Repository.Root);
        var program = _scratch.File("artifacts/bin/Stream/release/Stream.dll");
        var name = _scratch.Name();
        var library = new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = Repository.NativeLibrary };

        var alone = Processes.Run("dotnet", [program, "view", "--headless", name], library, _scratch.Folder);
        Assert.Equal(1, alone.ExitCode);
        Assert.Contains(name, alone.Errors, StringComparison.Ordinal);

        using var producer = Processes.Start("dotnet", [program, "produce", name], library, _scratch.Folder);
        try
        {
            while (!File.Exists($"/dev/shm/{name}"))
            {
                Assert.False(producer.HasExited);
            }

            var seen = Processes.Run("dotnet", [program, "view", "--headless", name, "3"], library, _scratch.Folder);
            Assert.True(seen.ExitCode == 0, seen.All);
            Assert.Contains("saw 3 frames", seen.Output, StringComparison.Ordinal);

            using var display = Display.Start();
            using var viewer = Processes.Start("dotnet", [program, "view", name], display.With(library), _scratch.Folder);
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
