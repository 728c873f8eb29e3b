using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ShmCv;

/// <summary>
/// Frame after frame from one writer to any number of readers, between processes and languages. Every frame is seen
/// whole, and none is copied. A stream is a segment that is divided into slots of one size.
/// </summary>
/// <remarks>
/// <para>The writer does not wait for readers: a reader that is slower than the writer skips frames. Create a stream
/// with a slot for each reader, and 2 more. A reader that wants every frame says so by <see cref="Deliver"/>; what the
/// writer does when such a reader is behind is chosen with the stream. A process that dies takes nothing with it: a frame
/// that was not published is never seen, and the next writer goes on with the next number.</para>
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
    private readonly List<FrameStream> _followed = []; // those that loops over frames have gone on to

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

    /// <summary>
    /// A descriptor on which a program's own loop waits for frames, among sockets and whatever else: on Linux a file
    /// descriptor that polls readable, on Windows the handle of an event, which is set when this text says readable. In C#
    /// alone, <see cref="WaitAsync"/> does the same with less.
    /// </summary>
    /// <remarks>
    /// <para>The descriptor is readable at first. When it is readable, call <see cref="TryWait"/> with a time of 0, as often
    /// as it gives frames. The descriptor stays readable until such a call returns null. It is readable again when there is a
    /// frame that is newer than <c>newerThan</c> of that call, or when the call would throw: the stream has ended, was
    /// replaced or has no writer, or something is wrong. Now and then it is readable for nothing.</para>
    /// <para>The descriptor is this object's: do not read, write or close it. <see cref="Dispose"/> closes it, and wakes who
    /// waits on it; take it out of the loop before, because another file may get the number. One thread of the library
    /// serves all descriptors of the process; it begins with the first look at this property.</para>
    /// </remarks>
    /// <example>
    /// On Windows, among other handles:
    /// <code>
    /// using var frames = new ManualResetEvent(false) { SafeWaitHandle = new SafeWaitHandle(stream.Descriptor, ownsHandle: false) };
    /// WaitHandle.WaitAny([frames, stop]);
    /// </code>
    /// </example>
    /// <exception cref="ShmCvIOException">The process has no file descriptors left.</exception>
    /// <exception cref="ShmCvNoSpaceException">The process gets no thread.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public nint Descriptor
    {
        get
        {
            using var call = Handle.Use();
            Error.Check(NativeMethods.shmcv_stream_descriptor(call.Handle, out var descriptor));
            return (nint)descriptor;
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
    /// <param name="whenBehind">What the writer does when a reader of every frame is behind.</param>
    /// <param name="access">Whose the stream is, and who may open it; null for this user alone.</param>
    /// <returns>The stream, without a frame yet.</returns>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free than all slots need.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, the size or number of slots is out of range, or
    /// <paramref name="whenBehind"/> or the mode makes no sense.</exception>
    /// <exception cref="ShmCvPermissionException">This process may not give the stream to that owner or group, or may not
    /// make files in the folder.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such folder, user or group.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slotSize"/> is not positive, or
    /// <paramref name="slots"/> is negative.</exception>
    public static FrameStream Create(
        string name, long slotSize, int slots = 0, WhenBehind whenBehind = WhenBehind.Drop, Access? access = null)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        Error.Check(NativeMethods.shmcv_stream_create_for(
            name, (ulong)slotSize, (uint)slots, (int)whenBehind, Access.ToNative(access), out var stream));
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
    /// <param name="whenBehind">What the writer of a new stream does when a reader of every frame is behind. A stream that
    /// is there keeps its own answer.</param>
    /// <param name="access">Whose a new stream is, and who may open it; null for this user alone.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvTooSmallException">The stream that is there has smaller or fewer slots.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free than all slots need.</exception>
    /// <exception cref="ShmCvPermissionException">It is not a plain file of this user, nor one that its owner has given a
    /// group of this process to read and write.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule or is that of a segment that is no stream, the
    /// size or number of slots is out of range, or <paramref name="whenBehind"/> or the mode makes no sense.</exception>
    /// <exception cref="ShmCvCorruptException">The stream's metadata has been overwritten.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slotSize"/> is not positive, or
    /// <paramref name="slots"/> is negative.</exception>
    public static FrameStream OpenOrCreate(
        string name, long slotSize, int slots = 0, WhenBehind whenBehind = WhenBehind.Drop, Access? access = null)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        Error.Check(NativeMethods.shmcv_stream_open_or_create_for(
            name, (ulong)slotSize, (uint)slots, (int)whenBehind, Access.ToNative(access), out var stream, out var created));
        return new FrameStream(name, stream) { Created = created != 0 };
    }

    /// <summary>
    /// Opens a stream that any process has created. A stream that this process may only read is opened as by
    /// <see cref="OpenReadOnly"/>, if its owner has given a group of this process to read it
    /// (<see cref="Access.GroupRead(string)"/>).
    /// </summary>
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
        Error.Check(NativeMethods.shmcv_stream_open(name, 0, out var stream));
        return new FrameStream(name, stream);
    }

    /// <summary>Does as <see cref="Open"/>, and waits for a limited time until there is a stream.</summary>
    /// <param name="name">The stream's name.</param>
    /// <param name="milliseconds">The time. 0 does not wait; a negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The stream, or null if there is none and the time is up.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Open"/> except for
    /// <see cref="ShmCvNotFoundException"/>. They end the wait.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static FrameStream? TryOpen(string name, int milliseconds, CancellationToken cancellationToken = default)
    {
        Argument.Text(name);
        var wait = new NameWait(name);
        return Slice.Repeat(null, milliseconds, ref wait, cancellationToken) ? new FrameStream(name, wait.Stream) : null;
    }

    /// <summary>
    /// Does as <see cref="Open"/>, and waits without an end until there is a stream. The wait occupies no thread.
    /// </summary>
    /// <param name="name">The stream's name.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Open"/> except for
    /// <see cref="ShmCvNotFoundException"/>. They end the wait.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<FrameStream> OpenAsync(string name, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryOpen(name, 0, CancellationToken.None) is { } stream)
            {
                return stream;
            }

            await Task.Delay(LookEvery, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Opens the stream that has got the name of this one, after a <see cref="ShmCvReplacedException"/>, and waits until
    /// there is one. <see cref="Frames"/> and <see cref="FramesAsync"/> do that by themselves if they are told to follow.
    /// </summary>
    /// <remarks>
    /// The new object waits for frames as this one does: it watches for as long before it sleeps; it heeds the writer, from
    /// the first one on; and if this one reads every frame, so does the new one, from the oldest on that is there. The
    /// numbers of its frames begin at 1, so begin again with <c>newerThan: 0</c>. This object stays as it is. There is no
    /// stream to follow as long as the name is still this one's, or nobody's.
    /// </remarks>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Open"/> except for
    /// <see cref="ShmCvNotFoundException"/>. They end the wait.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public FrameStream Follow(CancellationToken cancellationToken = default) =>
        FollowIn(Timeout.Infinite, cancellationToken)!;

    /// <summary>Does as <see cref="Follow"/>, for a limited time.</summary>
    /// <param name="milliseconds">The time. 0 does not wait; a negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The stream, or null if the time is up.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Follow"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public FrameStream? TryFollow(int milliseconds, CancellationToken cancellationToken = default) =>
        FollowIn(milliseconds, cancellationToken);

    /// <summary>Does as <see cref="Follow"/>, and occupies no thread meanwhile.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Follow"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the
    /// wait.</exception>
    public async Task<FrameStream> FollowAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryFollow(0, CancellationToken.None) is { } stream)
            {
                return stream;
            }

            await Task.Delay(LookEvery, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Opens a stream to read alone. The right to read its file is enough, also if the file is another user's.
    /// </summary>
    /// <remarks>
    /// This object is no party to the stream: any number of them may read, no writer ever waits for one, and its frames are
    /// not <see cref="Frame.Held"/>: the writer may write over a frame at any time. Members that read pixels or metadata of
    /// the frame then throw <see cref="ShmCvOvertakenException"/>. Call <see cref="Frame.Check"/> after you have read a span,
    /// a view or a bitmap of it. The object gets the newest frame, or every frame of a stream of
    /// <see cref="WhenBehind.Drop"/>.
    /// </remarks>
    /// <param name="name">The stream's name.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">This process may not read the file.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or is that of a segment that is no
    /// stream.</exception>
    /// <exception cref="ShmCvCorruptException">The stream's metadata has been overwritten.</exception>
    public static FrameStream OpenReadOnly(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_stream_open_read_only(name, 0, out var stream));
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
    /// Chooses which frames this object's waits give: the newest, as at first, or every frame, from the next one or from the
    /// oldest one on that the stream still has. Frames that are open stay as they are.
    /// </summary>
    /// <remarks>
    /// A reader of every frame is owed each frame until it has taken it, is disposed of, or its process has ended. What the
    /// writer does meanwhile is the stream's <see cref="SegmentInfo.WhenBehind"/>.
    /// </remarks>
    /// <param name="delivery">Which frames.</param>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="ShmCvPermissionException">The stream was opened read-only, and is not one of
    /// <see cref="WhenBehind.Drop"/>.</exception>
    /// <exception cref="ShmCvInvalidException"><paramref name="delivery"/> is unknown.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Deliver(Delivery delivery)
    {
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_deliver(call.Handle, (int)delivery));
    }

    /// <summary>
    /// Sets for how long a wait on this object watches for a frame before it sleeps: 20 µs at first. To wake a thread takes
    /// some microseconds, which a frame that comes soon saves.
    /// </summary>
    /// <remarks>
    /// A reader that has a processor for itself may watch for longer, and occupies that processor. A blocking wait watches
    /// again every 50 ms, when it has looked at its token. On a machine with one processor no wait watches.
    /// </remarks>
    /// <param name="time">The time, in whole microseconds, up to 71 minutes.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative or longer.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Spin(TimeSpan time)
    {
        var microseconds = time.Ticks / TimeSpan.TicksPerMicrosecond;
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(microseconds, uint.MaxValue, nameof(time));
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_spin(call.Handle, (uint)microseconds));
    }

    /// <summary>
    /// Lets waits on this object throw <see cref="ShmCvWriterGoneException"/> when there is no further frame and no program
    /// that writes, or not, as at first. The writer is disposed of, has been killed, or there has been none yet. A wait
    /// that sleeps is told within some 2 ms.
    /// </summary>
    /// <param name="heed">True to be told.</param>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void HeedWriter(bool heed = true)
    {
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_heed_writer(call.Handle, heed ? 1 : 0));
    }

    /// <summary>Waits until a program writes to the stream: has begun a frame.</summary>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <exception cref="ShmCvReplacedException">There is no writer, and another stream has the name.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public void WaitWriter(CancellationToken cancellationToken = default)
    {
        var wait = default(WriterWait);
        _ = Slice.Repeat(Handle, Timeout.Infinite, ref wait, cancellationToken);
    }

    /// <summary>Does as <see cref="WaitWriter"/>, for a limited time.</summary>
    /// <param name="milliseconds">The time. 0 does not wait; a negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>False if the time is up.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public bool TryWaitWriter(int milliseconds, CancellationToken cancellationToken = default)
    {
        var wait = default(WriterWait);
        return Slice.Repeat(Handle, milliseconds, ref wait, cancellationToken);
    }

    /// <summary>
    /// Tells all readers that no frame follows. They get the frames that are there; then their loops end, and their waits
    /// throw <see cref="ShmCvEndedException"/>. An object that has begun no frame yet becomes the stream's writer by this.
    /// The stream goes on if its writer, or the next one, begins another frame.
    /// </summary>
    /// <exception cref="ShmCvBusyException">There is another writer, or a frame is begun and neither published nor disposed
    /// of.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void End()
    {
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_end(call.Handle));
    }

    /// <summary>
    /// Returns a frame's <see cref="Frame.TimeNs"/> or <see cref="Frame.CaptureTimeNs"/> as a time in UTC, as the clocks were
    /// at the stream's creation.
    /// </summary>
    /// <param name="timeNs">The time, in nanoseconds of <see cref="FrameClock"/>.</param>
    /// <returns>The time, in whole ticks of 100 ns.</returns>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public DateTimeOffset Utc(long timeNs)
    {
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_stream_info(call.Handle, out var info));
        return DateTimeOffset.UnixEpoch.AddTicks((timeNs + info.UtcOffsetNs) / TimeSpan.NanosecondsPerTick);
    }

    /// <summary>
    /// Returns a frame to fill and to publish, in a free slot. This object becomes the stream's writer with its first
    /// frame, and stays the writer until it is disposed of. In a stream of <see cref="WhenBehind.Block"/> the method waits
    /// for a slot; in other streams there has to be one.
    /// </summary>
    /// <remarks><see cref="NewFrame.Next"/> makes a loop that allocates nothing.</remarks>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>
    /// The frame, without an image yet. If it is disposed of before it is published, no reader ever sees it.
    /// </returns>
    /// <exception cref="ShmCvBusyException">There is another writer, the frame begun before is still open, or there is no
    /// slot, because readers hold them, or are behind; the message says which.</exception>
    /// <exception cref="ShmCvReplacedException">The stream's name was cleared, and another stream has the name.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public NewFrame Begin(CancellationToken cancellationToken = default) =>
        TryBegin(Timeout.Infinite, cancellationToken)!;

    /// <summary>Does as <see cref="Begin"/>, for a limited time.</summary>
    /// <param name="milliseconds">The time. With 0 the method does not wait in any stream: if there is no slot, it throws
    /// <see cref="ShmCvBusyException"/>. A negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The frame, or null if the time is up in a stream of <see cref="WhenBehind.Block"/>.</returns>
    /// <exception cref="ShmCvBusyException">There is another writer, the frame begun before is still open, or there is no
    /// slot in a stream in which the writer does not wait; the message says which.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public NewFrame? TryBegin(int milliseconds, CancellationToken cancellationToken = default)
    {
        var wait = default(SlotWait);
        return TakeSlot(ref wait, milliseconds, cancellationToken) ? new NewFrame(this, wait.Frame) : null;
    }

    /// <summary>
    /// Does as <see cref="Begin"/>, and keeps the caller's thread free while it waits for a slot. The wait occupies a thread of
    /// the pool, one for each stream, because a stream has one writer. If there is a slot, no thread is occupied.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>
    /// The frame, without an image yet. If it is disposed of before it is published, no reader ever sees it.
    /// </returns>
    /// <exception cref="ShmCvReplacedException">The stream's name was cleared, and another stream has the name.</exception>
    /// <exception cref="ShmCvBusyException">There is another writer, the frame begun before is still open, or there is no
    /// slot in a stream in which the writer does not wait; the message says which.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public async Task<NewFrame> BeginAsync(CancellationToken cancellationToken = default) =>
        new(this, await TakeSlotAsync(mover: null, cancellationToken).ConfigureAwait(false));

    /// <summary>Copies pixels of the caller into a new frame, and publishes it.</summary>
    /// <param name="pixels">The pixels, at least <see cref="ImageInfo.Size"/> bytes of
    /// <paramref name="layout"/>.</param>
    /// <param name="layout">The description of <paramref name="pixels"/>.</param>
    /// <param name="order">The colour order of the frame. The conversions are those of
    /// <see cref="Pixels.Read(Span{byte}, ImageInfo)"/>.</param>
    /// <param name="cancellationToken">Ends the wait for a slot, in a stream of <see cref="WhenBehind.Block"/>.</param>
    /// <returns>The number of the frame.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Begin"/>,
    /// <see cref="WritablePixels.Write"/> and <see cref="NewFrame.Publish"/>. Nothing is published then.</exception>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> is too short.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public unsafe long Publish(
        ReadOnlySpan<byte> pixels, ImageInfo layout, ColorOrder order, CancellationToken cancellationToken = default)
    {
        Argument.Room(pixels.Length, layout, nameof(pixels));
        var wait = default(SlotWait);
        _ = TakeSlot(ref wait, Timeout.Infinite, cancellationToken);
        var published = false;
        try
        {
            fixed (byte* source = pixels)
            {
                var native = layout.ToNative();
                Error.Check(NativeMethods.shmcv_write(wait.Frame, native, source, (ulong)pixels.Length, (int)order));
            }

            Error.Check(NativeMethods.shmcv_frame_publish(wait.Frame, out var sequence));
            published = true;
            return (long)sequence;
        }
        finally
        {
            if (!published)
            {
                _ = NativeMethods.shmcv_frame_close(wait.Frame);
            }
        }
    }

    /// <summary>
    /// Waits for a frame with a number greater than <paramref name="newerThan"/>, and returns the newest, or the next one if
    /// this object reads every frame; see <see cref="Deliver"/>.
    /// </summary>
    /// <param name="newerThan">0 accepts any frame. With the last frame's <see cref="Frame.Sequence"/>, each frame is
    /// seen once.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The frame, which stays as it is until it is disposed of.</returns>
    /// <exception cref="ShmCvEndedException">The writer has ended the stream, and there is no further frame.</exception>
    /// <exception cref="ShmCvReplacedException">The name was cleared, another stream has it, and there is no further frame
    /// here; see <see cref="Follow"/>.</exception>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public Frame Wait(long newerThan = 0, CancellationToken cancellationToken = default) =>
        WaitFor(newerThan, Timeout.Infinite, throwAtEnd: true, cancellationToken)!;

    /// <summary>Does as <see cref="Wait"/>, for a limited time.</summary>
    /// <param name="newerThan">0 accepts any frame. With the last frame's <see cref="Frame.Sequence"/>, each frame is
    /// seen once.</param>
    /// <param name="milliseconds">The time. 0 does not sleep, and a negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The frame, or null if the time is up.</returns>
    /// <exception cref="ShmCvEndedException">The writer has ended the stream, and there is no further frame.</exception>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public Frame? TryWait(long newerThan, int milliseconds, CancellationToken cancellationToken = default) =>
        WaitFor(newerThan, milliseconds, throwAtEnd: true, cancellationToken);

    /// <summary>
    /// Does as <see cref="Wait"/>, and occupies no thread meanwhile. One thread sleeps for all asynchronous waits of the
    /// process, and the continuation runs in the caller's context.
    /// </summary>
    /// <param name="newerThan">0 accepts any frame. With the last frame's <see cref="Frame.Sequence"/>, each frame is
    /// seen once.</param>
    /// <param name="cancellationToken">Ends the wait. No frame is taken then.</param>
    /// <returns>The frame, which stays as it is until it is disposed of.</returns>
    /// <exception cref="ShmCvEndedException">The writer has ended the stream, and there is no further frame.</exception>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the
    /// wait.</exception>
    public async Task<Frame> WaitAsync(long newerThan = 0, CancellationToken cancellationToken = default) =>
        (await NextAsync(newerThan, throwAtEnd: true, cancellationToken).ConfigureAwait(false))!;

    /// <summary>
    /// Returns the frames to come, until the writer ends the stream. Each is disposed of when the next one is asked for.
    /// </summary>
    /// <remarks><see cref="Frame.Next"/> makes a loop that allocates nothing.</remarks>
    /// <param name="newerThan">The number of the last frame that is not wanted.</param>
    /// <param name="follow">What to do when the name is cleared and another stream gets it: with true, the loop goes on with
    /// that stream, as <see cref="Follow"/> does. <see cref="Frame.Stream"/> is another object from then on, and
    /// <see cref="Frame.Sequence"/> begins at 1. With false, the loop throws
    /// <see cref="ShmCvReplacedException"/>.</param>
    /// <param name="cancellationToken">Ends the wait, and so the loop, by an
    /// <see cref="OperationCanceledException"/>.</param>
    /// <returns>The frames.</returns>
    public IEnumerable<Frame> Frames(
        long newerThan = 0, bool follow = false, CancellationToken cancellationToken = default)
    {
        using var source = new FrameSource(this, newerThan, follow);
        while (source.Next(cancellationToken) is { } next)
        {
            using var frame = next;
            yield return frame;
        }
    }

    /// <summary>
    /// Returns the frames to come, for <c>await foreach</c>, until the writer ends the stream. No thread is occupied while
    /// the loop waits. Each frame is disposed of when the next one is asked for.
    /// </summary>
    /// <remarks>
    /// The loop gives way to other work of its thread at every second frame, also if frames are always ready, so that a
    /// user interface stays alive. It runs in the context of the caller.
    /// </remarks>
    /// <param name="newerThan">The number of the last frame that is not wanted.</param>
    /// <param name="follow">As for <see cref="Frames"/>.</param>
    /// <param name="cancellationToken">Ends the loop by an <see cref="OperationCanceledException"/>, before the next
    /// frame is taken.</param>
    /// <returns>The frames. The loop throws <see cref="ObjectDisposedException"/> when this object is disposed
    /// of.</returns>
    public async IAsyncEnumerable<Frame> FramesAsync(
        long newerThan = 0, bool follow = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var source = new FrameSource(this, newerThan, follow);
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

            var waiting = source.NextAsync(cancellationToken);
            atOnce = !atOnce && waiting.IsCompleted;
            using var frame = await waiting.ConfigureAwait(false);
            if (frame is null)
            {
                yield break;
            }

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
        lock (_followed)
        {
            _followed.ForEach(stream => stream.Dispose());
        }
    }

    /// <summary>Returns the stream's name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;

    /// <summary>Waits for a frame, for a time in milliseconds, without an end if it is negative.</summary>
    /// <param name="wait">What to wait for. It gets the frame.</param>
    /// <param name="milliseconds">The time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False if the time is up.</returns>
    internal bool Take(ref FrameWait wait, int milliseconds, CancellationToken cancellationToken) =>
        Slice.Repeat(Handle, milliseconds, ref wait, cancellationToken);

    /// <summary>Waits for a slot to fill, for a time in milliseconds, without an end if it is negative.</summary>
    /// <param name="wait">The wait. It gets the frame.</param>
    /// <param name="milliseconds">The time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False if the time is up.</returns>
    internal bool TakeSlot(ref SlotWait wait, int milliseconds, CancellationToken cancellationToken) =>
        Slice.Repeat(Handle, milliseconds, ref wait, cancellationToken);

    /// <summary>Gives a frame to fill: at once if there is a slot, otherwise on a thread of the pool.</summary>
    /// <param name="mover">The object that is to have the frame, if there is one. Its disposal ends the wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The frame.</returns>
    internal async ValueTask<ulong> TakeSlotAsync(IMover? mover, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wait = new SlotWait(mover);
        if (wait.Try(Handle.Borrowed, 0) == ErrorCode.OK)
        {
            return wait.Frame;
        }

        // The thread of the pool also gets the error if this is no matter of time.
        return await TakeSlotOnThePool(mover, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Completes when there may be a frame with a number above <paramref name="newerThan"/>; see
    /// <see cref="Waits.OnStream"/>.
    /// </summary>
    internal Task News(long newerThan, NativeHandle? waiter, CancellationToken cancellationToken) =>
        Waits.OnStream(Handle, newerThan, waiter, cancellationToken);

    // The lambda allocates memory, which TakeSlotAsync therefore leaves to this method.
    private Task<ulong> TakeSlotOnThePool(IMover? mover, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            var wait = new SlotWait(mover);
            _ = TakeSlot(ref wait, Timeout.Infinite, cancellationToken);
            return wait.Frame;
        },
        CancellationToken.None);

    private Frame? WaitFor(long newerThan, int milliseconds, bool throwAtEnd, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newerThan);
        var wait = new FrameWait((ulong)newerThan, throwAtEnd);
        return Take(ref wait, milliseconds, cancellationToken) && !wait.Ended ? new Frame(this, wait) : null;
    }

    private async Task<Frame?> NextAsync(long newerThan, bool throwAtEnd, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newerThan);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryTake(out var frame))
            {
                return frame;
            }

            await News(newerThan, waiter: null, cancellationToken).ConfigureAwait(false);
        }

        bool TryTake(out Frame? frame)
        {
            var wait = new FrameWait((ulong)newerThan, throwAtEnd);
            var over = Take(ref wait, 0, CancellationToken.None);
            frame = over && !wait.Ended ? new Frame(this, wait) : null;
            return over;
        }
    }

    private FrameStream? FollowIn(int milliseconds, CancellationToken cancellationToken)
    {
        var wait = default(FollowWait);
        return Slice.Repeat(Handle, milliseconds, ref wait, cancellationToken) ? new FrameStream(Name, wait.Stream) : null;
    }

    private const int LookEvery = 5; // milliseconds, while an asynchronous method waits for a name

    // With a time of 0 the library finds nothing, which is no error here.
    private static ErrorCode Later(ErrorCode code) => code == ErrorCode.NotFound ? ErrorCode.Timeout : code;

    private struct NameWait(string name) : Slice.IWait
    {
        internal ulong Stream;

        public ErrorCode Try(ulong handle, int milliseconds) =>
            Later(NativeMethods.shmcv_stream_open(name, milliseconds, out Stream));
    }

    private struct FollowWait : Slice.IWait
    {
        internal ulong Stream;

        public ErrorCode Try(ulong handle, int milliseconds) =>
            Later(NativeMethods.shmcv_stream_follow(handle, milliseconds, out Stream));
    }

    /// <summary>Where a loop over frames is: in the stream that it began with, or in one that it has followed.</summary>
    private sealed class FrameSource(FrameStream first, long newerThan, bool follow) : IDisposable
    {
        private readonly FrameStream _first = first;
        private FrameStream _current = first;
        private long _newerThan = newerThan;

        public void Dispose() => Leave(_current);

        internal Frame? Next(CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    return Note(_current.WaitFor(_newerThan, Timeout.Infinite, throwAtEnd: false, cancellationToken));
                }
                catch (ShmCvReplacedException) when (follow)
                {
                    GoOnWith(_current.Follow(cancellationToken));
                }
            }
        }

        internal async Task<Frame?> NextAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    return Note(await _current.NextAsync(_newerThan, throwAtEnd: false, cancellationToken).ConfigureAwait(false));
                }
                catch (ShmCvReplacedException) when (follow)
                {
                    GoOnWith(await _current.FollowAsync(cancellationToken).ConfigureAwait(false));
                }
            }
        }

        private Frame? Note(Frame? frame)
        {
            _newerThan = frame?.Sequence ?? _newerThan;
            return frame;
        }

        private void GoOnWith(FrameStream next)
        {
            lock (_first._followed)
            {
                _first._followed.Add(next);
            }

            Leave(_current);
            _current = next;
            _newerThan = 0;
            if (_first.Handle.IsDisposed)
            {
                next.Dispose(); // another thread may have disposed of the first one before the new one was in its list
            }
        }

        private void Leave(FrameStream stream)
        {
            if (stream == _first)
            {
                return;
            }

            lock (_first._followed)
            {
                _ = _first._followed.Remove(stream);
            }

            stream.Dispose();
        }
    }

    private struct WriterWait : Slice.IWait
    {
        public readonly ErrorCode Try(ulong handle, int milliseconds) =>
            NativeMethods.shmcv_stream_wait_writer(handle, milliseconds);
    }
}

