namespace ShmCv;

/// <summary>
/// All asynchronous waits of this process. One thread sleeps for all of them, in the native library, on a wait set. It is
/// started with the first wait, and ends when there has been none for a while. Continuations run where the awaiting code
/// wants them, never on this thread.
/// </summary>
internal static class Waits
{
    private const int Idle = 5000; // milliseconds after which the thread looks whether anybody waits
    private const int Capacity = 256;

    private static readonly Dictionary<ulong, Pending> _pending = [];
    private static ulong _set;
    private static ulong _lastKey;
    private static bool _running;

    private delegate ErrorCode Add(ulong set, ulong handle, ulong newerThan, ulong key);

    /// <summary>Returns the number of waits on an object that are not over, for tests.</summary>
    internal static int CountOf(NativeHandle handle)
    {
        lock (_pending)
        {
            return _pending.Values.Count(wait => wait.Handle == handle);
        }
    }

    /// <summary>
    /// Completes when the stream has a frame with a number above <paramref name="newerThan"/>, when the stream is
    /// disposed of, and when something is wrong with it. A call on the stream then tells which of these it is.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="newerThan">The number.</param>
    /// <param name="waiter">The frame that waits for the one that follows it, whose <see cref="End"/> ends the wait too; or
    /// null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal static Task OnStream(
        NativeHandle stream, long newerThan, NativeHandle? waiter, CancellationToken cancellationToken) =>
        Begin(NativeMethods.shmcv_wait_set_add_stream, stream, newerThan, waiter, cancellationToken);

    /// <summary>Does as <see cref="OnStream"/> for the images of a segment.</summary>
    internal static Task OnSegment(NativeHandle segment, long newerThan, CancellationToken cancellationToken) =>
        Begin(NativeMethods.shmcv_wait_set_add_segment, segment, newerThan, waiter: null, cancellationToken);

    /// <summary>
    /// Completes all waits on an object that is disposed of. The native library does that when the handle is closed. A view
    /// of the memory may keep the handle open.
    /// </summary>
    internal static void End(NativeHandle handle)
    {
        if (!handle.IsWaitedOn)
        {
            return; // as frames, which need no lock for that
        }

        List<Pending>? ended = null;
        lock (_pending)
        {
            foreach (var (key, wait) in _pending)
            {
                if (wait.Handle == handle || wait.Waiter == handle)
                {
                    (ended ??= []).Add(wait);
                    _ = NativeMethods.shmcv_wait_set_remove(_set, key); // it may be over already
                }
            }

            ended?.ForEach(wait => _pending.Remove(wait.Key));
        }

        ended?.ForEach(wait => wait.TrySetResult());
    }

    private static async Task Begin(
        Add add, NativeHandle handle, long newerThan, NativeHandle? waiter, CancellationToken cancellationToken)
    {
        var wait = Register(add, handle, newerThan, waiter);
        using var registration = cancellationToken.UnsafeRegister(
            static (wait, token) => Cancel((Pending)wait!, token), wait);
        await wait.Task.ConfigureAwait(false);
    }

    private static Pending Register(Add add, NativeHandle handle, long newerThan, NativeHandle? waiter)
    {
        lock (_pending)
        {
            if (_set == 0)
            {
                Error.Check(NativeMethods.shmcv_wait_set_create(out _set));
            }

            handle.NoteWait();
            waiter?.NoteWait();
            ObjectDisposedException.ThrowIf(waiter is { IsClosed: true }, typeof(Frame));
            var wait = new Pending(handle, waiter, ++_lastKey);
            handle.Check(add(_set, handle.Borrowed, (ulong)newerThan, wait.Key));
            _pending.Add(wait.Key, wait);
            if (!_running)
            {
                Start();
            }

            return wait;
        }
    }

    private static void Cancel(Pending wait, CancellationToken cancellationToken)
    {
        lock (_pending)
        {
            if (!_pending.Remove(wait.Key))
            {
                return; // it is over
            }

            _ = NativeMethods.shmcv_wait_set_remove(_set, wait.Key); // it may be over already
        }

        wait.TrySetCanceled(cancellationToken);
    }

    private static void Start()
    {
        // The context of the first wait is nothing to the later ones.
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
        {
            new Thread(Run, 256 * 1024) { IsBackground = true, Name = "shmcv waits" }.Start();
        }

        _running = true;
    }

    private static unsafe void Run()
    {
        var keys = stackalloc ulong[Capacity];
        while (true)
        {
            var code = NativeMethods.shmcv_wait_set_wait(_set, Idle, keys, Capacity, out var count);
            switch (code)
            {
                case ErrorCode.OK:
                    Complete(new ReadOnlySpan<ulong>(keys, (int)count));
                    break;
                case ErrorCode.Timeout:
                    lock (_pending)
                    {
                        if (_pending.Count == 0)
                        {
                            _running = false;
                            return;
                        }
                    }

                    break;
                default:
                    Fail(code);
                    return;
            }
        }
    }

    private static void Complete(ReadOnlySpan<ulong> keys)
    {
        foreach (var key in keys)
        {
            Pending? wait;
            lock (_pending)
            {
                _pending.Remove(key, out wait);
            }

            wait?.TrySetResult();
        }
    }

    /// <summary>Gives all waits the error of the set. The next wait begins with another set.</summary>
    private static void Fail(ErrorCode code)
    {
        Exception problem;
        try
        {
            Error.Check(code);
            return;
        }
        catch (ShmCvException found)
        {
            problem = found;
        }

        List<Pending> failed;
        lock (_pending)
        {
            failed = [.. _pending.Values];
            _pending.Clear();
            _ = NativeMethods.shmcv_wait_set_close(_set);
            _set = 0;
            _running = false;
        }

        failed.ForEach(wait => wait.TrySetException(problem));
    }

    private sealed class Pending(NativeHandle handle, NativeHandle? waiter, ulong key)
        : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        internal NativeHandle Handle => handle;

        internal NativeHandle? Waiter => waiter;

        internal ulong Key => key;
    }
}
