using System.Reflection;
using System.Runtime.Versioning;

namespace ShmCv.Tests;

/// <summary>
/// The choice of the native library, and the messages if none fits. Each test needs a process of its own.
/// </summary>
public sealed class VersionTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void TheLibraryIsOfThePackagesVersion()
    {
        Assert.Equal(NativeMethods.Version, ShmCvLibrary.Version);
        Assert.Equal(new Version(NativeMethods.AbiMajor, NativeMethods.AbiMinor), ShmCvLibrary.AbiVersion);
    }

    [Fact]
    public void TheLibraryBesideTheProgramIsFound() =>
        Assert.Equal((0, $"{NativeMethods.Version} {NativeMethods.AbiMajor}.{NativeMethods.AbiMinor}"), Ask(Processes.Guest, library: null));

    [Fact]
    public void TheVariableNamesTheLibrary()
    {
        var guest = CopyGuestWithoutLibrary();
        Assert.Equal(0, Ask(guest, Host.Current.Library).ExitCode);
    }

    [Fact]
    public void AMissingLibraryIsSaidWithThePlacesThatWereLookedAt()
    {
        var guest = CopyGuestWithoutLibrary();
        var (exitCode, said) = Ask(guest, library: null);
        Assert.Equal(1, exitCode);
        Assert.StartsWith($"{nameof(ShmCvLibraryException)}: ", said, StringComparison.Ordinal);
        Assert.Contains("SHMCV_LIBRARY: not set", said, StringComparison.Ordinal);
        var (rid, file) = (Host.Current.Rid, Host.Current.LibraryFile);
        Assert.Contains(Path.Combine(_scratch.Folder, "runtimes", rid, "native", file) + ": not there", said, StringComparison.Ordinal);
        Assert.Contains($"carries it for linux-x64, linux-arm64 and win-x64, and this process is {rid}.", said, StringComparison.Ordinal);
    }

    [Fact]
    public void TheAssembliesAreThoseOfTheFrameworkThatIsTested()
    {
        foreach (var assembly in new[] { typeof(Segment).Assembly, typeof(SkiaSharp.PixelsExtensions).Assembly })
        {
            var framework = assembly.GetCustomAttribute<TargetFrameworkAttribute>()!.FrameworkName;
            Assert.Equal($".NETCoreApp,Version=v{Repository.TestedFramework["net".Length..]}", framework);
        }
    }

    // An installation to run programs has the first name alone, as in distributions; the second one is the linker's.
    [Theory]
    [InlineData("libshmcv.so.2")]
    [InlineData("libshmcv.so")]
    public void WithoutALibraryOfItsOwnAProgramTakesTheOneThatTheSystemsLoaderKnows(string name)
    {
        Host.OnLinuxBecause("names of the kind lib*.so.2 are Linux's");
        var folder = _scratch.File("lib");
        Directory.CreateDirectory(folder);
        File.Copy(Host.Current.Library, Path.Combine(folder, name));
        var variables = new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = null, ["LD_LIBRARY_PATH"] = folder };
        var result = Processes.Run(CopyGuestWithoutLibrary(), ["version"], variables);
        Assert.Equal((0, $"{ShmCvLibrary.Version} 2.0"), (result.ExitCode, result.Output.Trim()));
    }

    [Fact]
    public void AFileThatTheVariableNamesWronglyIsNamed()
    {
        var nowhere = Path.GetFullPath("/nowhere/libshmcv.so");
        var (exitCode, said) = Ask(Processes.Guest, nowhere);
        Assert.Equal(1, exitCode);
        Assert.Contains($"{nowhere} (SHMCV_LIBRARY names it", said, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoLibraryIsNamed()
    {
        var path = _scratch.File(Host.Current.LibraryFile);
        File.WriteAllText(path, "no library");
        var (exitCode, said) = Ask(Processes.Guest, path);
        Assert.Equal(1, exitCode);
        Assert.Contains($"cannot load the native library {path}", said, StringComparison.Ordinal);
    }

    [Fact]
    public void AProcessorForWhichThereIsNoLibraryIsNamedBesideThoseThatHaveOne() =>
        Assert.Contains("linux-x64, linux-arm64 and win-x64, and this process is win-arm64.", LibraryResolver.NotFound([], "win-arm64"), StringComparison.Ordinal);

    // The names that .NET has for itself on Alpine: Microsoft's, and that of Alpine's own package.
    [Theory]
    [InlineData("linux-musl-x64")]
    [InlineData("linux-musl-arm64")]
    [InlineData("alpine.3.22-x64")]
    public void OnMuslItIsSaidThatItCannotWorkThere(string system) =>
        Assert.Contains("does not work with musl", LibraryResolver.RefusalFor(system), StringComparison.Ordinal);

    [Theory]
    [InlineData("linux-x64")]
    [InlineData("debian.12-arm64")]
    [InlineData("win-x64")]
    public void NoOtherSystemIsTakenForOneWithMusl(string system) => Assert.Null(LibraryResolver.RefusalFor(system));

    [Theory]
    [InlineData("0x20000", null)]
    [InlineData("0x30007", "has version 3.7 of the binary interface, and this package needs 2.0 or a later 2.x")]
    [InlineData("0", "has version 0.0 of the binary interface")]
    [InlineData("none", "is not the shmcv library")]
    public void ALibraryOfAnotherVersionIsRefused(string version, string? said)
    {
        var library = Host.Current.OtherLibrary(version, _scratch.Folder);
        var (exitCode, answer) = Ask(Processes.Guest, library);
        if (said is null)
        {
            Assert.Equal((0, "other 2.0"), (exitCode, answer));
        }
        else
        {
            Assert.Equal(1, exitCode);
            Assert.StartsWith($"{nameof(ShmCvLibraryException)}: shmcv: {library} {said}", answer, StringComparison.Ordinal);
        }
    }

    private static (int ExitCode, string Said) Ask(string guest, string? library)
    {
        var result = Processes.Run(guest, ["version"], new Dictionary<string, string?> { ["SHMCV_LIBRARY"] = library });
        Assert.True(result.ExitCode is 0 or 1, result.All);
        return (result.ExitCode, result.Output.Trim());
    }

    private string CopyGuestWithoutLibrary()
    {
        // The library is in a folder below. Where the tests are published, the files of .NET are beside the guest.
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory))
        {
            File.Copy(file, _scratch.File(Path.GetFileName(file)));
        }

        return Host.Current.Program(_scratch.File("ShmCv.Guest"));
    }
}