/// <summary>An object that becomes one frame after the other.</summary>
internal interface IMover
{
    /// <summary>Throws <see cref="ObjectDisposedException"/> if the object is disposed of.</summary>
    void ThrowIfDisposed();
}

/// <summary>A wait for a slot to fill.</summary>
internal struct SlotWait(IMover? mover) : Slice.IWait
{
    internal ulong Frame;

    public ErrorCode Try(ulong handle, int milliseconds)
    {
        mover?.ThrowIfDisposed();
        return NativeMethods.shmcv_stream_begin(handle, milliseconds, out Frame);
    }
}

/// <summary>A wait for a frame. At the end of the stream it throws or is over, as its maker wants.</summary>
internal struct FrameWait(ulong newerThan, bool throwAtEnd, IMover? mover = null) : Slice.IWait
{
    internal ulong Frame;
    internal ShmcvFrameInfo Info;

    internal bool Ended { get; private set; }

    public ErrorCode Try(ulong handle, int milliseconds)
    {
        mover?.ThrowIfDisposed();
        var code = NativeMethods.shmcv_stream_wait(handle, newerThan, milliseconds, out Frame, out Info);
        if (code != ErrorCode.Ended || throwAtEnd)
        {
            return code;
        }

        Ended = true;
        return ErrorCode.OK;
    }
}

