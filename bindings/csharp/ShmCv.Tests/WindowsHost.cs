using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ShmCv.Tests;

/// <summary>What the tests ask of Windows. The tests there are a published program, with the samples in a folder beside it.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsHost : Host
{
    private const uint PageReadOnly = 2, QueryLimitedInformation = 0x800;

    internal override string Rid => "win-x64";

    internal override string LibraryFile => "libshmcv.dll";

    internal override string Library => Path.Combine(AppContext.BaseDirectory, "runtimes", Rid, "native", LibraryFile);

    internal override string Folder =>
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "shmcv");

    internal override long FreeMemory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    internal override unsafe IEnumerable<string> ThreadNames
    {
        get
        {
            var names = new List<string>();
            foreach (ProcessThread thread in Process.GetCurrentProcess().Threads)
            {
                using var handle = OpenThread(QueryLimitedInformation, inherit: false, (uint)thread.Id);
                if (!handle.IsInvalid && GetThreadDescription(handle, out var name) >= 0)
                {
                    names.Add(Marshal.PtrToStringUni((nint)name)!);
                    LocalFree(name);
                }
            }

            return names;
        }
    }

    internal override string Program(string path) => path + ".exe";

    internal override string Sample(string project, string name, string folder, bool ahead = false) =>
        Made(Path.Combine("samples", name, $"{name}.exe"));

    internal override string? Example(string file, int number) =>
        Made(Path.Combine("examples", $"{file.Replace('/', '-')}-{number}.exe"));

    internal override string OtherLibrary(string version, string folder) => Made($"other-{version}.dll");

    // Names of files know no case there, so that capital letters are escaped, which the tests' names do not have.
    internal override bool HasName(string name)
    {
        var path = Path.Combine(Folder, name); // which may be a path itself
        return File.Exists(Path.Combine(Path.GetDirectoryName(path)!, $"={Path.GetFileName(path)}"));
    }

    internal override byte[] BytesOf(string name, int count)
    {
        using var file = MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.Read);
        using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        var bytes = new byte[count];
        view.ReadArray(0, bytes, 0, count);
        return bytes;
    }

    internal override long MemoryOf(string name)
    {
        using var file = MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.Read);
        using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        return view.Capacity; // whole pages
    }

    internal override IDisposable MakeForeign(string name, byte[] bytes)
    {
        var file = MemoryMappedFile.CreateNew(name, bytes.Length);
        using var view = file.CreateViewAccessor(0, bytes.Length);
        view.WriteArray(0, bytes, 0, bytes.Length);
        return file;
    }

    internal override unsafe bool IsReadOnly(nint address)
    {
        MemoryInformation found;
        return VirtualQuery(address, &found, (nuint)sizeof(MemoryInformation)) != 0 && found.AllocationProtect == PageReadOnly;
    }

    internal override int[] WhichAreReadable(int milliseconds, nint[] descriptors)
    {
        var events = descriptors.Select(EventOf).ToArray();
        return WaitHandle.WaitAny(events, milliseconds) == WaitHandle.WaitTimeout
            ? []
            : [.. from i in Enumerable.Range(0, events.Length) where events[i].WaitOne(0) select i];
    }

    // Returns a file that was made on Linux, where the compilers are.
    private static string Made(string path)
    {
        var made = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", path));
        Assert.SkipUnless(File.Exists(made), $"there is no {made} (./build.sh test win-x64-csharp makes it)");
        return made;
    }

    // The descriptor stays the stream's, so that nothing here closes it.
    private static ManualResetEvent EventOf(nint descriptor) =>
        new(false) { SafeWaitHandle = new SafeWaitHandle(descriptor, ownsHandle: false) };

    [LibraryImport("kernel32")]
    private static unsafe partial nuint VirtualQuery(nint address, MemoryInformation* information, nuint size);

    [LibraryImport("kernel32")]
    private static partial SafeWaitHandle OpenThread(uint access, [MarshalAs(UnmanagedType.Bool)] bool inherit, uint thread);

    [LibraryImport("kernel32")]
    private static unsafe partial int GetThreadDescription(SafeWaitHandle thread, out char* name);

    [LibraryImport("kernel32")]
    private static unsafe partial void* LocalFree(void* memory);

    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryInformation
    {
        internal nint BaseAddress, AllocationBase;
        internal uint AllocationProtect;
        internal ushort PartitionId;
        internal nuint RegionSize;
        internal uint State, Protect, Type;
    }
}
