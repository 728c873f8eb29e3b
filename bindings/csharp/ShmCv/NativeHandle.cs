using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>
/// A handle of the native library: of a segment, a stream or a frame. It is closed with the last of its users, or by
/// the garbage collector if no code has disposed of it.
/// </summary>
internal sealed class NativeHandle : SafeHandle
{
    private readonly Func<ulong, ErrorCode> _close;
    private readonly Type _owner; // named by ObjectDisposedException
    private readonly NativeHandle? _stream; // of a frame; it stays open with the frame, and keeps the memory mapped
    private int _closed;

    /// <summary>Takes over a handle that the native library has just given out.</summary>
    /// <param name="value">The handle.</param>
    /// <param name="close">The native function that closes it.</param>
    /// <param name="owner">The class of the object that users dispose of.</param>
    /// <param name="stream">The stream, if the handle is of a frame.</param>
    internal NativeHandle(ulong value, Func<ulong, ErrorCode> close, Type owner, NativeHandle? stream = null)
        : base(0, ownsHandle: true)
    {
        if (stream is not null)
        {
            var held = false;
            stream.DangerousAddRef(ref held);
            _stream = stream;
        }

        _close = close;
        _owner = owner;
        SetHandle(unchecked((nint)value)); // the library is for 64-bit systems
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Notes that the native library has closed the handle itself, as shmcv_frame_publish does.</summary>
    internal void GiveAway() => _closed = 1;

    /// <summary>
    /// Closes the native handle now, although views may still use its memory. That is allowed for a frame, whose memory
    /// the stream keeps mapped.
    /// </summary>
    /// <returns>False if the native library has refused.</returns>
    internal bool CloseNow() =>
        Interlocked.Exchange(ref _closed, 1) != 0 || _close(unchecked((ulong)handle)) == ErrorCode.OK;

    /// <summary>Keeps the handle open for one call, even if another thread disposes of the object meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    internal Call Use()
    {
        ObjectDisposedException.ThrowIf(IsClosed || _closed != 0, _owner);
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

    internal readonly ref struct Call(NativeHandle owner)
    {
        internal ulong Handle => unchecked((ulong)owner.handle);

        public void Dispose() => owner.DangerousRelease();
    }
}