/// <summary>What an object that becomes one frame after the other knows of that.</summary>
internal struct Moves
{
    private int _moving;
    private volatile bool _ended;

    /// <summary>Gives this thread the turn to make the object another frame, until <see cref="Leave"/>.</summary>
    /// <exception cref="InvalidOperationException">Another thread has the turn.</exception>
    internal void Enter()
    {
        if (Interlocked.Exchange(ref _moving, 1) != 0)
        {
            throw new InvalidOperationException("Another thread waits for the frame that follows this one.");
        }
    }

    internal void Leave() => Volatile.Write(ref _moving, 0);

    /// <summary>Notes that the object is disposed of, before its handle is.</summary>
    internal void End()
    {
        _ended = true;
        Interlocked.MemoryBarrier();
    }

    /// <exception cref="ObjectDisposedException">The object is disposed of.</exception>
    internal readonly void ThrowIfEnded(object mover) => ObjectDisposedException.ThrowIf(_ended, mover);

    /// <summary>Lets a handle take over a frame for the object.</summary>
    /// <exception cref="ObjectDisposedException">The object, or its stream, is disposed of. The frame is closed.</exception>
    internal readonly void TakeOver(NativeHandle handle, ulong frame, object mover)
    {
        var taken = handle.TakeOver(frame);
        if (taken && _ended)
        {
            handle.CloseNow(); // another thread has disposed of the object, and may have seen the handle before
            handle.Dispose();
        }

        ObjectDisposedException.ThrowIf(!taken || _ended, mover);
    }
}

