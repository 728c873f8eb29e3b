using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ShmCv.Tests;

/// <summary>The packages as a user gets them: dotnet pack makes them, and new programs reference nothing but them.</summary>
public sealed class PackageTests : IClassFixture<PackageTests.Packages>, IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly Packages _packages;

    private string _program = "";

    public PackageTests(Packages packages) => _packages = packages;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ThePackageCarriesTheNativeLibrary()
    {
        using var package = ZipFile.OpenRead(_packages.File("ShmCv"));
        var entries = package.Entries.ToDictionary(entry => entry.FullName, entry => entry.Length);
        Assert.Equal(new FileInfo(Host.Current.Library).Length, entries[$"runtimes/{Host.Current.Rid}/native/libshmcv.so"]);
        if (File.Exists(Path.Combine(Repository.Root, "build", "libopencv_highgui_gtk3.so")))
        {
            Assert.Contains($"runtimes/{Host.Current.Rid}/native/libopencv_highgui_gtk3.so", entries.Keys);
        }

        foreach (var (rid, file) in ForOthers)
        {
            var length = File.Exists(file) ? new FileInfo(file).Length : 0;
            Assert.Equal(length, entries.GetValueOrDefault($"runtimes/{rid}/native/{Path.GetFileName(file)}"));
        }

        Assert.DoesNotContain(entries.Keys, entry => Path.GetFileName(entry).Equals("shmcv.dll", StringComparison.OrdinalIgnoreCase)
            && entry.StartsWith("runtimes/", StringComparison.Ordinal)); // that would be ShmCv.dll
    }

    [Theory]
    [InlineData("ShmCv")]
    [InlineData("ShmCv.SkiaSharp")]
    public void ThePackageHasBothFrameworksWithTheirDocumentation(string name)
    {
        using var package = ZipFile.OpenRead(_packages.File(name));
        var entries = package.Entries.Select(entry => entry.FullName).ToHashSet();
        foreach (var framework in new[] { "net8.0", "net10.0" })
        {
            Assert.Contains($"lib/{framework}/{name}.dll", entries);
            Assert.Contains($"lib/{framework}/{name}.xml", entries);
        }

        Assert.Contains("README.md", entries);
    }

    [Theory]
    [InlineData("ShmCv")]
    [InlineData("ShmCv.SkiaSharp")]
    public void ThePackageCarriesTheLicences(string name)
    {
        using var package = ZipFile.OpenRead(_packages.File(name));
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository.Root, "LICENSE")), Bytes(package.GetEntry("LICENSE")));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Repository.Root, "build", "THIRD_PARTY_NOTICES")), Bytes(package.GetEntry("THIRD_PARTY_NOTICES")));
        foreach (var (rid, file) in ForOthers.Where(other => File.Exists(other.File)))
        {
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(file)!, "THIRD_PARTY_NOTICES")),
                Bytes(package.GetEntry($"{rid}/THIRD_PARTY_NOTICES")));
        }
    }

    [Theory]
    [InlineData("ShmCv")]
    [InlineData("ShmCv.SkiaSharp")]
    public void ThePackageSaysWhatItIs(string name)
    {
        using var package = ZipFile.OpenRead(_packages.File(name));
        var said = XDocument.Parse(Encoding.UTF8.GetString(Bytes(package.GetEntry($"{name}.nuspec"))).TrimStart('\uFEFF')).Descendants()
            .Where(element => !element.HasElements).ToLookup(element => element.Name.LocalName, element => element.Value);
        Assert.Equal([name], said["id"]);
        Assert.Equal([_packages.Version], said["version"]);
        Assert.Equal(["The shmcv authors"], said["authors"]);
        Assert.Equal(["Apache-2.0"], said["license"]);
        Assert.Equal(["README.md"], said["readme"]);
        Assert.Contains("hared", said["description"].Single(), StringComparison.Ordinal);
        Assert.Contains("shared-memory", said["tags"].Single(), StringComparison.Ordinal);
    }

    // The symbols are compressed in the assembly, so a search of the file's bytes would not see what they name.
    [Theory]
    [InlineData("ShmCv")]
    [InlineData("ShmCv.SkiaSharp")]
    public void TheSymbolsNameNoFolderOfTheBuildMachine(string name)
    {
        using var package = ZipFile.OpenRead(_packages.File(name));
        foreach (var framework in new[] { "net8.0", "net10.0" })
        {
            using var assembly = new PEReader(new MemoryStream(Bytes(package.GetEntry($"lib/{framework}/{name}.dll"))));
            var directory = assembly.ReadDebugDirectory();
            var file = assembly.ReadCodeViewDebugDirectoryData(directory.Single(entry => entry.Type == DebugDirectoryEntryType.CodeView)).Path;
            using var symbols = assembly.ReadEmbeddedPortablePdbDebugDirectoryData(
                directory.Single(entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb));
            var reader = symbols.GetMetadataReader();
            var sources = reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name)).ToList();
            Assert.Contains(sources, source => source.StartsWith($"/shmcv/bindings/csharp/{name}/", StringComparison.Ordinal));
            Assert.All(sources.Append(file), source => Assert.True(
                source.StartsWith("/shmcv/", StringComparison.Ordinal) || Path.GetFileName(source) == source, source));
        }
    }

    [Theory]
    [InlineData("ShmCv")]
    [InlineData("ShmCv.SkiaSharp")]
    public void NoFileOfThePackageNamesAFolderOfTheBuildMachine(string name)
    {
        using var package = ZipFile.OpenRead(_packages.File(name));
        string[] folders = [Repository.Root + "/", System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile) + "/", _packages.Folder];
        foreach (var entry in package.Entries)
        {
            var content = Bytes(entry);
            foreach (var folder in folders.Where(folder => folder != "/"))
            {
                Assert.True(content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(folder)) < 0, $"{entry.FullName} names {folder}");
                Assert.True(content.AsSpan().IndexOf(Encoding.Unicode.GetBytes(folder)) < 0, $"{entry.FullName} names {folder}");
            }
        }
    }

    public static TheoryData<string, int> Examples
    {
        get
        {
            var examples = new TheoryData<string, int>();
            foreach (var file in new[] { "README.md", "bindings/csharp/ShmCv/README.md", "bindings/csharp/ShmCv.SkiaSharp/README.md" })
            {
                for (var i = 0; i < CSharpIn(file).Count; i++)
                {
                    examples.Add(file, i);
                }
            }

            return examples;
        }
    }

    [Theory]
    [Trait("needs", "display")]
    [MemberData(nameof(Examples))]
    public void AnExampleOfTheDocumentationWorksAsItStands(string file, int number)
    {
        var example = CSharpIn(file)[number];
        if (Host.Current.Example(file, number) is { } published)
        {
            _program = published;
        }
        else
        {
            NewProgram(example, $"""<PackageReference Include="ShmCv.SkiaSharp" Version="{_packages.Version}" />""");
            BuildProgram();
        }

        Assert.False(Names.Any(IsThere), "another program has the names of the examples");
        if (example.Contains("FrameStream.Open", StringComparison.Ordinal))
        {
            AViewerShowsWhatIsPublishedUntilAKeyIsPressed();
            return;
        }

        // Without its file, and where it cannot save its picture, it fails and leaves no name behind.
        if (example.Contains("photograph.jpg", StringComparison.Ordinal))
        {
            var failed = StartProgram();
            Assert.Equal(1, failed.ExitCode);
            Assert.Contains("photograph.jpg", failed.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain(Names, IsThere);
            File.Copy(Repository.TestData("photograph.jpg"), _scratch.File("photograph.jpg"));
            foreach (var picture in new[] { "mirrored.png", "circle.png" }.Where(example.Contains))
            {
                Directory.CreateDirectory(_scratch.File(picture));
                Assert.Equal(1, StartProgram().ExitCode);
                Assert.DoesNotContain(Names, IsThere);
                Directory.Delete(_scratch.File(picture));
            }
        }

        var said = RunProgram();
        RunProgram(); // the first run has left no name
        Assert.DoesNotContain(Names, IsThere);

        if (example.Contains("MemoryMappedFile", StringComparison.Ordinal))
        {
            using var photo = _scratch.Load("photograph.jpg");
            var first = photo.AsSpan();
            Assert.Equal($"blue {first[0]}, green {first[1]}, red {first[2]}", said.Trim());
        }

        if (example.Contains("mirrored.png", StringComparison.Ordinal))
        {
            using var mirrored = _scratch.Create(3840 * 2160 * 3);
            mirrored.Load(_scratch.File("mirrored.png"));
            Assert.Equal(Vectors.Rows("flip").Single(row => row is ["photograph.jpg", "color", "1", _])[3], Scratch.Checksum(mirrored));
        }

        if (example.Contains("circle.png", StringComparison.Ordinal))
        {
            using var circle = _scratch.Create(3840 * 2160 * 3);
            circle.Load(_scratch.File("circle.png"));
            Assert.Equal(new byte[] { 0, 0, 255 }, circle.AsSpan().Slice((100 * circle.Image.Stride) + 300, 3).ToArray());
        }
    }

    private void AViewerShowsWhatIsPublishedUntilAKeyIsPressed()
    {
        Assert.NotEqual(0, StartProgram().ExitCode); // there is no stream

        using var display = Display.Start();
        var image = new ImageInfo(640, 480, ColorOrder.Bgr);
        using var stream = FrameStream.Create("cam0", image.Size);
        stream.ClearOnDispose = true;
        var pixels = new byte[image.Size];
        using var stop = new CancellationTokenSource();
        var camera = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                stream.Publish(pixels, image, image.Order);
                await Task.Delay(10);
            }
        });
        using var viewer = Processes.Start(_program, [], display.With(Environment), _scratch.Folder);
        display.Press("cam0", "q");
        var told = viewer.StandardOutput.ReadToEnd();
        viewer.WaitForExit();
        stop.Cancel();
        camera.Wait();
        Assert.True(viewer.ExitCode == 0, viewer.StandardError.ReadToEnd());
        Assert.Contains("frame", told, StringComparison.Ordinal);
    }

    // The libraries of other targets, which packages carry that are made after ./build.sh build --target TARGET.
    private static readonly (string Rid, string File)[] ForOthers =
    [
        ("linux-arm64", Path.Combine(Repository.Root, "build", "linux-arm64", "libshmcv.so")),
        ("win-x64", Path.Combine(Repository.Root, "build", "win-x64", "libshmcv.dll")),
    ];

    private static readonly Dictionary<string, string?> Environment = new() { ["SHMCV_LIBRARY"] = null };

    // The names that the examples give. The tests run the examples as they stand.
    private static readonly string[] Names = ["photo", "mirrored", "cam0"];

    private static bool IsThere(string name) => Host.Current.HasName(name);

    // A SkiaSharp of a later major version. A program has to reference Skia's native part in the same version.
    [Fact]
    public void ALaterSkiaSharpWorksToo()
    {
        const string Later = "4.154.0";
        NewProgram(
            CSharpIn("bindings/csharp/ShmCv.SkiaSharp/README.md")[0].Replace(
                "    return 0;", "    Console.WriteLine(typeof(SKBitmap).Assembly.GetName().Version);\n    return 0;", StringComparison.Ordinal),
            $"""
            <PackageReference Include="ShmCv.SkiaSharp" Version="{_packages.Version}" />
            <PackageReference Include="SkiaSharp" Version="{Later}" />
            <PackageReference Include="SkiaSharp.NativeAssets.Linux.NoDependencies" Version="{Later}" />
            """);
        File.Copy(Repository.TestData("photograph.jpg"), _scratch.File("photograph.jpg"));
        BuildProgram();
        Assert.StartsWith("4.154.", RunProgram(), StringComparison.Ordinal);
    }

    private static byte[] Bytes(ZipArchiveEntry? entry)
    {
        Assert.NotNull(entry);
        using var stream = entry.Open();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private static List<string> CSharpIn(string file) =>
        Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, file)), "^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value).ToList();

    private void NewProgram(string source, string references)
    {
        File.WriteAllText(_scratch.File("Program.cs"), source);
        File.WriteAllText(_scratch.File("Program.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <InvariantGlobalization>true</InvariantGlobalization>
                <RestoreAdditionalProjectSources>{_packages.Folder}</RestoreAdditionalProjectSources>
              </PropertyGroup>
              <ItemGroup>
                {references}
              </ItemGroup>
            </Project>
            """);
    }

    private void BuildProgram()
    {
        DotNet.Run(["build", "-c", "Release", "-o", _scratch.File("out")], _scratch.Folder, new() { ["NUGET_PACKAGES"] = _packages.Cache });
        _program = _scratch.File("out/Program");
    }

    private Processes.Result StartProgram() => Processes.Run(_program, [], Environment, _scratch.Folder);

    private string RunProgram()
    {
        var result = StartProgram();
        Assert.True(result.ExitCode == 0, result.All);
        return result.Output;
    }

    /// <summary>The packages. They are made once, from a build of their own, in a version that no cache has.</summary>
    public sealed class Packages : IDisposable
    {
        private readonly Scratch _scratch = new();
        private readonly string _version = "";

        public Packages()
        {
            if (!OperatingSystem.IsLinux() || !DotNet.IsHere)
            {
                return; // every test that asks for them is skipped
            }

            _version = $"{ShmCvLibrary.Version}-tests.{System.Environment.ProcessId}";
            foreach (var project in new[] { "ShmCv", "ShmCv.SkiaSharp" })
            {
                DotNet.Run(
                    ["pack", project, "-c", "Release", $"-p:Version={_version}", "--artifacts-path", _scratch.File("artifacts"), "-o", Folder],
                    Path.Combine(Repository.Root, "bindings", "csharp"));
            }
        }

        public string Version
        {
            get
            {
                Host.OnLinuxBecause("packages are made and looked at where the SDK is");
                DotNet.Need();
                return _version;
            }
        }

        public string Folder => _scratch.File("packages");

        public string Cache => _scratch.File("cache");

        public string File(string name) => Path.Combine(Folder, $"{name}.{Version}.nupkg");

        public void Dispose() => _scratch.Dispose();
    }
}
