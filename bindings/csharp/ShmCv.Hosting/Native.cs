using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmCv.Hosting;

/// <summary>The library, declared as a program does that uses none of its packages.</summary>
internal static unsafe partial class Library
{
    public const int Ok = 0, Invalid = -1, NotFound = -2, Exists = -3, Closed = -4;
    public const int OrderBgr = 2, OrderRgb = 4, OrderRgba = 5, DepthU8 = 1;
    public const int FlipHorizontal = 1, LoadColor = 1, QualityDefault = -1;

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct Image
    {
        public uint Width, Height, Channels, Depth, Order, Reserved0;
        public ulong Stride;
    }

    static Library() => NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? paths) =>
        name == "shmcv" ? NativeLibrary.Load(Environment.GetEnvironmentVariable("SHMCV_LIBRARY") ?? Host.Current.LibraryFile) : 0;

    [LibraryImport("shmcv")] public static partial uint shmcv_abi_version();
    [LibraryImport("shmcv")] public static partial int shmcv_last_error(byte* buffer, ulong capacity);
    [LibraryImport("shmcv", StringMarshalling = StringMarshalling.Utf8)] public static partial int shmcv_create(string name, ulong size, out ulong segment);
    [LibraryImport("shmcv")] public static partial int shmcv_close(ulong segment);
    [LibraryImport("shmcv", StringMarshalling = StringMarshalling.Utf8)] public static partial int shmcv_clear(string name);
    [LibraryImport("shmcv")] public static partial int shmcv_clear_all();
    [LibraryImport("shmcv")] public static partial int shmcv_data(ulong segment, out byte* data, out ulong size);
    [LibraryImport("shmcv")] public static partial int shmcv_image_get(ulong segment, out Image image);
    [LibraryImport("shmcv")] public static partial int shmcv_image_set(ulong segment, in Image image);
    [LibraryImport("shmcv", StringMarshalling = StringMarshalling.Utf8)] public static partial int shmcv_load(ulong segment, string path, int flags, out Image image);
    [LibraryImport("shmcv", StringMarshalling = StringMarshalling.Utf8)] public static partial int shmcv_save(ulong segment, string path, int quality);
    [LibraryImport("shmcv")] public static partial int shmcv_flip(ulong source, ulong target, int code);
    [LibraryImport("shmcv")] public static partial int shmcv_convert(ulong source, ulong target, int order);

    /// <summary>The message of this thread's last failed call.</summary>
    public static string LastError()
    {
        byte* buffer = stackalloc byte[1024];
        return shmcv_last_error(buffer, 1024) == Ok ? Marshal.PtrToStringUTF8((nint)buffer)! : "";
    }
}

/// <summary>Functions of libc for which .NET has no call.</summary>
internal static unsafe partial class Libc
{
    public const int SIGINT = 2, SIGUSR1 = 10, SIGTERM = 15, SIGCHLD = 17, SIGURG = 23;
    private const int Block = 0, SignalSetSize = 128;

    /// <summary>The signal by which CoreCLR suspends its threads.</summary>
    public static readonly int SIGRTMIN = FirstRealTimeSignal();

    [LibraryImport("libc", EntryPoint = "__libc_current_sigrtmin")] private static partial int FirstRealTimeSignal();
    [LibraryImport("libc")] public static partial int gettid();
    [LibraryImport("libc")] public static partial int tgkill(int process, int thread, int signal);
    [LibraryImport("libc")] public static partial int kill(int process, int signal);
    [LibraryImport("libc")] public static partial int sigaction(int signal, byte* action, byte* old);
    [LibraryImport("libc")] private static partial int pthread_sigmask(int how, byte* set, byte* old);
    [LibraryImport("libc")] public static partial void _exit(int status);

    /// <summary>Blocks the signals that are sent to the process in this thread. Other threads take them.</summary>
    public static void BlockInterrupts()
    {
        byte* set = stackalloc byte[SignalSetSize];
        new Span<byte>(set, SignalSetSize).Clear();
        *(ulong*)set = 1UL << (SIGINT - 1) | 1UL << (SIGTERM - 1) | 1UL << (SIGCHLD - 1);
        _ = pthread_sigmask(Block, set, null);
    }
}
