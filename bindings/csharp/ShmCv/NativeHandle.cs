using System.Diagnostics.CodeAnalysis;
using System.Runtime.ConstrainedExecution;

namespace ShmCv;

/// <summary>
/// A handle of the native library: of a segment, a stream, a frame or a view. It is closed with the last of its users, or by
/// the garbage collector if no code has disposed of it.
/// </summary>
/// <remarks>
/// It does what a <see cref="System.Runtime.InteropServices.SafeHandle"/> does, and can take over another frame when it has
/// given one back. A reader therefore needs one object for all of its frames. The finalizers of views, which use handles,
/// run before those of handles do.
/// </remarks>
internal sealed class NativeHandle : CriticalFinalizerObject, IDisposable
{
    private const int Owned = 1;  // the object that users dispose of is not disposed of
    private const int User = 2;   // of calls, views and pins, each
    private const int Closed = 0; // for good
    private const int Empty = -2; // without a frame, which may come; see GiveBack

    private readonly Func<ulong, ErrorCode> _close;
    private readonly Type _owner; // named by ObjectDisposedException
    private readonly NativeHandle? _below; // the stream of a frame to fill, what a view is of; it stays open with this one's views
    private ulong _value;
    private int _state = Owned;
    private int _closed;
    private int _waitedOn;
    private volatile bool _disposed;
    private volatile bool _spanned;
    private volatile bool _abandoned;

    /// <summary>Takes over a handle that the native library has just given out.</summary>
    /// <param name="value">The handle.</param>
    /// <param name="close">The native function that closes it.</param>
    /// <param name="owner">The class of the object that users dispose of.</param>
    /// <param name="below">The stream, if the handle is of a frame to fill. Such a frame is closed before its views
    /// are, and the stream keeps their memory mapped. Of a view of a region, the handle of the pixels that it is of.</param>
    internal NativeHandle(ulong value, Func<ulong, ErrorCode> close, Type owner, NativeHandle? below = null)
    {
        _close = close;
        _owner = owner;
        _value = value;
        try
        {
            below?.Hold();
            _below = below;
        }
        catch
        {
            Dispose(); // what is below is closed
            throw;
        }
    }

    /// <summary>A handle without a frame, as <see cref="GiveBack"/> leaves one.</summary>
    private NativeHandle(Func<ulong, ErrorCode> close, Type owner, NativeHandle? below)
    {
        _close = close;
        _owner = owner;
        _below = below;
        _state = Empty;
        _closed = 1;
    }

    [SuppressMessage("Design", "MA0055", Justification = "A SafeHandle cannot take over another frame.")]
    ~NativeHandle() => Leave();

    /// <summary>
    /// Ends the use of the handle by the object that users dispose of. The native handle is closed when nothing else uses
    /// it.
    /// </summary>
    public void Dispose()
    {
        _disposed = true;
        Leave();
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns true if the native handle is closed: the object is disposed of, and nothing uses it.</summary>
    internal bool IsClosed => Volatile.Read(ref _state) == Closed;

    /// <summary>Returns true if the object that users dispose of is disposed of. Views may still use the memory.</summary>
    internal bool IsDisposed => (Volatile.Read(ref _state) & Owned) == 0 || _closed != 0;

    /// <summary>
    /// The place of the pixels, as far as a caller has asked for it: it is the same as long as the handle is open. Set it
    /// while a <see cref="Call"/> keeps the handle open.
    /// </summary>
    internal Mapping? Mapping { get; set; }

    /// <summary>Returns true if the object has no frame now; see <see cref="GiveBack"/>.</summary>
    internal bool IsEmpty => Volatile.Read(ref _state) == Empty;

    /// <summary>Returns true if an asynchronous wait has begun on the object.</summary>
    internal bool IsWaitedOn => Volatile.Read(ref _waitedOn) != 0;

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
            return _value;
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
    internal void NoteSpan()
    {
        if (!_spanned)
        {
            _spanned = true;
        }
    }

    /// <summary>Notes that an asynchronous wait begins on the object; see <see cref="Waits.End"/>.</summary>
    internal void NoteWait() => Interlocked.Exchange(ref _waitedOn, 1); // before the object's state is read

    /// <summary>Does as <see cref="NoteSpan"/>, for a view that no code has disposed of.</summary>
    internal void Abandon()
    {
        _abandoned = true;
        Release();
    }

    /// <summary>Notes that the native library has closed the handle itself, as shmcv_frame_publish does.</summary>
    internal void GiveAway() => _closed = 1;

    /// <summary>
    /// Closes the native handle now, although views may still use its memory. That is allowed for a frame to fill, whose
    /// memory the stream keeps mapped.
    /// </summary>
    /// <returns>False if the native library has refused.</returns>
    internal bool CloseNow() =>
        Interlocked.Exchange(ref _closed, 1) != 0 || _close(_value) == ErrorCode.OK;

    /// <summary>Keeps the handle open for one call, even if another thread disposes of the object meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    internal Call Use()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, _owner);
        Hold();
        return new Call(this);
    }

