using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ShmCv;

/// <summary>
/// Frame after frame from one writer to any number of readers, in whatever processes and languages; each frame is seen
/// whole, and none is copied. A stream is a segment with a slot for each of a few frames.
/// </summary>
/// <remarks>
/// <para>The writer waits for nobody: a reader that is slower than the writer skips frames. Create a stream with a slot for each
/// reader, and 2 more. Who dies takes nothing with it: a frame that was not published is never seen, and the next writer
/// goes on with the next number.</para>
/// <para>Every member may be called from every thread at any time.</para>
/// </remarks>
/// <example>
/// <code>
/// using var stream = FrameStream.Create("cam0", 3840 * 2160 * 3);   // the writer
/// while (camera.Next() is { } file)
/// {
///     using var frame = stream.Begin();
///     frame.Image.Load(file);
///     frame.Publish();
/// }
///
/// using var stream = FrameStream.Open("cam0");                      // a reader
/// await foreach (var frame in stream.FramesAsync(cancellationToken: stop))
/// {
///     LookAt(frame.AsSpan(), frame.Image.Info);
/// }
/// </code>
/// </example>
[SuppressMessage("Naming", "CA1711", Justification = "A stream is what all bindings call it; System.IO's is for bytes.")]
public sealed class FrameStream : IDisposable
{
    private const int Slice = 100; // milliseconds: how soon a cancelled token is noticed

    private readonly SegmentHandle _handle;

    private FrameStream(string name, ulong segment)
    {
        Name = name;
        _handle = SegmentHandle.Own(segment);
    }

    /// <summary>The stream's name, by which other processes open it.</summary>
    public string Name { get; }

    /// <summary>What is known of the stream; its image is that of the newest frame.</summary>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public SegmentInfo SegmentInfo
    {
        get
        {
            using var call = _handle.Use();
            Error.Check(NativeMethods.shmcv_info(call.Segment, out var info));
            return SegmentInfo.From(info);
        }
    }

    /// <summary>Makes a stream and opens it. Its memory is reserved at once, and is for this user alone.</summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - with no dot at the beginning.</param>
    /// <param name="slotSize">The most bytes of pixels that a frame can have; rounded up to whole pages of 4096.</param>
    /// <param name="slots">2 to 16, or 0 for 4.</param>
    /// <returns>The stream, without a frame yet.</returns>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free than all slots need.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: the name breaks the rule, or so do size and slots.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slotSize"/> is not positive, or <paramref name="slots"/> is negative.</exception>
    public static FrameStream Create(string name, long slotSize, int slots = 0)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        Error.Check(NativeMethods.shmcv_create_stream(name, (ulong)slotSize, (uint)slots, out var stream));
        return new FrameStream(name, stream);
    }

    /// <summary>Opens a stream that somebody has created.</summary>
    /// <param name="name">The stream's name.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">It is not this user's, or no plain file.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: there is a segment of that name and no stream, or the
    /// name breaks the rule; <see cref="ErrorCode.Corrupt"/>: its metadata has been overwritten.</exception>
    public static FrameStream Open(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_open(name, out var segment));
        var stream = new FrameStream(name, segment);
        if (stream.SegmentInfo.Slots == 0)
        {
            stream.Dispose();
            throw new ShmCvException(ErrorCode.Invalid, $"shmcv: \"{name}\" is a segment and no stream; open it by SharedImage.Open");
        }

        return stream;
    }

    /// <summary>
    /// Gives a free slot to fill, and to publish. The first one makes this object the stream's writer, until it is disposed of.
    /// </summary>
    /// <returns>The frame, without an image yet. Disposed of unpublished, nobody has ever seen it.</returns>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Busy"/>: there is another writer, the frame before is still open,
    /// or readers hold all slots; the message tells which.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public NewFrame Begin()
    {
        using var call = _handle.Use();
        Error.Check(NativeMethods.shmcv_stream_begin(call.Segment, out var frame));
        return new NewFrame(Name, SegmentHandle.Own(frame, _handle));
    }

    /// <summary>Gives the newest frame of those with a number above <paramref name="newerThan"/>, once there is one.</summary>
    /// <param name="newerThan">0 for any frame; the last one's <see cref="Frame.Sequence"/> to see each once.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The frame, which stays as it is until it is disposed of.</returns>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Busy"/>: 64 frames of the stream are being read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe while it waited.</exception>
    public Frame Wait(long newerThan = 0, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryWait(newerThan, Slice) is { } frame)
            {
                return frame;
            }
        }
    }

    /// <summary>As <see cref="Wait"/>, but for a time.</summary>
    /// <param name="newerThan">0 for any frame; the last one's <see cref="Frame.Sequence"/> to see each once.</param>
    /// <param name="milliseconds">How long; 0 only looks, less waits without an end.</param>
    /// <returns>The frame; null when there is none by then.</returns>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Busy"/>: 64 frames of the stream are being read.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public Frame? TryWait(long newerThan, int milliseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newerThan);
        using var call = _handle.Use();
        var code = NativeMethods.shmcv_stream_wait(call.Segment, (ulong)newerThan, milliseconds, out var frame, out var info);
        if (code == ErrorCode.Timeout)
        {
            return null;
        }

        Error.Check(code);
        return new Frame(Name, SegmentHandle.Own(frame, _handle), info);
    }

    /// <summary>The frames to come; each is disposed of when the next one is asked for.</summary>
    /// <param name="newerThan">The number of the last frame that is not wanted.</param>
    /// <param name="cancellationToken">Ends the wait, and with it the loop by an exception.</param>
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

    /// <summary>The frames to come, waited for on a thread of the pool; each is disposed of when the next one is asked for.</summary>
    /// <param name="newerThan">The number of the last frame that is not wanted.</param>
    /// <param name="cancellationToken">Ends the wait, and with it the loop by an exception.</param>
    /// <returns>Frames without an end.</returns>
    public async IAsyncEnumerable<Frame> FramesAsync(long newerThan = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var after = newerThan;
            using var frame = TryWait(after, 0)
                ?? await Task.Run(() => Wait(after, cancellationToken), cancellationToken).ConfigureAwait(false);
            newerThan = frame.Sequence;
            yield return frame;
        }
    }

    /// <summary>
    /// Ends this object's use of the stream. Frames live on; when those that were begun are disposed of too, the next writer
    /// may begin. It may be called any number of times. The stream itself stays, under its name.
    /// </summary>
    public void Dispose() => _handle.Dispose();

    /// <summary>The stream's name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}

