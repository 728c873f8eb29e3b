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
    private readonly NativeHandle? _stream; // of a frame to fill; it stays open with the frame's views
    private int _closed;
    private volatile bool _disposed;
    private volatile bool _spanned;
    private volatile bool _abandoned;

    /// <summary>Takes over a handle that the native library has just given out.</summary>
    /// <param name="value">The handle.</param>
    /// <param name="close">The native function that closes it.</param>
    /// <param name="owner">The class of the object that users dispose of.</param>
    /// <param name="stream">The stream, if the handle is of a frame to fill. Such a frame is closed before its views
    /// are, and the stream keeps their memory mapped.</param>
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

    /// <summary>Returns true if the object that users dispose of is disposed of. Views may still use the memory.</summary>
    internal bool IsDisposed => IsClosed || _disposed || _closed != 0;

    /// <summary>
    /// The handle for a call that must not keep it open, because the call may wait. The native library answers a handle
    /// that was closed meanwhile with an error. <see cref="Check"/> turns that error into an exception.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    internal ulong Borrowed
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsDisposed, _owner);
            return unchecked((ulong)handle);
        }
    }

    /// <summary>Does as <see cref="Error.Check"/>, for a call that used <see cref="Borrowed"/>.</summary>
    /// <exception cref="ObjectDisposedException">The object has been disposed of during the call.</exception>
    internal void Check(ErrorCode code)
    {
        ObjectDisposedException.ThrowIf(code == ErrorCode.Closed && IsDisposed, _owner);
        Error.Check(code);
    }

    /// <summary>
    /// Notes that a span of the memory is out, which does not keep this object alive. The garbage collector then closes
    /// the handle, so that a frame's slot is free again, and leaves the memory mapped.
    /// </summary>
    internal void NoteSpan() => _spanned = true;

    /// <summary>Does as <see cref="NoteSpan"/>, for a view that no code has disposed of.</summary>
    internal void Abandon()
    {
        _abandoned = true;
        DangerousRelease();
    }

    /// <summary>Notes that the native library has closed the handle itself, as shmcv_frame_publish does.</summary>
    internal void GiveAway() => _closed = 1;

    /// <summary>
    /// Closes the native handle now, although views may still use its memory. That is allowed for a frame to fill, whose
    /// memory the stream keeps mapped.
    /// </summary>
    /// <returns>False if the native library has refused.</returns>
    internal bool CloseNow() =>
        Interlocked.Exchange(ref _closed, 1) != 0 || _close(unchecked((ulong)handle)) == ErrorCode.OK;

    /// <summary>Keeps the handle open for one call, even if another thread disposes of the object meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    internal Call Use()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, _owner);
        var held = false;
        DangerousAddRef(ref held);
        return new Call(this);
    }

    /// <summary>Removes the name before the handle is closed. A name that is gone, and a handle that is, are no
    /// error.</summary>
    /// <param name="clear">The native function that removes a name of this kind.</param>
    internal void TryClear(Func<ulong, ErrorCode> clear)
    {
        if (IsClosed)
        {
            return;
        }

        try
        {
            using var call = Use();
            _ = clear(call.Handle); // the name may be removed already
        }
        catch (ObjectDisposedException)
        {
            // another thread was faster
        }
    }

    protected override void Dispose(bool disposing)
    {
        _disposed |= disposing;
        base.Dispose(disposing);
    }

    protected override bool ReleaseHandle()
    {
        // Spans end with the object's disposal. A view's spans end with the view's.
        if ((_spanned && !_disposed) || _abandoned)
        {
            // If a frame to fill is closed already, its stream has the memory.
            var keeper = _closed != 0 && _stream is { } stream ? stream.handle : handle;
            _ = NativeMethods.shmcv_keep(unchecked((ulong)keeper));
        }

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