/// <summary>
/// A frame to read. It stays as it is until it is disposed of, and until no view or bitmap of it is left, if it is
/// <see cref="Held"/>.
/// </summary>
/// <remarks>Dispose of frames soon: a stream has few slots. Members may be called from every thread.</remarks>
public sealed class Frame : Pixels, IMover
{
    private readonly FrameStream _stream;
    private byte[] _metadata = [];
    private int _metadataSize;
    private long _metadataOf; // the number of the frame whose metadata have been copied
    private Moves _moves;

    internal Frame(FrameStream stream, in FrameWait wait)
        : base(stream.Name, new NativeHandle(wait.Frame, NativeMethods.shmcv_frame_close, typeof(Frame)))
    {
        _stream = stream;
        Describe(wait.Info);
    }

    /// <summary>
    /// The stream that the frame is of. In a loop that follows, another object than before tells that the numbers of frames
    /// begin anew.
    /// </summary>
    public FrameStream Stream => _stream;

    /// <summary>The frame's number: 1 for the stream's first, then 1 more for each, across writers.</summary>
    public long Sequence { get; private set; }

    /// <summary>
    /// The time at which the frame was published, in nanoseconds of <see cref="FrameClock"/>, which converts it for a
    /// <see cref="System.Diagnostics.Stopwatch"/> too.
    /// </summary>
    public long TimeNs { get; private set; }

