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
        Assert.Equal(0, Ask(guest, Repository.NativeLibrary).ExitCode);
    }

    [Fact]
    public void AMissingLibraryIsSaidWithThePlacesThatWereLookedAt()
    {
        var guest = CopyGuestWithoutLibrary();
        var (exitCode, said) = Ask(guest, library: null);
        Assert.Equal(1, exitCode);
        Assert.StartsWith($"{nameof(ShmCvLibraryException)}: ", said, StringComparison.Ordinal);
        Assert.Contains("SHMCV_LIBRARY: not set", said, StringComparison.Ordinal);
        Assert.Contains(_scratch.File("runtimes/linux-x64/native/libshmcv.so") + ": not there", said, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatTheVariableNamesWronglyIsNamed()
    {
        var (exitCode, said) = Ask(Processes.Guest, "/nowhere/libshmcv.so");
        Assert.Equal(1, exitCode);
        Assert.Contains("/nowhere/libshmcv.so (SHMCV_LIBRARY names it", said, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoLibraryIsNamed()
    {
        var path = _scratch.File("libshmcv.so");
        File.WriteAllText(path, "no library");
        var (exitCode, said) = Ask(Processes.Guest, path);
        Assert.Equal(1, exitCode);
        Assert.Contains($"cannot load the native library {path}", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unsigned shmcv_abi_version(void) { return 2 << 16; }", null)]
    [InlineData("unsigned shmcv_abi_version(void) { return 3 << 16 | 7; }", "has version 3.7 of the binary interface, and this package needs 2.0 or a later 2.x")]
    [InlineData("unsigned shmcv_abi_version(void) { return 0; }", "has version 0.0 of the binary interface")]
    [InlineData("unsigned other(void) { return 0; }", "is not the shmcv library")]
    public void ALibraryOfAnotherVersionIsRefused(string source, string? said)
    {
        if (!Processes.Has("cc"))
        {
            Assert.Skip("there is no C compiler (cc) here");
        }

        var (code, library) = (_scratch.File("other.c"), _scratch.File("libother.so"));
        File.WriteAllText(code, source + " const char *shmcv_version(void) { return \"other\"; }");
        var compiled = Processes.Run("cc", ["-shared", "-fPIC", "-o", library, code]);
        Assert.True(compiled.ExitCode == 0, compiled.All);

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
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "ShmCv.Guest*").Append(Path.Combine(AppContext.BaseDirectory, "ShmCv.dll")))
        {
            File.Copy(file, _scratch.File(Path.GetFileName(file)));
        }

        return _scratch.File("ShmCv.Guest");
    }
}
