using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace ShmCv;

/// <summary>
/// A named segment of shared memory with an image in it. Every process of this user that opens the name works on the
/// same pixels, in any language. Nothing is copied and nothing is sent.
/// </summary>
/// <remarks>
/// Dispose of the object to end its use of the segment. The segment itself stays, with its pixels, until
/// <see cref="Clear(string)"/> or <see cref="ClearAll"/> removes its name, or an object with
/// <see cref="ClearOnDispose"/> is disposed of. On Windows it ends with the last process that has it open, at the latest.
/// For pictures that follow each other there is <see cref="FrameStream"/>.
/// </remarks>
/// <example>
/// <code>
/// using var photo = Segment.FromFile("photo", "photograph.jpg");
/// photo.Flip(FlipCode.Horizontal);
/// photo.Save("mirrored.png");
/// photo.Clear();
/// </code>
/// </example>
public sealed class Segment : WritablePixels
{
    private Segment(string name, ulong segment)
        : base(name, new NativeHandle(segment, NativeMethods.shmcv_close, typeof(Segment)))
    {
    }

    /// <summary>
    /// The number of images that have been stored in the segment, by this process or another one. Another number means
    /// another image.
    /// </summary>
    /// <exception cref="ShmCvException">The segment is damaged: <see cref="ErrorCode.Corrupt"/> or
    /// <see cref="ErrorCode.Truncated"/>.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public long Sequence => Stored.Sequence(Handle);

    /// <summary>True if this object made the segment, false if the segment was there.</summary>
    public bool Created { get; private init; }

    /// <summary>
    /// True if <see cref="Pixels.Dispose"/> removes the segment's name too, if the name is still this segment's; false
    /// unless a program sets it. The garbage collector does not remove names, and an exception that no code catches ends
    /// the process without disposing of anything.
    /// </summary>
    public bool ClearOnDispose { get; set; }

