using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bench;

/// <summary>The library, declared as a program does that uses none of its packages.</summary>
internal static unsafe partial class Native
{
    /// <summary>shmcv_image_info.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct Image;

    static Native() => NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? paths) =>
        name == "shmcv" ? NativeLibrary.Load(Environment.GetEnvironmentVariable("SHMCV_LIBRARY") ?? "libshmcv.so") : 0;

    [LibraryImport("shmcv")] public static partial uint shmcv_abi_version();
    [LibraryImport("shmcv")] public static partial int shmcv_image_get(ulong segment, Image* image);
    [LibraryImport("shmcv", StringMarshalling = StringMarshalling.Utf8)] public static partial int shmcv_open(string name, out ulong segment);
    [LibraryImport("shmcv")] public static partial int shmcv_close(ulong segment);

    /// <summary>Makes the call again and again, in a loop that the runtime compiles as hot code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AskForVersion(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _ = shmcv_abi_version();
        }
    }

    /// <inheritdoc cref="AskForVersion"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AskForImage(ulong segment, int count)
    {
        Image image;
        for (int i = 0; i < count; i++)
        {
            _ = shmcv_image_get(segment, &image);
        }
    }
}

/// <summary>Functions of libc for which .NET has no call.</summary>
internal static unsafe partial class Libc
{
    private const int Self = 0, Words = 18, MinorFaultsAt = 8; // struct rusage: two times of two words each, then fourteen counts

    [LibraryImport("libc")] private static partial int getrusage(int who, long* usage);

    /// <summary>Returns how often this process has touched a page that was not mapped yet.</summary>
    public static long MinorFaults()
    {
        long* usage = stackalloc long[Words];
        _ = getrusage(Self, usage);
        return usage[MinorFaultsAt];
    }
}
