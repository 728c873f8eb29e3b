using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ShmCv;

/// <summary>
/// Frame after frame from one writer to any number of readers, between processes and languages. Every frame is seen
/// whole, and none is copied. A stream is a segment that is divided into slots of one size.
/// </summary>
/// <remarks>
/// <para>The writer does not wait for readers: a reader that is slower than the writer skips frames. Create a stream
/// with a slot for each reader, and 2 more. A process that dies takes nothing with it: a frame that was not published
/// is never seen, and the next writer goes on with the next number.</para>
/// <para>Every member may be called from every thread at any time.</para>
/// </remarks>
/// <example>
/// <code>
/// using var stream = FrameStream.Create("cam0", 3840 * 2160 * 3);   // the writer
/// while (camera.Next() is { } file)
/// {
///     using var frame = stream.Begin();
///     frame.Load(file);
///     frame.Publish();
/// }
///
/// using var stream = FrameStream.Open("cam0");                      // a reader
/// await foreach (var frame in stream.FramesAsync(cancellationToken: stop))
/// {
///     LookAt(frame.AsSpan(), frame.Image);
/// }
/// </code>
/// </example>
[SuppressMessage("Naming", "CA1711", Justification = "All bindings call it a stream.")]
public sealed class FrameStream : IDisposable
{
    private FrameStream(string name, ulong stream)
    {
        Name = name;
        Handle = new NativeHandle(stream, NativeMethods.shmcv_stream_close, typeof(FrameStream));
    }

    /// <summary>The stream's name, by which other processes open it.</summary>
    public string Name { get; }

    /// <summary>True if this object made the stream, false if the stream was there.</summary>
    public bool Created { get; private init; }

    /// <summary>
    /// True if <see cref="Dispose"/> removes the stream's name too, if the name is still this stream's; false unless a
    /// program sets it. The garbage collector does not remove names, and an exception that no code catches ends the
    /// process without disposing of anything.
    /// </summary>
    public bool ClearOnDispose { get; set; }

    /// <summary>The facts about the stream. The image is that of the newest frame.</summary>
    /// <exception cref="ShmCvTruncatedException">Another program has made the stream shorter.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public SegmentInfo Info
    {
        get
        {
            using var call = Handle.Use();
            Error.Check(NativeMethods.shmcv_stream_info(call.Handle, out var info));
            return SegmentInfo.From(info);
        }
    }

    internal NativeHandle Handle { get; }