    /// <summary>
    /// The number of frames that this reader has missed: after <c>newerThan</c> of the wait, after it opened the stream, and
    /// before this frame.
    /// </summary>
    public long Missed { get; private set; }

    /// <summary>
    /// The time at which the picture was captured, as its writer has told, in nanoseconds of <see cref="FrameClock"/>; 0 if
    /// the writer has not.
    /// </summary>
    public long CaptureTimeNs { get; private set; }

    /// <summary>
    /// True if no program writes to the frame until it is disposed of. False if the stream was opened read-only: the writer
    /// may write over the frame at any time; see <see cref="Check"/>.
    /// </summary>
    public bool Held { get; private set; }

    /// <summary>
    /// The metadata that the writer has given the frame: at most <see cref="Constants.MaxMetadata"/> bytes, a copy that is
    /// made at the first look. It is valid until <see cref="Next"/>.
    /// </summary>
    /// <exception cref="ShmCvOvertakenException">The writer has begun to write over the frame, which is not
    /// <see cref="Held"/>.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ReadOnlySpan<byte> Metadata
    {
        get
        {
            var sequence = Sequence;
            using var call = Handle.Use();
            if (_metadataOf != sequence)
            {
                CopyMetadata(call);
                _metadataOf = sequence;
            }

            return _metadata.AsSpan(0, _metadataSize);
        }
    }

