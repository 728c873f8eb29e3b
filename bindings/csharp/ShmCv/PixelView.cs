using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace ShmCv;

/// <summary>
/// The shared memory of a segment or of a frame to fill. This object keeps the memory open until it is disposed of, even
/// if the <see cref="Pixels"/> that it came from are disposed of first. Its <see cref="MemoryManager{T}.Memory"/> can be
/// passed to streams, sockets and asynchronous code.
/// </summary>
/// <remarks>
/// Dispose of views. Of one that is forgotten, the garbage collector leaves the memory mapped, because spans taken from
/// the view do not keep the view alive. Members may be called from every thread.
/// </remarks>
public sealed class PixelView : MemoryManager<byte>
{
    private readonly HeldMapping _held;

    internal PixelView(HeldMapping held) => _held = held;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public override Span<byte> GetSpan() => _held.Span(this);

    /// <summary>
    /// Returns the address of a byte. It is valid until the result is disposed of, even if the view is disposed of
    /// first.
    /// </summary>
    /// <param name="elementIndex">The byte's number, counted from the first byte of the first pixel.</param>
    /// <returns>The address, which keeps the memory open.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="elementIndex"/> is outside of the
    /// memory.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public override MemoryHandle Pin(int elementIndex = 0) => _held.Pin(elementIndex, this);

    /// <summary>Ends one <see cref="Pin"/>; disposing of its result does that.</summary>
    public override void Unpin() => _held.Unpin();

    /// <summary>Ends the view's use of the memory. The method may be called any number of times.</summary>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _held.Dispose();
}

/// <summary>
/// The shared memory of a segment or frame, to read. This object keeps the memory open until it is disposed of, even if
/// the <see cref="Pixels"/> that it came from are disposed of first. Its <see cref="Memory"/> can be passed to streams,
/// sockets and asynchronous code.
/// </summary>
/// <inheritdoc cref="PixelView" path="/remarks"/>
public sealed class ReadOnlyPixelView : IDisposable
{
    private readonly HeldMapping _held;
    private readonly PixelView _view;

    internal ReadOnlyPixelView(HeldMapping held)
    {
        _held = held;
        _view = new PixelView(held);
    }

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public ReadOnlySpan<byte> Span => _held.Span(this);

    /// <summary>The bytes, for code that cannot keep a span. It must not be used when the view is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public ReadOnlyMemory<byte> Memory => _view.Memory;

    /// <inheritdoc cref="PixelView.Pin"/>
    public MemoryHandle Pin(int elementIndex = 0) => _held.Pin(elementIndex, _view);

    /// <summary>Ends the view's use of the memory. The method may be called any number of times.</summary>
    public void Dispose() => _held.Dispose();
}

/// <summary>The place of a segment's pixels in this process's memory.</summary>
internal sealed record Mapping(nint Address, int Length);

/// <summary>A mapping that a view keeps open. It is a class of its own so that both kinds of views share it.</summary>
internal sealed unsafe class HeldMapping : IDisposable
{
    private readonly NativeHandle _handle;
    private readonly Mapping _mapping;
    private int _disposed = 1; // until the constructor has succeeded

    /// <summary>Holds memory that the handle keeps open. The caller is using the handle.</summary>
    internal HeldMapping(NativeHandle handle, Mapping mapping)
    {
        handle.Hold();
        _handle = handle;
        _mapping = mapping;
        _disposed = 0;
    }

    // A memory or a pin refers to the view, and the view to this object. Only spans can be left.
    [SuppressMessage("Design", "MA0055", Justification = "The handle alone cannot tell that spans may be left.")]
    ~HeldMapping()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _handle.Abandon();
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _handle.Release();
        }

        GC.SuppressFinalize(this);
    }

    internal Span<byte> Span(object view)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, view);
        return new Span<byte>((void*)_mapping.Address, _mapping.Length);
    }

    internal MemoryHandle Pin(int elementIndex, IPinnable view)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, view);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_mapping.Length, nameof(elementIndex));
        _handle.Hold();
        return new MemoryHandle((byte*)_mapping.Address + elementIndex, pinnable: view);
    }

    internal void Unpin() => _handle.Release();
}
