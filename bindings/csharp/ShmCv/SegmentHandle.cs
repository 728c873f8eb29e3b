using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>
/// This process's use of a segment: a counted reference that ends with the last of its holders, or with the garbage
/// collector when nobody has disposed of it.
/// </summary>
internal sealed class SegmentHandle : SafeHandle
{
    private readonly SegmentHandle? _stream; // that this is a frame of; stays open with it, and the memory with that
    private int _closed;

    private SegmentHandle(ulong segment, SegmentHandle? stream)
        : base(0, ownsHandle: true)
    {
        if (stream is not null)
        {
            var held = false;
            stream.DangerousAddRef(ref held);
            _stream = stream;
        }

        SetHandle(unchecked((nint)segment)); // the library is for 64-bit systems
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Takes over a handle that the native library has just given out.</summary>
    internal static SegmentHandle Own(ulong segment, SegmentHandle? stream = null) => new(segment, stream);

    /// <summary>Leaves it to the native library to close the handle, which it has done.</summary>
    internal void GiveAway() => _closed = 1;

    /// <summary>Closes the native handle, whatever views there are: of a frame, whose memory the stream keeps.</summary>
    internal bool CloseNow() =>
        Interlocked.Exchange(ref _closed, 1) != 0 || NativeMethods.shmcv_close(unchecked((ulong)handle)) == ErrorCode.OK;

    /// <summary>Holds the segment open for a call, whoever disposes of it meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    internal Call Use()
    {
        ObjectDisposedException.ThrowIf(IsClosed || _closed != 0, typeof(SharedImage));
        var held = false;
        DangerousAddRef(ref held);
        return new Call(this);
    }

    protected override bool ReleaseHandle()
    {
        var closed = CloseNow();
        _stream?.DangerousRelease();
        return closed;
    }

    internal readonly ref struct Call(SegmentHandle owner)
    {
        internal ulong Segment => unchecked((ulong)owner.handle);

        public void Dispose() => owner.DangerousRelease();
    }
}