    /// <summary>
    /// Returns if all that was read of the frame before, by spans, views and bitmaps too, is of this frame. So it is of a
    /// frame that is <see cref="Held"/>.
    /// </summary>
    /// <example>
    /// <code>
    /// using var frame = stream.Wait(newest);
    /// var brightness = Mean(frame.AsSpan());
    /// frame.Check(); // or brightness may be of two frames
    /// </code>
    /// </example>
    /// <exception cref="ShmCvOvertakenException">The writer has begun to write over the frame.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Check()
    {
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_frame_check(call.Handle));
    }

    /// <summary>Returns the metadata as an object, of which they are the JSON.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="typeInfo">How the type is read: a property of a class that derives from
    /// <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>The object, or the default value if the frame has no metadata.</returns>
    /// <exception cref="JsonException">The metadata are no JSON of the type.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public T? MetadataAs<T>(JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        var metadata = Metadata;
        return metadata.IsEmpty ? default : JsonSerializer.Deserialize(metadata, typeInfo);
    }

    /// <summary>
    /// Gives this frame back, waits for the stream's next one as <see cref="FrameStream.Wait"/> does with this frame's
    /// <see cref="Sequence"/>, and makes this object that frame. A loop needs one object for all of its frames, and leaves
    /// the garbage collector nothing to do.
    /// </summary>
    /// <remarks>
    /// <para>Spans of the frame before are invalid. Its views and bitmaps stay valid, and keep its slot until they are
    /// disposed of.</para>
    /// <para>While the method waits, and after it has returned false or thrown, the object has no frame: members that need
    /// one throw <see cref="ObjectDisposedException"/>, and the method may be called again. <see cref="Pixels.Dispose"/>
    /// ends the wait, within 100 ms.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// using var frame = stream.Wait();
    /// do
    /// {
    ///     LookAt(frame.AsSpan(), frame.Image);
    /// }
    /// while (frame.Next());
    /// </code>
    /// </example>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>False if the writer has ended the stream, and there is no further frame.</returns>
    /// <exception cref="ShmCvReplacedException">Another stream has got the name, and there is no further frame here; see
    /// <see cref="FrameStream.Follow"/>.</exception>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="InvalidOperationException">Another thread is in this method.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object, or its stream, is disposed, maybe by another thread during the
    /// wait, which ends within 100 ms then.</exception>
    public bool Next(CancellationToken cancellationToken = default)
    {
        _moves.Enter();
        try
        {
            GiveBack();
            var wait = new FrameWait((ulong)Sequence, throwAtEnd: false, this);
            _ = _stream.Take(ref wait, Timeout.Infinite, cancellationToken);
            return TakeOver(wait);
        }
        finally
        {
            _moves.Leave();
        }
    }

    /// <summary>Does as <see cref="Next"/>, for a limited time.</summary>
    /// <param name="milliseconds">The time. 0 does not sleep, and a negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>False if the time is up. The object has no frame then. To keep a frame until there is another one, use two
    /// objects, and <see cref="FrameStream.TryWait"/>.</returns>
    /// <exception cref="ShmCvEndedException">The writer has ended the stream, and there is no further frame.</exception>
    /// <exception cref="ShmCvReplacedException">Another stream has got the name, and there is no further frame here; see
    /// <see cref="FrameStream.Follow"/>.</exception>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="InvalidOperationException">Another thread waits for the frame that follows this one.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object, or its stream, is disposed, maybe by another thread during the
    /// wait, which ends within 100 ms then.</exception>
    public bool TryNext(int milliseconds, CancellationToken cancellationToken = default)
    {
        _moves.Enter();
        try
        {
            GiveBack();
            var wait = new FrameWait((ulong)Sequence, throwAtEnd: true, this);
            return _stream.Take(ref wait, milliseconds, cancellationToken) && TakeOver(wait);
        }
        finally
        {
            _moves.Leave();
        }
    }

    /// <summary>
    /// Does as <see cref="Next"/>, and occupies no thread meanwhile. If the next frame is there, the method allocates no
    /// memory, and the task is completed.
    /// </summary>
    /// <remarks>The continuation runs in the caller's context. <see cref="FrameStream.FramesAsync"/> gives other work of that
    /// context its turn even if frames are always ready; a loop over this method does not.</remarks>
    /// <param name="cancellationToken">Ends the wait. No frame is taken then.</param>
    /// <returns>False if the writer has ended the stream, and there is no further frame.</returns>
    /// <exception cref="ShmCvReplacedException">Another stream has got the name, and there is no further frame here; see
    /// <see cref="FrameStream.Follow"/>.</exception>
    /// <exception cref="ShmCvBusyException">63 others read the stream.</exception>
    /// <exception cref="InvalidOperationException">Another thread waits for the frame that follows this one.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object, or its stream, is disposed, maybe by another thread during the
    /// wait.</exception>
    public async ValueTask<bool> NextAsync(CancellationToken cancellationToken = default)
    {
        _moves.Enter();
        try
        {
            GiveBack();
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var wait = new FrameWait((ulong)Sequence, throwAtEnd: false, this);
                if (_stream.Take(ref wait, 0, CancellationToken.None))
                {
                    return TakeOver(wait);
                }

                await _stream.News(Sequence, Handle, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _moves.Leave();
        }
    }

    void IMover.ThrowIfDisposed() => _moves.ThrowIfEnded(this);

    private protected override void BeforeDispose() => _moves.End();

    private void GiveBack()
    {
        _moves.ThrowIfEnded(this);
        Handle = Handle.MoveOn();
    }

    /// <summary>Makes this object the frame of a wait that is over.</summary>
    /// <returns>False if it is over because the stream has ended.</returns>
    private bool TakeOver(in FrameWait wait)
    {
        if (wait.Ended)
        {
            return false;
        }

        Describe(wait.Info);
        _moves.TakeOver(Handle, wait.Frame, this);
        return true;
    }

    private void Describe(in ShmcvFrameInfo info)
    {
        Sequence = (long)info.Sequence;
        TimeNs = (long)info.TimeNs;
        Missed = (long)info.Missed;
        CaptureTimeNs = (long)info.CaptureTimeNs;
        _metadataSize = (int)info.MetadataSize;
        Held = info.Held != 0;
    }

    private unsafe void CopyMetadata(NativeHandle.Call call)
    {
        if (_metadataSize == 0)
        {
            return;
        }

        if (_metadata.Length < _metadataSize)
        {
            _metadata = new byte[_metadataSize];
        }

        fixed (byte* buffer = _metadata)
        {
            Error.Check(NativeMethods.shmcv_frame_metadata(call.Handle, buffer, (ulong)_metadata.Length, out _));
        }
    }
}