    /// <summary>
    /// Makes a segment and opens it. The memory is reserved at once and is all zero.
    /// </summary>
    /// <remarks>
    /// <para>The name is in <c>/dev/shm</c>, on Windows in the user's local application data, or in the folder that the
    /// environment variable <c>SHMCV_FOLDER</c> of the environment names with which the process began. A path is a name in
    /// another folder, which has to be there. All methods that take a name take a path. On Windows a path begins on a drive,
    /// and a name that begins with <c>Global\</c> is for all sessions, for example for a service and desktop programs: that
    /// takes a right to make, and none to open.</para>
    /// <para>Programs without this library see the pixels at the beginning of the memory: on Linux it is the file of that
    /// name in <c>/dev/shm</c>, on Windows <c>MemoryMappedFile.OpenExisting(name)</c> gives it, as whole pages. What follows
    /// the pixels is this library's.</para>
    /// </remarks>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="size">Bytes for pixels: width times height times channels times bytes of a sample.</param>
    /// <param name="access">Whose the segment is, and who may open it; null for this user alone.</param>
    /// <returns>The segment, without an image yet.</returns>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or the mode makes no sense.</exception>
    /// <exception cref="ShmCvPermissionException">This process may not give the segment to that owner or group, or may not
    /// make files in the folder.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such folder, user or group.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is not positive.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The second argument's type tells the overloads apart.")]
    public static Segment Create(string name, long size, Access? access = null)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Error.Check(NativeMethods.shmcv_create_for(name, (ulong)size, Access.ToNative(access), out var segment));
        return new Segment(name, segment) { Created = true };
    }

    /// <summary>Makes a segment for an image, all zero, with that description and the size that the image needs.</summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="image">The description of the pixels.</param>
    /// <param name="access">Whose the segment is, and who may open it; null for this user alone.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or the description or the mode makes no
    /// sense.</exception>
    /// <exception cref="ShmCvPermissionException">This process may not give the segment to that owner or group, or may not
    /// make files in the folder.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such folder, user or group.</exception>
    /// <exception cref="ShmCvLimitException">The image is larger than the library's limits.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The second argument's type tells the overloads apart.")]
    public static Segment Create(string name, ImageInfo image, Access? access = null) =>
        Create(name, image.Size, access).OrNothing(segment => segment.Image = image);

    /// <summary>
    /// Makes a segment that holds the image of a file, and has the size that the image needs. If the file cannot be
    /// loaded, there is no segment.
    /// </summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="path">The file.</param>
    /// <param name="flags">The colour order and depth of the image; see <see cref="WritablePixels.Load(string, LoadFlags)"/>.</param>
    /// <param name="access">Whose the segment is, and who may open it; null for this user alone.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Create(string, long, Access)"/> and
    /// <see cref="WritablePixels.Load(string, LoadFlags)"/>.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The third argument's type tells the overloads apart.")]
    public static Segment FromFile(string name, string path, LoadFlags flags = LoadFlags.Color, Access? access = null) =>
        Create(name, ImageInfo.Probe(path, flags).Size, access).OrNothing(segment => segment.Load(path, flags));

    /// <summary>
    /// Makes a segment that holds what options say of the image of a file, and has the size that this needs. If the file
    /// cannot be loaded, there is no segment.
    /// </summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <param name="access">Whose the segment is, and who may open it; null for this user alone.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Create(string, long, Access)"/> and
    /// <see cref="WritablePixels.Load(string, LoadOptions)"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is negative, or the region is
    /// empty.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The third argument's type tells the overloads apart.")]
    public static Segment FromFile(string name, string path, LoadOptions options, Access? access = null) =>
        Create(name, ImageInfo.Probe(path, options).Size, access).OrNothing(segment => segment.Load(path, options));

    /// <summary>
    /// Opens the segment of that name, or makes one if there is none; <see cref="Created"/> tells which. A segment that
    /// is there keeps its size, its image and its access.
    /// </summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - without a dot at the beginning; or a path to
    /// such a name in another folder, as <c>/mnt/cams/cam0</c>.</param>
    /// <param name="size">Bytes for pixels, which a segment that is there must have at least.</param>
    /// <param name="access">Whose a new segment is, and who may open it; null for this user alone.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvTooSmallException">The segment that is there has fewer bytes.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free.</exception>
    /// <exception cref="ShmCvPermissionException">It is not a plain file of this user, nor one that its owner has given a
    /// group of this process to read and write; or this process may not give a new one to that owner or
    /// group.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such folder, user or group.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or is that of a stream; or the mode makes no
    /// sense.</exception>
    /// <exception cref="ShmCvCorruptException">The segment's metadata has been overwritten.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is not positive.</exception>
    public static Segment OpenOrCreate(string name, long size, Access? access = null)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Error.Check(NativeMethods.shmcv_open_or_create_for(
            name, (ulong)size, Access.ToNative(access), out var segment, out var created));
        return new Segment(name, segment) { Created = created != 0 };
    }

    /// <summary>
    /// Opens a segment that any process has created; its size and image come with it. Shared memory that another
    /// program made, for example Python's <c>SharedMemory</c>, can be opened too. It has no image until
    /// <see cref="WritablePixels.Image"/> is set.
    /// </summary>
    /// <param name="name">The segment's name, or the path to it.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">It is not a plain file of this user, nor one that its owner has given a
    /// group of this process to read and write.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or is that of a stream.</exception>
    /// <exception cref="ShmCvCorruptException">The segment's metadata has been overwritten.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is no memory for all of a file that another program made: a page
    /// that is missing would end a process that touches it.</exception>
    public static Segment Open(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_open(name, out var segment));
        return new Segment(name, segment);
    }

    /// <summary>
    /// Removes the name of a segment or stream, whichever process created it. Processes that have it open keep working
    /// on the same memory, which is given back when the last of them closes it. The name is free at once.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException"><see cref="Open"/> would not open it, or this process may not remove
    /// names from the folder.</exception>
    public static void Clear(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_clear(name));
    }

    /// <summary>
    /// Removes the names of all segments and streams that this process created and that are still there. Objects stay
    /// open. A name that has meanwhile been given to another segment is left alone.
    /// </summary>
    public static void ClearAll() => Error.Check(NativeMethods.shmcv_clear_all());

    /// <summary>
    /// Removes the names of this user's segments and streams in this process's folder that are orphans: their creator has
    /// ended or closed them, and no process has them open through this library. What cannot be looked at is left alone.
    /// </summary>
    /// <returns>The number of names that were removed.</returns>
    public static int Sweep()
    {
        Error.Check(NativeMethods.shmcv_sweep(out var removed));
        return (int)removed;
    }

    /// <summary>
    /// Returns the facts about the segments and streams in this process's folder that this library made, and that are
    /// this user's or may be read by a group of this process, in the order of their names. Those that cannot be looked at
    /// are left out.
    /// </summary>
    /// <returns>One description for each, as it is now.</returns>
    public static unsafe IReadOnlyList<SegmentInfo> List()
    {
        var infos = Array.Empty<ShmcvSegmentInfo>();
        while (true)
        {
            ulong count;
            fixed (ShmcvSegmentInfo* first = infos)
            {
                Error.Check(NativeMethods.shmcv_list(first, (ulong)infos.Length, out count));
            }

            if (count <= (ulong)infos.Length)
            {
                return Array.ConvertAll(infos[..(int)count], info => SegmentInfo.From(info));
            }

            infos = new ShmcvSegmentInfo[checked((int)count + 16)]; // a few more may be created meanwhile
        }
    }

    /// <summary>
    /// Removes the segment's name; see <see cref="Clear(string)"/>. This object stays open. If this object is disposed,
    /// the name is removed from whatever segment has it.
    /// </summary>
    /// <exception cref="ShmCvNotFoundException">The name is removed already, or another segment has it now.</exception>
    public void Clear()
    {
        if (Handle.IsClosed)
        {
            Clear(Name);
            return;
        }

        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_segment_clear(call.Handle));
    }

    /// <summary>Waits until more than that many images have been stored in the segment, by any process.</summary>
    /// <param name="newerThan">The <see cref="Sequence"/> of the image that is known already.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The number of images that have been stored.</returns>
    /// <exception cref="ShmCvUnsupportedException">Another program made the segment. Its users do not tell when they
    /// store an image.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public long Wait(long newerThan, CancellationToken cancellationToken = default) =>
        Stored.Wait(Handle, newerThan, cancellationToken);

    /// <summary>Does as <see cref="Wait"/>, for a limited time.</summary>
    /// <param name="newerThan">The <see cref="Sequence"/> of the image that is known already.</param>
    /// <param name="milliseconds">The time. 0 does not sleep, and a negative number waits without an end.</param>
    /// <param name="cancellationToken">Ends the wait within 100 ms.</param>
    /// <returns>The number of images that have been stored, or null if the time is up.</returns>
    /// <exception cref="ShmCvUnsupportedException">Another program made the segment. Its users do not tell when they
    /// store an image.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the wait, which
    /// ends within 100 ms then.</exception>
    public long? TryWait(long newerThan, int milliseconds, CancellationToken cancellationToken = default) =>
        Stored.TryWait(Handle, newerThan, milliseconds, cancellationToken);

    /// <summary>
    /// Does as <see cref="Wait"/>, and occupies no thread meanwhile. One thread sleeps for all asynchronous waits of the
    /// process, and the continuation runs in the caller's context.
    /// </summary>
    /// <param name="newerThan">The <see cref="Sequence"/> of the image that is known already.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The number of images that have been stored.</returns>
    /// <exception cref="ShmCvUnsupportedException">Another program made the segment. Its users do not tell when they
    /// store an image.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed, maybe by another thread during the
    /// wait.</exception>
    public Task<long> WaitAsync(long newerThan, CancellationToken cancellationToken = default) =>
        Stored.WaitAsync(Handle, newerThan, cancellationToken);

    private protected override void BeforeDispose()
    {
        if (ClearOnDispose)
        {
            Handle.TryClear(NativeMethods.shmcv_segment_clear);
        }
    }

    // Takes the last step of making a segment. If the step fails, the segment is disposed of and its name removed.
    private Segment OrNothing(Action<Segment> step)
    {
        try
        {
            step(this);
            return this;
        }
        catch
        {
            ClearOnDispose = true;
            Dispose();
            throw;
        }
    }
}

