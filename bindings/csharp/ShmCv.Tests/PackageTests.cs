using System.IO.Compression;
using System.Text.RegularExpressions;

namespace ShmCv.Tests;

/// <summary>
/// The packages as a user gets them: made by dotnet pack, and referenced by new programs.
/// </summary>
public sealed class PackageTests : IClassFixture<PackageTests.Packages>, IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly Packages _packages;

    public PackageTests(Packages packages) => _packages = packages;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ThePackageCarriesTheNativeLibrary()
    {
        using var package = ZipFile.OpenRead(_packages.File("ShmCv"));
        var entries = package.Entries.ToDictionary(entry => entry.FullName, entry => entry.Length);
        Assert.Equal(new FileInfo(Repository.NativeLibrary).Length, entries["runtimes/linux-x64/native/libshmcv.so"]);
        if (File.Exists(Path.Combine(Repository.Root, "build", "libopencv_highgui_gtk3.so")))
        {
            Assert.Contains("runtimes/linux-x64/native/libopencv_highgui_gtk3.so", entries.Keys);
        }
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
    [MemberData(nameof(Examples))]
    public void AnExampleOfTheDocumentationWorksAsItStands(string file, int number)
    {
        var example = CSharpIn(file)[number];
        NewProgram(example, $"""<PackageReference Include="ShmCv.SkiaSharp" Version="{_packages.Version}" />""");
        File.Copy(Repository.TestData("photograph.jpg"), _scratch.File("photograph.jpg"));
        RunProgram();

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

    // The version is of a later major number. Programs reference the native part in the same version.
    [Fact]
    public void ALaterSkiaSharpWorksToo()
    {
        const string Later = "4.154.0";
        NewProgram(
            CSharpIn("bindings/csharp/ShmCv.SkiaSharp/README.md")[0] + """

                Console.WriteLine(typeof(SKBitmap).Assembly.GetName().Version);
                """,
            $"""
            <PackageReference Include="ShmCv.SkiaSharp" Version="{_packages.Version}" />
            <PackageReference Include="SkiaSharp" Version="{Later}" />
            <PackageReference Include="SkiaSharp.NativeAssets.Linux.NoDependencies" Version="{Later}" />
            """);
        File.Copy(Repository.TestData("photograph.jpg"), _scratch.File("photograph.jpg"));
        Assert.StartsWith("4.154.", RunProgram(), StringComparison.Ordinal);
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

    private string RunProgram()
    {
        DotNet.Run(["build", "-c", "Release", "-o", _scratch.File("out")], _scratch.Folder, new() { ["NUGET_PACKAGES"] = _packages.Cache });
        var result = Processes.Run(
            _scratch.File("out/Program"), [], new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = null }, _scratch.Folder);
        Assert.True(result.ExitCode == 0, result.All);
        return result.Output;
    }

    /// <summary>The packages. They are made once, from a build of their own, in a version that no cache has.</summary>
    public sealed class Packages : IDisposable
    {
        private readonly Scratch _scratch = new();

        public Packages()
        {
            Version = $"{ShmCvLibrary.Version}-tests.{Environment.ProcessId}";
            foreach (var project in new[] { "ShmCv", "ShmCv.SkiaSharp" })
            {
                DotNet.Run(
                    ["pack", project, "-c", "Release", $"-p:Version={Version}", "--artifacts-path", _scratch.File("artifacts"), "-o", Folder],
                    Path.Combine(Repository.Root, "bindings", "csharp"));
            }
        }

        public string Version { get; }

        public string Folder => _scratch.File("packages");

        public string Cache => _scratch.File("cache");

        public string File(string name) => Path.Combine(Folder, $"{name}.{Version}.nupkg");

        public void Dispose() => _scratch.Dispose();
    }
}
