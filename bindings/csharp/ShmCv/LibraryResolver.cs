using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>
/// Finds the native library, loads it, and refuses one that does not fit. The first file that is there is taken, and no
/// other is tried after it.
/// </summary>
internal static unsafe class LibraryResolver
{
    /// <summary>The environment variable that names the file. Nothing is searched for then.</summary>
    private const string Variable = "SHMCV_LIBRARY";

    /// <summary>The systems and processors for which the package carries the file.</summary>
    private const string Carried = "linux-x64, linux-arm64 and win-x64";

    // On Windows, where names of files know no case, shmcv.dll would be this assembly, ShmCv.dll, in the same folder.
    private static string FileName =>
        OperatingSystem.IsWindows() ? "libshmcv.dll" : OperatingSystem.IsMacOS() ? "libshmcv.dylib" : "libshmcv.so";

    // What the system's loader searches for. An installation to run programs has the first name alone on Linux, which tells
    // the binary interface.
    private static string[] Searched => OperatingSystem.IsLinux() ? [$"{FileName}.{NativeMethods.AbiMajor}", FileName] : [FileName];

    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (!string.Equals(name, NativeMethods.LibraryName, StringComparison.Ordinal))
        {
            return 0; // another library
        }

        if (RefusalFor(RuntimeInformation.RuntimeIdentifier) is { } refusal)
        {
            throw new ShmCvLibraryException(refusal);
        }

        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            // The system would search for a name without a folder.
            return Load(Path.GetFullPath(named), $" ({Variable} names it: correct it, or unset it)");
        }

        var places = Places(assembly).ToList();
        if (places.Find(File.Exists) is { } path)
        {
            return Load(path);
        }

        foreach (var searched in Searched)
        {
            if (NativeLibrary.TryLoad(searched, assembly, searchPath, out var library))
            {
                return Fitting(library, searched);
            }
        }

        throw new ShmCvLibraryException(NotFound(places, Rid));
    }

    /// <summary>Returns why no library works on a system, or null if one may. The system has the runtime's own name.</summary>
    internal static string? RefusalFor(string system) =>
        system.Contains("musl", StringComparison.Ordinal) || system.StartsWith("alpine", StringComparison.Ordinal)
            ? "shmcv does not work with musl, the C library of Alpine, which cannot open libraries that are written in Go "
                + "(golang/go#13492, golang/go#54805): use an image with glibc, such as Debian's or Ubuntu's."
            : null;

    internal static Version AbiVersionOf(uint version) => new((int)(version >> 16), (int)(version & 0xFFFF));

    private static nint Load(string path, string hint = "")
    {
        try
        {
            return Fitting(NativeLibrary.Load(path), path);
        }
        catch (Exception cause)
            when (cause is BadImageFormatException || cause.GetType() == typeof(DllNotFoundException))
        {
            throw new ShmCvLibraryException(
                $"shmcv: cannot load the native library {path}{hint}: {cause.Message}", cause);
        }
    }

    /// <summary>Returns the library if its binary interface is the one that this package needs.</summary>
    private static nint Fitting(nint library, string path)
    {
        if (!NativeLibrary.TryGetExport(library, "shmcv_abi_version", out var function))
        {
            throw new ShmCvLibraryException($"shmcv: {path} is not the shmcv library: it has no shmcv_abi_version.");
        }

        var found = AbiVersionOf(((delegate* unmanaged<uint>)function)());
        var wanted = new Version(NativeMethods.AbiMajor, NativeMethods.AbiMinor);
        if (found.Major != wanted.Major || found.Minor < wanted.Minor)
        {
            throw new ShmCvLibraryException(
                $"shmcv: {path} has version {found} of the binary interface, and this package needs {wanted} or a "
                + $"later {wanted.Major}.x; install library and package of one release.");
        }

        return library;
    }

    /// <summary>Returns the places where a package, a publish or a project reference puts the file.</summary>
    private static IEnumerable<string> Places(Assembly assembly)
    {
        foreach (var folder in Folders(assembly).Distinct(StringComparer.Ordinal))
        {
            yield return Path.Combine(folder, "runtimes", Rid, "native", FileName);
            yield return Path.Combine(folder, FileName);
        }
    }

    // The assembly of a plug-in has another folder than the program. A single-file program has only the program's
    // folder.
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is skipped.")]
    private static IEnumerable<string> Folders(Assembly assembly)
    {
        if (Path.GetDirectoryName(assembly.Location) is { Length: > 0 } folder)
        {
            yield return folder;
        }

        yield return Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
    }

    /// <summary>The portable name of this platform. The runtime's own name may be that of the distribution.</summary>
    private static string Rid
    {
        get
        {
            var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
            return $"{system}-{RuntimeInformation.ProcessArchitecture}".ToLowerInvariant();
        }
    }

    internal static string NotFound(IEnumerable<string> places, string rid)
    {
        var looked = string.Concat(places.Select(place => $"\n  {place}: not there"));
        return $"""
            shmcv: the native library {FileName} was not found. Looked, in this order, at
              the environment variable {Variable}: not set{looked}
              the folders of the runtime and of the system's loader ({string.Join(", ", Searched)}): not there
            The package ShmCv carries it for {Carried}, and this process is {rid}. Where the package does not carry it, build
            it (./build.sh build in a checkout of shmcv), and name the file in {Variable}.
            """;
    }
}