    /// <summary>Keeps the handle open until <see cref="Release"/>.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    internal void Hold() => ObjectDisposedException.ThrowIf(!TryHold(), _owner);

    /// <summary>Does as <see cref="Hold"/>.</summary>
    /// <returns>False if the handle is closed.</returns>
    internal bool TryHold()
    {
        var state = Volatile.Read(ref _state);
        while (state > 0)
        {
            var before = Interlocked.CompareExchange(ref _state, state + User, state);
            if (before == state)
            {
                return true;
            }

            state = before;
        }

        return false;
    }

    /// <summary>Ends a <see cref="Hold"/>.</summary>
    internal void Release()
    {
        if (Interlocked.Add(ref _state, -User) == Closed)
        {
            Close();
        }
    }

    /// <summary>
    /// Gives a frame back although the object stays in use, so that <see cref="TakeOver"/> can give it another one. In
    /// between the object has no frame: members that need one throw <see cref="ObjectDisposedException"/>.
    /// </summary>
    /// <returns>
    /// False if the object is disposed of, or if something else uses the frame: a view, or a call of another thread.
    /// </returns>
    internal bool GiveBack()
    {
        if (Interlocked.CompareExchange(ref _state, Empty, Owned) != Owned)
        {
            return false;
        }

        _spanned = false; // the frame's spans end with it
        Mapping = null;
        _ = CloseNow();
        _below?.Release();
        return true;
    }

    /// <summary>
    /// Does as <see cref="GiveBack"/>, also if something else uses the frame, which keeps this handle then.
    /// </summary>
    /// <returns>The handle without a frame: this one, or another one.</returns>
    internal NativeHandle MoveOn()
    {
        if (IsEmpty || GiveBack())
        {
            return this;
        }

        Dispose();
        return new NativeHandle(_close, _owner, _below);
    }

    /// <summary>Takes over a frame, after <see cref="GiveBack"/>. One thread at a time may do that.</summary>
    /// <param name="frame">The frame. It is closed if it is not taken over.</param>
    /// <returns>False if the object is disposed of, or the stream of a frame to fill.</returns>
    internal bool TakeOver(ulong frame)
    {
        _value = frame;
        Volatile.Write(ref _closed, 0); // after the value: who sets it to 1 closes that value
        if (_below is null || _below.TryHold())
        {
            if (Interlocked.CompareExchange(ref _state, Owned, Empty) == Empty)
            {
                return true;
            }

            _below?.Release();
        }

        _ = _close(frame);
        return false;
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

    private void Leave()
    {
        var state = Volatile.Read(ref _state);
        while (state == Empty || (state & Owned) != 0)
        {
            var left = state == Empty ? Closed : state - Owned;
            var before = Interlocked.CompareExchange(ref _state, left, state);
            if (before == state)
            {
                if (left == Closed && state != Empty)
                {
                    Close();
                }

                return;
            }

            state = before;
        }
    }

    private void Close()
    {
        // Spans end with the object's disposal. A view's spans end with the view's.
        if ((_spanned && !_disposed) || _abandoned)
        {
            Keep();
        }

        _ = CloseNow();
        _below?.Release();
    }

    /// <summary>
    /// Keeps the memory mapped until the process ends. If a frame to fill is closed already, its stream has the memory, also
    /// that of the frame's views.
    /// </summary>
    private void Keep()
    {
        if (_closed != 0 || NativeMethods.shmcv_keep(_value) != ErrorCode.OK)
        {
            _below?.Keep();
        }
    }

    internal readonly ref struct Call(NativeHandle owner)
    {
        internal NativeHandle Owner => owner;

        internal ulong Handle => owner._value;

        public void Dispose() => owner.Release();
    }
}