/// <summary>
/// A frame to fill and to publish. If it is disposed of before it is published, its slot is given back, and no reader
/// ever sees it.
/// </summary>
/// <remarks>
/// The memory holds anything at first. When the frame is published, views of it must not be written to any more.
/// </remarks>
public sealed class NewFrame : WritablePixels, IMover
{
    private readonly FrameStream _stream;
    private Moves _moves;

    internal NewFrame(FrameStream stream, ulong frame)
        : base(stream.Name, new NativeHandle(frame, NativeMethods.shmcv_frame_close, typeof(NewFrame), stream.Handle)) =>
        _stream = stream;

    /// <summary>
    /// Gives the frame the time at which its picture was captured, and no metadata; see
    /// <see cref="Describe(long, ReadOnlySpan{byte})"/>.
    /// </summary>
    /// <inheritdoc cref="Describe(long, ReadOnlySpan{byte})" path="/param[@name='captureTimeNs']"/>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="captureTimeNs"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The frame is published or disposed of already.</exception>
    public void Describe(long captureTimeNs) => Describe(captureTimeNs, []);

    /// <summary>
    /// Gives the frame the time at which its picture was captured, and metadata, which mean what the programs make of them.
    /// Readers get both with the frame. Each call replaces what the one before has given.
    /// </summary>
    /// <param name="captureTimeNs">The time, in nanoseconds of <see cref="FrameClock"/>; 0 says
    /// nothing.</param>
    /// <param name="metadata">At most <see cref="Constants.MaxMetadata"/> bytes.</param>
    /// <exception cref="ShmCvLimitException">There are more bytes.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="captureTimeNs"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The frame is published or disposed of already.</exception>
    public unsafe void Describe(long captureTimeNs, ReadOnlySpan<byte> metadata)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(captureTimeNs);
        using var call = Handle.Use();
        fixed (byte* buffer = metadata)
        {
            Error.Check(NativeMethods.shmcv_frame_describe(call.Handle, (ulong)captureTimeNs, buffer, (ulong)metadata.Length));
        }
    }

    /// <summary>
    /// Does as <see cref="Describe(long, ReadOnlySpan{byte})"/>, with the JSON of an object as metadata; see
    /// <see cref="Frame.MetadataAs"/>.
    /// </summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="captureTimeNs">The time, in nanoseconds of <see cref="FrameClock"/>; 0 says
    /// nothing.</param>
    /// <param name="metadata">The object. Its JSON has at most <see cref="Constants.MaxMetadata"/> bytes.</param>
    /// <param name="typeInfo">How the type is written: a property of a class that derives from
    /// <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <exception cref="ShmCvLimitException">There are more bytes.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="captureTimeNs"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The frame is published or disposed of already.</exception>
    public void Describe<T>(long captureTimeNs, T metadata, JsonTypeInfo<T> typeInfo) =>
        Describe(captureTimeNs, JsonSerializer.SerializeToUtf8Bytes(metadata, typeInfo));

    /// <summary>
    /// Makes the frame the stream's newest, and wakes the readers that wait for one. This object has no frame then, and need
    /// not be disposed of; <see cref="Next"/> begins another one in it.
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

        Handle = Handle.MoveOn();
        return (long)sequence;
    }

    /// <summary>
    /// Begins the stream's next frame as <see cref="FrameStream.Begin"/> does, and makes this object that frame. A loop needs
    /// one object for all of its frames, and leaves the garbage collector nothing to do. A frame that is not published is
    /// given back first, and no reader ever sees it.
    /// </summary>
    /// <remarks>
    /// <para>Spans of the frame before are invalid.</para>
    /// <para>While the method waits, and after it has thrown, the object has no frame: members that need one throw
    /// <see cref="ObjectDisposedException"/>, and the method may be called again. <see cref="Pixels.Dispose"/> ends the wait,
    /// within 100 ms.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// using var frame = stream.Begin();
    /// while (true)
    /// {
    ///     camera.CopyTo(frame.AsSpan());
    ///     frame.Image = camera.Image;
    ///     frame.Publish();
    ///     frame.Next(stop);
    /// }
    /// </code>
    /// </example>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <exception cref="ShmCvReplacedException">The stream's name was cleared, and another stream has the name.</exception>
    /// <exception cref="ShmCvBusyException">There is another writer, or there is no slot, because readers hold them, or are
    /// behind; the message says which.</exception>
    /// <exception cref="InvalidOperationException">Another thread is in this method.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object, or its stream, is disposed, maybe by another thread during the
    /// wait, which ends within 100 ms then.</exception>
    public void Next(CancellationToken cancellationToken = default) => TryNext(Timeout.Infinite, cancellationToken);

    /// <summary>Does as <see cref="Next"/>, for a limited time.</summary>
    /// <param name="milliseconds">The time. With 0 the method does not wait in any stream: if there is no slot, it throws
    /// <see cref="ShmCvBusyException"/>. A negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>False if the time is up in a stream of <see cref="WhenBehind.Block"/>. The object has no frame then.</returns>
    /// <exception cref="ShmCvReplacedException">The stream's name was cleared, and another stream has the name.</exception>
    /// <exception cref="ShmCvBusyException">There is another writer, or there is no slot in a stream in which the writer does
    /// not wait; the message says which.</exception>
    /// <exception cref="InvalidOperationException">Another thread waits for the frame that follows this one.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object, or its stream, is disposed, maybe by another thread during the
    /// wait, which ends within 100 ms then.</exception>
    public bool TryNext(int milliseconds, CancellationToken cancellationToken = default)
    {
        _moves.Enter();
        try
        {
            GiveBack();
            var wait = new SlotWait(this);
            if (!_stream.TakeSlot(ref wait, milliseconds, cancellationToken))
            {
                return false;
            }

            _moves.TakeOver(Handle, wait.Frame, this);
            return true;
        }
        finally
        {
            _moves.Leave();
        }
    }

    /// <summary>
    /// Does as <see cref="Next"/>, and keeps the caller's thread free while it waits for a slot; see
    /// <see cref="FrameStream.BeginAsync"/>. If there is a slot, the method allocates no memory, and the task is completed.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>A task that is over when this object is the next frame.</returns>
    /// <exception cref="ShmCvReplacedException">The stream's name was cleared, and another stream has the name.</exception>
    /// <exception cref="ShmCvBusyException">There is another writer, or there is no slot in a stream in which the writer does
    /// not wait; the message says which.</exception>
    /// <exception cref="InvalidOperationException">Another thread waits for the frame that follows this one.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object, or its stream, is disposed, maybe by another thread during the
    /// wait, which ends within 100 ms then.</exception>
    public async ValueTask NextAsync(CancellationToken cancellationToken = default)
    {
        _moves.Enter();
        try
        {
            GiveBack();
            var frame = await _stream.TakeSlotAsync(this, cancellationToken).ConfigureAwait(false);
            _moves.TakeOver(Handle, frame, this);
        }
        finally
        {
            _moves.Leave();
        }
    }

    void IMover.ThrowIfDisposed() => _moves.ThrowIfEnded(this);

    // The frame is closed now and not with its last view, because the writer could not begin another frame before that.
    private protected override void BeforeDispose()
    {
        _moves.End();
        Handle.CloseNow();
    }

    private void GiveBack()
    {
        _moves.ThrowIfEnded(this);
        if (!Handle.IsEmpty)
        {
            Handle.CloseNow(); // also if a view keeps the memory
            Handle = Handle.MoveOn();
        }
    }
}