/// <summary>The facts about a segment or stream.</summary>
public sealed record SegmentInfo
{
    /// <summary>
    /// The name by which this process opens the segment: a path if the segment is not in this process's folder.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>
    /// The segment's identity. A name can be given again, an identity is not. It is empty for a foreign segment.
    /// </summary>
    public required Guid Uuid { get; init; }

    /// <summary>
    /// Bytes for pixels, as asked for when the segment was created; the file's length for a foreign segment.
    /// </summary>
    public required long Size { get; init; }

    /// <summary>Bytes of shared memory that the segment takes.</summary>
    public required long FileSize { get; init; }

    /// <summary>The time of its creation, in UTC; null for a foreign segment.</summary>
    public required DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The process id of its creator; 0 for a foreign segment.</summary>
    public required int Owner { get; init; }

    /// <summary>True while its creator holds it; false if that process has ended or has closed it.</summary>
    public required bool OwnerAlive { get; init; }

    /// <summary>
    /// The image in it, or null if there is none yet. That of a stream is the image of its newest frame.
    /// </summary>
    public required ImageInfo? Image { get; init; }

    /// <summary>True if another program made it, without this library. It has no metadata then.</summary>
    public required bool Foreign { get; init; }

    /// <summary>The slots of a stream; 0 for a segment that holds a single image.</summary>
    public int Slots { get; init; }