    /// <summary>
    /// Makes a stream and opens it. The memory is reserved at once.
    /// </summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="slotSize">The most bytes of pixels that a frame can have; rounded up to whole pages of 4096
    /// bytes.</param>
    /// <param name="slots">2 to 1024, or 0 for 4.</param>
    /// <param name="access">Whose the stream is, and who may open it; null for this user alone.</param>
    /// <returns>The stream, without a frame yet.</returns>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free than all slots need.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, the size or number of slots is out of range, or
    /// the mode makes no sense.</exception>
    /// <exception cref="ShmCvPermissionException">This process may not give the stream to that owner or group, or may not
    /// make files in the folder.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such folder, user or group.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slotSize"/> is not positive, or
    /// <paramref name="slots"/> is negative.</exception>
    public static FrameStream Create(string name, long slotSize, int slots = 0, Access? access = null)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        Error.Check(NativeMethods.shmcv_stream_create_for(
            name, (ulong)slotSize, (uint)slots, (int)WhenBehind.Drop, Access.ToNative(access), out var stream));
        return new FrameStream(name, stream) { Created = true };
    }

    /// <summary>
    /// Opens the stream of that name, or makes one if there is none; <see cref="Created"/> tells which.
    /// </summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="slotSize">The most bytes of pixels that a frame can have, which the slots of a stream that is there
    /// must have at least.</param>
    /// <param name="slots">2 to 1024, which a stream that is there must have at least; or 0 for 4 in a new stream, and any
    /// number in one that is there.</param>
    /// <param name="access">Whose a new stream is, and who may open it; null for this user alone.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvTooSmallException">The stream that is there has smaller or fewer slots.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free than all slots need.</exception>
    /// <exception cref="ShmCvPermissionException">It is not a plain file of this user, nor one that its owner has given a
    /// group of this process to read and write.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule or is that of a segment that is no stream, or the
    /// size or number of slots is out of range.</exception>
    /// <exception cref="ShmCvCorruptException">The stream's metadata has been overwritten.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slotSize"/> is not positive, or
    /// <paramref name="slots"/> is negative.</exception>
    public static FrameStream OpenOrCreate(string name, long slotSize, int slots = 0, Access? access = null)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        Error.Check(NativeMethods.shmcv_stream_open_or_create_for(
            name, (ulong)slotSize, (uint)slots, (int)WhenBehind.Drop, Access.ToNative(access), out var stream, out var created));
        return new FrameStream(name, stream) { Created = created != 0 };
    }

    /// <summary>Opens a stream that any process has created.</summary>
    /// <param name="name">The stream's name.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">It is not a plain file of this user, nor one that its owner has given a
    /// group of this process to read and write.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or is that of a segment that is no
    /// stream.</exception>
    /// <exception cref="ShmCvCorruptException">The stream's metadata has been overwritten.</exception>
    public static FrameStream Open(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_stream_open(name, out var stream));
        return new FrameStream(name, stream);
    }

    /// <summary>
    /// Removes the stream's name; see <see cref="Segment.Clear(string)"/>. This object stays open. If this object is
    /// disposed, the name is removed from whatever stream has it.
    /// </summary>
    /// <exception cref="ShmCvNotFoundException">The name is removed already, or another stream has it now.</exception>
    public void Clear()
    {
        if (Handle.IsClosed)
        {
            Segment.Clear(Name);
            return;
        }

        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_clear(call.Handle));
    }

    /// <summary>
    /// Returns a frame to fill and to publish, in a free slot. This object becomes the stream's writer with its first
    /// frame, and stays the writer until it is disposed of.
    /// </summary>
    /// <returns>
    /// The frame, without an image yet. If it is disposed of before it is published, no reader ever sees it.
    /// </returns>
    /// <exception cref="ShmCvBusyException">There is another writer, the frame begun before is still open, or readers
    /// hold all slots; the message says which.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public NewFrame Begin()
    {
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_begin(call.Handle, 0, out var frame));
        return new NewFrame(Name, frame, Handle);
    }

    /// <summary>Copies pixels of the caller into a new frame, and publishes it.</summary>
    /// <param name="pixels">The pixels, at least <see cref="ImageInfo.Size"/> bytes of
    /// <paramref name="layout"/>.</param>
    /// <param name="layout">The description of <paramref name="pixels"/>.</param>
    /// <param name="order">The colour order of the frame. The conversions are those of
    /// <see cref="Pixels.Read(Span{byte}, ImageInfo)"/>.</param>
    /// <returns>The number of the frame.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Begin"/>,
    /// <see cref="WritablePixels.Write"/> and <see cref="NewFrame.Publish"/>. Nothing is published then.</exception>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public long Publish(ReadOnlySpan<byte> pixels, ImageInfo layout, ColorOrder order)
    {
        using var frame = Begin();
        frame.Write(pixels, layout, order);
        return frame.Publish();
    }

    /// <summary>
    /// Waits for a frame with a number greater than <paramref name="newerThan"/>, and returns the newest.
    /// </summary>
    /// <param name="newerThan">0 accepts any frame. With the last frame's <see cref="Frame.Sequence"/>, each frame is
    /// seen once.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The frame, which stays as it is until it is disposed of.</returns>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public Frame Wait(long newerThan = 0, CancellationToken cancellationToken = default) =>
        WaitFor(newerThan, Timeout.Infinite, cancellationToken)!;

    /// <summary>Does as <see cref="Wait"/>, for a limited time.</summary>
    /// <param name="newerThan">0 accepts any frame. With the last frame's <see cref="Frame.Sequence"/>, each frame is
    /// seen once.</param>
    /// <param name="milliseconds">The time. 0 does not sleep, and a negative number waits without an end.</param>
    /// <returns>The frame, or null if the time is up.</returns>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public Frame? TryWait(long newerThan, int milliseconds) => WaitFor(newerThan, milliseconds, CancellationToken.None);

    /// <summary>
    /// Does as <see cref="Wait"/>, and occupies no thread meanwhile. One thread sleeps for all asynchronous waits of the
    /// process, and the continuation runs in the caller's context.
    /// </summary>
    /// <param name="newerThan">0 accepts any frame. With the last frame's <see cref="Frame.Sequence"/>, each frame is
    /// seen once.</param>
    /// <param name="cancellationToken">Ends the wait. No frame is taken then.</param>
    /// <returns>The frame, which stays as it is until it is disposed of.</returns>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the
    /// wait.</exception>
    public async Task<Frame> WaitAsync(long newerThan = 0, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryWait(newerThan, 0) is { } frame)
            {
                return frame;
            }

            await Waits.OnStream(Handle, newerThan, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Returns the frames to come. Each is disposed of when the next one is asked for.</summary>
    /// <param name="newerThan">The number of the last frame that is not wanted.</param>
    /// <param name="cancellationToken">Ends the wait, and so the loop, by an
    /// <see cref="OperationCanceledException"/>.</param>
    /// <returns>Frames without an end.</returns>
    public IEnumerable<Frame> Frames(long newerThan = 0, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            using var frame = Wait(newerThan, cancellationToken);
            newerThan = frame.Sequence;
            yield return frame;
        }
    }

    /// <summary>
    /// Returns the frames to come, for <c>await foreach</c>. No thread is occupied while the loop waits. Each frame is
    /// disposed of when the next one is asked for.
    /// </summary>
    /// <remarks>
    /// The loop gives way to other work of its thread at every second frame, also if frames are always ready, so that a
    /// user interface stays alive. It runs in the context of the caller.
    /// </remarks>
    /// <param name="newerThan">The number of the last frame that is not wanted.</param>
    /// <param name="cancellationToken">Ends the loop by an <see cref="OperationCanceledException"/>, before the next
    /// frame is taken.</param>
    /// <returns>Frames without an end. The loop throws <see cref="ObjectDisposedException"/> when this object is
    /// disposed of.</returns>
    public async IAsyncEnumerable<Frame> FramesAsync(
        long newerThan = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var atOnce = false; // the last frame was there without an await
        while (true)
        {
            if (atOnce)
            {
                // In the caller's context, whose thread therefore has left the loop: a thread of the pool alone may be done
                // before the loop's await looks. Then on the pool, so that the context has nothing to do for a moment: one
                // with priorities, such as WPF's, would otherwise prefer this loop to the user's input.
                await Task.Yield();
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            var waiting = WaitAsync(newerThan, cancellationToken);
            atOnce = !atOnce && waiting.IsCompleted;
            using var frame = await waiting.ConfigureAwait(false);
            newerThan = frame.Sequence;
            yield return frame;
        }
    }

    /// <summary>
    /// Ends this object's use of the stream, and every wait on it: waits throw <see cref="ObjectDisposedException"/>.
    /// Frames stay open; the next writer may begin when those that were begun here are disposed of too. The method may be
    /// called any number of times. The stream itself stays, under its name.
    /// </summary>
    public void Dispose()
    {
        if (ClearOnDispose)
        {
            Handle.TryClear(NativeMethods.shmcv_stream_clear);
        }

        Handle.Dispose();
        Waits.End(Handle);
    }

    /// <summary>Returns the stream's name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;

    private Frame? WaitFor(long newerThan, int milliseconds, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newerThan);
        return Slice.Repeat(Handle, milliseconds, Take, cancellationToken);

        (ErrorCode Code, Frame? Frame) Take(ulong stream, int slice)
        {
            var code = NativeMethods.shmcv_stream_wait(stream, (ulong)newerThan, slice, out var frame, out var info);
            return (code, code == ErrorCode.OK ? new Frame(Name, frame, info) : null);
        }
    }
}

