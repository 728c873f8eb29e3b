using System.Globalization;
using System.Runtime.InteropServices;

namespace ShmCv.Tests;

/// <summary>What the tests ask of Linux.</summary>
internal sealed partial class LinuxHost : Host
{
    private const short Readable = 1; // POLLIN

    internal override string Rid => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    internal override string LibraryFile => "libshmcv.so";

    internal override string Library => Path.Combine(Repository.Root, "build", LibraryFile);

    internal override string Folder => "/dev/shm";

    internal override long FreeMemory => new DriveInfo(Folder).AvailableFreeSpace;

    internal override IEnumerable<string> ThreadNames => Directory.EnumerateDirectories("/proc/self/task").Select(NameOf);

    internal override string Program(string path) => path;

    internal override string Sample(string project, string name, string folder, bool ahead = false)
    {
        if (ahead && !Processes.Has("clang") && !Processes.Has("gcc"))
        {
            Assert.Skip("NativeAOT links with clang or gcc, and neither is here");
        }

        string[] verb = ahead ? ["publish", project] : ["build", project, "-p:PublishAot=false"];
        DotNet.Run(
            [.. verb, "-c", "Release", "--artifacts-path", Path.Combine(folder, "artifacts"), "-o", Path.Combine(folder, "out")],
            Path.Combine(Repository.Root, "csharp-sample"));
        return Path.Combine(folder, "out", name);
    }

    internal override string? Example(string file, int number) => null;

    internal override string OtherLibrary(string version, string folder)
    {
        Assert.SkipUnless(Processes.Has("cc"), "there is no C compiler (cc) here");
        var (code, library) = (Path.Combine(Repository.Root, "bindings/csharp/ShmCv.Tests/other.c"), Path.Combine(folder, "libother.so"));
        var compiled = Processes.Run("cc", ["-shared", "-fPIC", $"-DABI_VERSION_{version}", "-o", library, code]);
        Assert.True(compiled.ExitCode == 0, compiled.All);
        return library;
    }

    internal override bool HasName(string name) => File.Exists(PathOf(name));

    internal override byte[] BytesOf(string name, int count)
    {
        using var file = File.OpenRead(PathOf(name));
        var bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }

    internal override long MemoryOf(string name) => new FileInfo(PathOf(name)).Length;

    internal override IDisposable MakeForeign(string name, byte[] bytes)
    {
        File.WriteAllBytes(PathOf(name), bytes);
        return new MemoryStream(); // the file stays without help
    }

    internal override bool IsReadOnly(nint address) => File.ReadLines("/proc/self/maps").Any(line =>
    {
        var bounds = line[..line.IndexOf(' ', StringComparison.Ordinal)].Split('-')
            .Select(bound => nint.Parse(bound, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
        return bounds[0] <= address && address < bounds[1] && line.Contains(" r--s ", StringComparison.Ordinal);
    });

    internal override unsafe int[] WhichAreReadable(int milliseconds, nint[] descriptors)
    {
        var polled = descriptors.Select(descriptor => new Polled { Descriptor = (int)descriptor, Events = Readable }).ToArray();
        fixed (Polled* first = polled)
        {
            _ = poll(first, (nuint)polled.Length, milliseconds);
        }

        return [.. from i in Enumerable.Range(0, polled.Length) where polled[i].Found == Readable select i];
    }

    [LibraryImport("libc")]
    private static unsafe partial int poll(Polled* descriptors, nuint count, int milliseconds);

    private string PathOf(string name) => Path.Combine(Folder, name);

    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).TrimEnd();
        }
        catch (IOException)
        {
            return string.Empty; // the thread has ended
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Polled
    {
        internal int Descriptor;
        internal short Events;
        internal short Found;
    }
}