    /// <summary>Bytes for the pixels of one frame of a stream; 0 for a segment that holds a single image.</summary>
    public long SlotSize { get; init; }

    /// <summary>
    /// What the writer of a stream does when a reader of every frame is behind; null for a segment that holds a single
    /// image.
    /// </summary>
    public WhenBehind? WhenBehind { get; init; }

    /// <summary>The process id of a stream's writer; 0 if it has none.</summary>
    public int Writer { get; init; }

    /// <summary>
    /// Nanoseconds to add to the times of a stream's frames, such as <see cref="Frame.TimeNs"/>, for nanoseconds since 1970
    /// in UTC, as of the stream's creation; see <see cref="FrameStream.Utc"/>.
    /// </summary>
    public long UtcOffsetNs { get; init; }

    internal static unsafe SegmentInfo From(in ShmcvSegmentInfo info)
    {
        fixed (byte* name = info.Name, uuid = info.Uuid)
        {
            return new SegmentInfo
            {
                Name = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)),
                Uuid = new Guid(new ReadOnlySpan<byte>(uuid, 16), bigEndian: true),
                Size = (long)info.Size,
                FileSize = (long)info.FileSize,
                CreatedAt = info.CreatedAt == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks((long)info.CreatedAt / 100),
                Owner = (int)info.Owner,
                OwnerAlive = info.OwnerAlive != 0,
                Image = info.HasImage != 0 ? ImageInfo.From(info.Image) : null,
                Foreign = info.Foreign != 0,
                Slots = (int)info.Slots,
                SlotSize = (long)info.SlotSize,
                WhenBehind = info.WhenBehind == 0 ? null : (WhenBehind)info.WhenBehind,
                Writer = (int)info.Writer,
                UtcOffsetNs = info.UtcOffsetNs,
            };
        }
    }
}