/// <summary>
/// A frame to read. It stays as it is until it is disposed of, and until no view or bitmap of it is left.
/// </summary>
/// <remarks>Dispose of frames soon: a stream has few slots. Members may be called from every thread.</remarks>
public sealed class Frame : Pixels
{
    internal Frame(string name, ulong frame, in ShmcvFrameInfo info)
        : base(name, new NativeHandle(frame, NativeMethods.shmcv_frame_close, typeof(Frame)))
    {
        Sequence = (long)info.Sequence;
        TimeNs = (long)info.TimeNs;
        Missed = (long)info.Missed;
    }

    /// <summary>The frame's number: 1 for the stream's first, then 1 more for each, across writers.</summary>
    public long Sequence { get; }

    /// <summary>
    /// The time at which the frame was published: CLOCK_MONOTONIC, in nanoseconds. On Linux
    /// <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> reads the same clock.
    /// </summary>
    public long TimeNs { get; }

    /// <summary>
    /// The number of frames that were published after <c>newerThan</c> of the wait and before this one.
    /// </summary>
    public long Missed { get; }
}

/// <summary>
/// A frame to fill and to publish. If it is disposed of before it is published, its slot is given back, and no reader
/// ever sees it.
/// </summary>
/// <remarks>
/// The memory holds anything at first. When the frame is published, views of it must not be written to any more.
/// </remarks>
public sealed class NewFrame : WritablePixels
{
    internal NewFrame(string name, ulong frame, NativeHandle stream)
        : base(name, new NativeHandle(frame, NativeMethods.shmcv_frame_close, typeof(NewFrame), stream))
    {
    }

    /// <summary>
    /// Makes the frame the stream's newest, wakes the readers that wait for one, and disposes of this object.
    /// </summary>
    /// <returns>The frame's number, 1 more than that of the frame before.</returns>
    /// <exception cref="ShmCvNoImageException">The frame holds no image. It is still open.</exception>
    /// <exception cref="ShmCvBusyException">Another thread is storing pixels in the frame. It is still
    /// open.</exception>
    /// <exception cref="ObjectDisposedException">The frame is published or disposed of already.</exception>
    public long Publish()
    {
        ulong sequence;
        using (var call = Handle.Use())
        {
            Error.Check(NativeMethods.shmcv_frame_publish(call.Handle, out sequence));
            Handle.GiveAway();
        }

        Dispose();
        return (long)sequence;
    }

    // The frame is closed now and not with its last view, because the writer could not begin another frame before that.
    private protected override void BeforeDispose() => Handle.CloseNow();
}