/// <summary>A frame to read. It stays as it is until it is disposed of, and until no view or bitmap of it is left.</summary>
/// <remarks>Dispose of frames soon: a stream has few slots. Members may be called from every thread.</remarks>
public sealed class Frame : IDisposable
{
    internal Frame(string name, SegmentHandle handle, in ShmcvFrameInfo info)
    {
        Image = new SharedImage(name, handle);
        Sequence = (long)info.Sequence;
        Timestamp = (long)info.Time;
        Missed = (long)info.Missed;
    }

    /// <summary>
    /// The pixels, with everything that reads a <see cref="SharedImage"/>: save, show, copy, flip into another, view as a
    /// bitmap. What would change them throws a <see cref="ShmCvException"/> with <see cref="ErrorCode.Invalid"/>.
    /// </summary>
    public SharedImage Image { get; }

    /// <summary>The frame's number: 1 for the stream's first, then 1 more each, whoever writes.</summary>
    public long Sequence { get; }

    /// <summary>When it was published: CLOCK_MONOTONIC in nanoseconds, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> on Linux.</summary>
    public long Timestamp { get; }

    /// <summary>How many frames were published between the one that was waited beyond and this one.</summary>
    public long Missed { get; }

    /// <summary>The slot's memory, in place; valid until the frame is disposed of.</summary>
    /// <returns>All bytes of the slot: the pixel (x, y) starts at byte <c>y * Stride + x * BytesPerPixel</c>.</returns>
    /// <exception cref="ObjectDisposedException">The frame is disposed.</exception>
    public ReadOnlySpan<byte> AsSpan() => Image.AsSpan();

    /// <summary>Gives the frame back, so that its slot can be written to. It may be called any number of times.</summary>
    public void Dispose() => Image.Dispose();
}

/// <summary>A frame to fill and to publish. Disposed of unpublished, it is given back, and nobody has ever seen it.</summary>
/// <remarks>Views of it must not be written to any more once it is published.</remarks>
public sealed class NewFrame : IDisposable
{
    private readonly SegmentHandle _handle;

    internal NewFrame(string name, SegmentHandle handle)
    {
        _handle = handle;
        Image = new SharedImage(name, handle);
    }

    /// <summary>The pixels to be, with everything that a <see cref="SharedImage"/> does: load, write, flip into it.</summary>
    public SharedImage Image { get; }

    /// <summary>The slot's memory, in place; set <see cref="SharedImage.Info"/> of <see cref="Image"/> to say what it means.</summary>
    /// <returns>All bytes of the slot. What is in them before they are written is undefined.</returns>
    /// <exception cref="ObjectDisposedException">The frame is published or disposed of.</exception>
    public Span<byte> AsSpan() => Image.AsSpan();

    /// <summary>Makes it the stream's newest frame, wakes those who wait for one, and closes it.</summary>
    /// <returns>The number that it got.</returns>
    /// <exception cref="ShmCvNoImageException">Nothing has said what the pixels mean; the frame is still open.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Busy"/>: another thread is still storing pixels in it.</exception>
    /// <exception cref="ObjectDisposedException">It is published or disposed of already.</exception>
    public long Publish()
    {
        ulong sequence;
        using (var call = _handle.Use())
        {
            Error.Check(NativeMethods.shmcv_stream_publish(call.Segment, out sequence));
            _handle.GiveAway();
        }

        Image.Dispose();
        return (long)sequence;
    }

    /// <summary>Gives it back, unless it is published. It may be called any number of times.</summary>
    public void Dispose()
    {
        // Now, and not with the last view: the writer could not begin another frame before that.
        _handle.CloseNow();
        Image.Dispose();
    }
}

public sealed partial class SharedImage
{
    /// <summary>A frame's pixels.</summary>
    internal SharedImage(string name, SegmentHandle handle)
    {
        Name = name;
        _handle = handle;
    }

    /// <summary>How often an image has been stored in the segment, by any process: another number means another image.</summary>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public long Sequence
    {
        get
        {
            using var call = _handle.Use();
            Error.Check(NativeMethods.shmcv_image_sequence(call.Segment, out var sequence));
            return (long)sequence;
        }
    }

    /// <summary>Waits until more than that many images have been stored in the segment, by any process.</summary>
    /// <param name="newerThan">The <see cref="Sequence"/> of the image that is known.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>How many have been stored.</returns>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Unsupported"/>: another program made the segment, whose users do
    /// not tell when they store.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public long WaitForImage(long newerThan, CancellationToken cancellationToken = default)
    {
        const int Slice = 100;
        ArgumentOutOfRangeException.ThrowIfNegative(newerThan);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var call = _handle.Use();
            var code = NativeMethods.shmcv_image_wait(call.Segment, (ulong)newerThan, Slice, out var sequence);
            if (code != ErrorCode.Timeout)
            {
                Error.Check(code);
                return (long)sequence;
            }
        }
    }
}
