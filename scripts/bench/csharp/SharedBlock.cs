using System.IO.MemoryMappedFiles;

namespace Bench;

/// <summary>Named shared memory as .NET has it, for libraries that have none of their own.</summary>
internal sealed unsafe class SharedBlock : IDisposable
{
    /// <summary>
    /// Bytes of a block for the picture of a file whose size is not known: enough for the largest of the bench. Memory
    /// that is not touched costs nothing.
    /// </summary>
    public const long Room = 1L << 30;

    private static int s_count;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly string? _path;

    /// <summary>Makes a block, which is removed with this object.</summary>
    public SharedBlock(long size)
    {
        _path = $"/dev/shm/{NewName()}";
        _file = MemoryMappedFile.CreateFromFile(_path, FileMode.CreateNew, mapName: null, size);
        _view = _file.CreateViewAccessor();
        Address = AddressOf(_view);
    }

    /// <summary>Opens a block that another program has made.</summary>
    public SharedBlock(string name)
    {
        _file = MemoryMappedFile.CreateFromFile($"/dev/shm/{name}", FileMode.Open);
        _view = _file.CreateViewAccessor();
        Address = AddressOf(_view);
    }

    public nint Address { get; }

    public static string NewName() => $"shmcv-bench-{Environment.ProcessId}-{++s_count}";

    public void Dispose()
    {
        if (_view.SafeMemoryMappedViewHandle.IsClosed)
        {
            return; // source and target may be the same block
        }

        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    private static nint AddressOf(MemoryMappedViewAccessor view)
    {
        byte* address = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref address);
        return (nint)address;
    }
}
