using System.Buffers;

namespace ShmCv;

/// <summary>
/// The shared memory of a segment or frame. This object keeps the memory open until it is disposed of, even if the
/// <see cref="Pixels"/> that it came from are disposed of first. Its <see cref="MemoryManager{T}.Memory"/> can be
/// passed to streams, sockets and asynchronous code.
/// </summary>
/// <remarks>
/// The class has no finalizer, by intent: a span or memory taken from the view does not keep the view alive, and a
/// program that touches memory which the garbage collector has closed ends at once. Members may be called from every
/// thread.
/// </remarks>
public sealed unsafe class PixelView : MemoryManager<byte>
{
    private readonly NativeHandle _handle;
    private readonly byte* _pixels;
    private readonly int _length;
    private int _disposed;

    /// <summary>Makes a view of memory that the handle keeps open. The caller is using the handle.</summary>
    internal PixelView(NativeHandle handle, Mapping mapping)
    {
        if (mapping.Size > int.MaxValue)
        {
            throw new NotSupportedException(
                $"There are {mapping.Size} bytes for pixels; .NET's spans and memories end at {int.MaxValue}.");
        }

        var held = false;
        handle.DangerousAddRef(ref held);
        _handle = handle;
        _pixels = (byte*)mapping.Address;
        _length = (int)mapping.Size;
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return new Span<byte>(_pixels, _length);
    }

    /// <summary>
    /// Returns the address of a byte. It is valid until the result is disposed of, even if the view is disposed of
    /// first.
    /// </summary>
    /// <param name="elementIndex">The byte's number, counted from the first byte of the first pixel.</param>
    /// <returns>The address, which keeps the memory open.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="elementIndex"/> is outside of the
    /// memory.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        var held = false;
        _handle.DangerousAddRef(ref held);
        return new MemoryHandle(_pixels + elementIndex, pinnable: this);
    }

    /// <summary>Ends one <see cref="Pin"/>; disposing of its result does that.</summary>
    public override void Unpin() => _handle.DangerousRelease();

    /// <summary>Ends the view's use of the memory. The method may be called any number of times.</summary>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _handle.DangerousRelease();
        }
    }
}

/// <summary>The place of a segment's pixels in this process's memory.</summary>
internal sealed record Mapping(nint Address, ulong Size);
