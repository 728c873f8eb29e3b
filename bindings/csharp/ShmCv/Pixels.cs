namespace ShmCv;

/// <summary>
/// Pixels in shared memory that can be read: those of a <see cref="Segment"/> or <see cref="ReadOnlySegment"/>, of a
/// <see cref="Frame"/> or of a <see cref="NewFrame"/>.
/// </summary>
/// <remarks>
/// <para>Dispose of the object when it is not needed any more.</para>
/// <para>Every member may be called from every thread at any time. <see cref="Read(Span{byte}, ImageInfo)"/> copies one whole image, also
/// while another process stores the next one. A program that reads the memory itself while another program stores an
/// image can see parts of both.</para>
/// </remarks>
public abstract partial class Pixels : IDisposable
{
    private protected Pixels(string name, NativeHandle handle)
    {
        Name = name;
        Handle = handle;
    }

    /// <summary>The name by which other processes open the segment. A frame has the name of its stream.</summary>
    public string Name { get; }

    /// <summary>Bytes for pixels: the size that the segment was created with, or that of the frame's slot.</summary>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public long Size => Info.Size;

    /// <summary>
    /// The facts about the segment: its size, its creator, its identity. Those of a frame are about its stream, with
    /// the size and the image of this frame.
    /// </summary>
    /// <exception cref="ShmCvTruncatedException">Another program has made the segment shorter.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public SegmentInfo Info
    {
        get
        {
            using var call = Handle.Use();
            Error.Check(NativeMethods.shmcv_info(call.Handle, out var info));
            return SegmentInfo.From(info);
        }
    }

    internal NativeHandle Handle { get; private protected set; }

    /// <summary>
    /// Ends this object's use of the pixels, and every wait on it: waits throw
    /// <see cref="ObjectDisposedException"/>. Spans of <see cref="AsSpan"/> are invalid from then on; views of
    /// <see cref="View()"/> stay valid. The method may be called any number of times. A segment stays, under its name.
    /// </summary>
    public void Dispose()
    {
        BeforeDispose();
        Handle.Dispose();
        Waits.End(Handle);
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns the name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;

    private protected virtual void BeforeDispose()
    {
    }
}

/// <summary>
/// Pixels in shared memory that can be written too: those of a <see cref="Segment"/> or of a <see cref="NewFrame"/>.
/// </summary>
public abstract partial class WritablePixels : Pixels
{
    private protected WritablePixels(string name, NativeHandle handle)
        : base(name, handle)
    {
    }
}
