using System.Runtime.InteropServices;
using System.Text;

namespace ShmCv;

/// <summary>
/// A named segment of shared memory with an image in it. Every process of this user that opens the name works on the
/// same pixels, whatever language it is written in; nothing is copied and nothing is sent.
/// </summary>
/// <remarks>
/// <para>Dispose of it when you are done: that ends this object's use of the segment. The segment itself stays, with its
/// pixels, until <see cref="Segments.Clear"/> or <see cref="Segments.ClearAll"/> removes its name.</para>
/// <para>Every member may be called from every thread at any time. What <see cref="ReadPixels"/> copies is one whole image,
/// also while another process stores the next; whoever looks at the memory itself meanwhile may see some of both. For
/// pictures that follow each other there is <see cref="FrameStream"/>.</para>
/// </remarks>
/// <example>
/// <code>
/// using var photo = SharedImage.Create("photo", 3840 * 2160 * 3);
/// photo.Load("photograph.jpg");
/// photo.Flip(FlipCode.Horizontal);
/// photo.Save("mirrored.png");
/// Segments.Clear("photo");
/// </code>
/// </example>
public sealed partial class SharedImage : IDisposable
{
    private readonly SegmentHandle _handle;

    private SharedImage(string name, ulong segment)
    {
        Name = name;
        _handle = SegmentHandle.Own(segment);
    }

    /// <summary>The segment's name, by which other processes open it.</summary>
    public string Name { get; }

    /// <summary>Bytes for pixels, as asked for when the segment was created.</summary>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public long Size => SegmentInfo.Size;

    /// <summary>What is known of the segment: its size, its creator, its identity.</summary>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Truncated"/>: somebody has made the segment shorter.</exception>
    public SegmentInfo SegmentInfo
    {
        get
        {
            using var call = _handle.Use();
            Error.Check(NativeMethods.shmcv_info(call.Segment, out var info));
            return SegmentInfo.From(info);
        }
    }

    /// <summary>Makes a segment and opens it. Its memory is reserved at once, is all zero, and is for this user alone.</summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - with no dot at the beginning.</param>
    /// <param name="size">Bytes for pixels: width times height times channels times bytes a sample.</param>
    /// <returns>The segment, without an image yet.</returns>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is less shared memory free.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: the name breaks the rule.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is not positive.</exception>
    public static SharedImage Create(string name, long size)
    {
        Argument.Text(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Error.Check(NativeMethods.shmcv_create(name, (ulong)size, out var segment));
        return new SharedImage(name, segment);
    }

    /// <summary>
    /// Opens a segment that somebody has created; its size and image come with it. Shared memory that another program
    /// made, such as Python's <c>SharedMemory</c>, can be opened too: it has no image until <see cref="Info"/> is set.
    /// </summary>
    /// <param name="name">The segment's name.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">It is not this user's, or no plain file.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: the name breaks the rule;
    /// <see cref="ErrorCode.Corrupt"/>: its metadata has been overwritten.</exception>
    public static SharedImage Open(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_open(name, out var segment));
        return new SharedImage(name, segment);
    }

    /// <summary>
    /// Ends this object's use of the segment; spans of <see cref="AsSpan()"/> are invalid from then on, views of
    /// <see cref="View()"/> live on. It may be called any number of times. The segment itself stays, under its name.
    /// </summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref _spanned, null)?.Dispose();
        _handle.Dispose();
    }

    /// <summary>The segment's name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}

/// <summary>Segments by name, open or not.</summary>
public static unsafe class Segments
{
    /// <summary>
    /// Removes a segment's name, whoever created it. Those who have it open keep working on the same memory, which is
    /// given back when the last of them closes it; the name is free at once.
    /// </summary>
    /// <param name="name">The segment's name.</param>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">It is not this user's.</exception>
    public static void Clear(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_clear(name));
    }

    /// <summary>
    /// Removes the names of all segments that this process created and that are still there. Objects stay open. A name
    /// that has meanwhile been given to another segment is left alone.
    /// </summary>
    public static void ClearAll() => Error.Check(NativeMethods.shmcv_clear_all());

    /// <summary>
    /// Removes the names of this user's orphans: segments whose creator has ended or closed them, and which no process has
    /// open through the library.
    /// </summary>
    /// <returns>How many there were.</returns>
    public static int Sweep()
    {
        Error.Check(NativeMethods.shmcv_sweep(out var removed));
        return (int)removed;
    }

    /// <summary>Tells of all segments of this user that the library made, in the order of their names.</summary>
    /// <returns>One description a segment, as it is now.</returns>
    public static IReadOnlyList<SegmentInfo> List()
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

            infos = new ShmcvSegmentInfo[checked((int)count + 16)]; // some more may appear meanwhile
        }
    }
}

/// <summary>What is known of a segment.</summary>
public sealed record SegmentInfo
{
    /// <summary>The segment's name.</summary>
    public required string Name { get; init; }

    /// <summary>Identity of this very segment: a name may be used again, an identity is not. Empty for a foreign segment.</summary>
    public required Guid Id { get; init; }

    /// <summary>Bytes for pixels, as asked for when it was created; all of it for a foreign segment.</summary>
    public required long Size { get; init; }

    /// <summary>Bytes of shared memory that it takes.</summary>
    public required long FileSize { get; init; }

    /// <summary>When it was created, in UTC; null for a foreign segment.</summary>
    public required DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Process id of its creator; 0 for a foreign segment.</summary>
    public required int OwnerProcessId { get; init; }

    /// <summary>Whether its creator still holds it.</summary>
    public required bool OwnerIsAlive { get; init; }

    /// <summary>The image in it; null while there is none.</summary>
    public required ImageInfo? Image { get; init; }

    /// <summary>Whether another program made it, without the library: it has no metadata then.</summary>
    public required bool IsForeign { get; init; }

    /// <summary>Slots of a stream; 0 for a segment that holds a single image.</summary>
    public int Slots { get; init; }

    /// <summary>Bytes for the pixels of one frame of a stream; 0 for a segment that holds a single image.</summary>
    public long SlotSize { get; init; }

    internal static unsafe SegmentInfo From(in ShmcvSegmentInfo info)
    {
        fixed (byte* name = info.Name, uuid = info.Uuid)
        {
            return new SegmentInfo
            {
                Name = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)),
                Id = new Guid(new ReadOnlySpan<byte>(uuid, 16), bigEndian: true),
                Size = (long)info.Size,
                FileSize = (long)info.FileSize,
                CreatedAt = info.CreatedAt == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks((long)info.CreatedAt / 100),
                OwnerProcessId = (int)info.Owner,
                OwnerIsAlive = info.OwnerAlive != 0,
                Image = info.HasImage != 0 ? ImageInfo.From(info.Image) : null,
                IsForeign = info.Foreign != 0,
                Slots = (int)info.Slots,
                SlotSize = (long)info.SlotSize,
            };
        }
    }
}
