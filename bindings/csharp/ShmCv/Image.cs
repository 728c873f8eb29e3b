using System.Buffers;
using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>
/// What pixels in memory mean. The pixel (x, y) starts at byte <c>y * Stride + x * BytesPerPixel</c>; its samples follow
/// each other in the colour order.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ImageInfo
{
    /// <summary>Describes pixels. Limits are the native library's: it checks them where the description is used.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="order">Meaning and order of the channels.</param>
    /// <param name="depth">Type of a sample.</param>
    /// <param name="stride">Bytes from one row to the next; 0 when rows follow each other without a gap.</param>
    /// <exception cref="ArgumentOutOfRangeException">A width or height that is not positive, or a negative stride.</exception>
    public ImageInfo(int width, int height, ColorOrder order, Depth depth = Depth.U8, int stride = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegative(stride);
        Width = width;
        Height = height;
        Order = order;
        Depth = depth;
        Stride = stride == 0 ? RowBytes : stride;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Meaning and order of the channels.</summary>
    public ColorOrder Order { get; }

    /// <summary>Type of a sample.</summary>
    public Depth Depth { get; }

    /// <summary>Bytes from the beginning of one row to the beginning of the next.</summary>
    public int Stride { get; }

    /// <summary>Samples in a pixel: 1, 3 or 4.</summary>
    public int Channels => Order switch
    {
        ColorOrder.Gray => 1,
        ColorOrder.Bgr or ColorOrder.Rgb => 3,
        ColorOrder.Bgra or ColorOrder.Rgba => 4,
        _ => 0,
    };

    /// <summary>Whether the last channel is opacity. It is not multiplied into the others.</summary>
    public bool HasAlpha => Channels == 4;

    /// <summary>Bytes of one pixel.</summary>
    public int BytesPerPixel => Channels * Depth switch
    {
        Depth.U8 => 1,
        Depth.U16 => 2,
        Depth.F32 => 4,
        _ => 0,
    };

    /// <summary>Bytes of the pixels of one row, without the gap after them.</summary>
    public int RowBytes => (int)Math.Min((long)Width * BytesPerPixel, int.MaxValue);

    /// <summary>Bytes from the first pixel's first to the last pixel's last: no gap is counted after the last row.</summary>
    public long ByteSize => ((Height - 1L) * Stride) + RowBytes;

    /// <summary>Whether rows follow each other without a gap.</summary>
    public bool IsPacked => Stride == RowBytes;

    /// <summary>Describes it in a line.</summary>
    /// <returns>For example <c>640 x 480 Bgr U8, stride 1920</c>.</returns>
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{Width} x {Height} {Order} {Depth}, stride {Stride}");

    internal static ImageInfo From(in ShmcvImageInfo image) =>
        new((int)image.Width, (int)image.Height, image.Order, image.Depth, (int)image.Stride);

    internal ShmcvImageInfo ToNative() => new()
    {
        Width = (uint)Width,
        Height = (uint)Height,
        Channels = (uint)Channels,
        Depth = Depth,
        Order = Order,
        Stride = (ulong)Stride,
    };
}

public sealed partial class SharedImage
{
    private PixelView? _spanned; // keeps open what AsSpan has handed out
    private Mapping? _mapping; // the same for as long as the segment is open

    /// <summary>
    /// What the segment's pixels mean, for every process that has it open. Setting it does not touch the pixels: do so
    /// after you have written them yourself, and on segments that other programs made.
    /// </summary>
    /// <exception cref="ShmCvNoImageException">On reading: the segment holds no image yet.</exception>
    /// <exception cref="ShmCvTooSmallException">On setting: the image does not fit.</exception>
    /// <exception cref="ShmCvException">On setting: <see cref="ErrorCode.Invalid"/> for nonsense geometry,
    /// <see cref="ErrorCode.Limit"/> for an image larger than the library handles.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Info
    {
        get
        {
            using var call = _handle.Use();
            Error.Check(NativeMethods.shmcv_image_get(call.Segment, out var image));
            return ImageInfo.From(image);
        }

        set
        {
            using var call = _handle.Use();
            Error.Check(NativeMethods.shmcv_image_set(call.Segment, value.ToNative()));
        }
    }

    /// <summary>Gives the description of the image, if there is one.</summary>
    /// <param name="info">The description.</param>
    /// <returns>Whether the segment holds an image.</returns>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public bool TryGetInfo(out ImageInfo info)
    {
        using var call = _handle.Use();
        var code = NativeMethods.shmcv_image_get(call.Segment, out var image);
        if (code == ErrorCode.NoImage)
        {
            info = default;
            return false;
        }

        Error.Check(code);
        info = ImageInfo.From(image);
        return true;
    }

    /// <summary>
    /// The segment's memory, to read and write in place: the pixel (x, y) starts at byte
    /// <c>y * Info.Stride + x * Info.BytesPerPixel</c>.
    /// </summary>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <remarks>
    /// The span is valid until <see cref="Dispose"/>. A span cannot keep its owner alive, so once one has been handed out
    /// the garbage collector leaves the segment open: only <see cref="Dispose"/>, or the end of the process, closes it.
    /// Where the memory must outlive this object use <see cref="View()"/>.
    /// </remarks>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Truncated"/>: somebody has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">The segment is 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public Span<byte> AsSpan()
    {
        var view = View();
        if (Interlocked.CompareExchange(ref _spanned, view, null) is { } first)
        {
            view.Dispose();
            return first.GetSpan();
        }

        return view.GetSpan();
    }

    /// <summary>
    /// The segment's memory as an object that keeps it open: neither <see cref="Dispose"/> nor the garbage collector
    /// takes it away before the view is disposed of, in whatever order. Never disposed of, it stays open until the
    /// process ends.
    /// </summary>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Truncated"/>: somebody has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">The segment is 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public PixelView View()
    {
        using var call = _handle.Use();
        return new PixelView(_handle, _mapping = Map(call));
    }

    /// <summary>The image with its memory, as <see cref="View()"/> gives it, in a single native call: for each frame, say.</summary>
    /// <param name="info">What the segment's pixels mean.</param>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Truncated"/>: somebody has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">The segment is 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public PixelView View(out ImageInfo info)
    {
        using var call = _handle.Use();
        Error.Check(NativeMethods.shmcv_image_get(call.Segment, out var image)); // has seen that the memory is all there
        info = ImageInfo.From(image);
        return new PixelView(_handle, _mapping ??= Map(call));
    }

    private static Mapping Map(SegmentHandle.Call call)
    {
        Error.Check(NativeMethods.shmcv_data(call.Segment, out var address, out var size));
        return new Mapping(address, size);
    }

    /// <summary>
    /// Copies the image into memory of yours. Colour orders are converted on the way, in one pass: alpha that is not
    /// there becomes opaque, alpha that is not wanted is dropped, gray is 0.299 R + 0.587 G + 0.114 B.
    /// </summary>
    /// <param name="destination">Where it goes: at least <see cref="ImageInfo.ByteSize"/> of <paramref name="layout"/>.</param>
    /// <param name="layout">Its width, height and depth; the stride and colour order that you want.</param>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: width, height or depth are not the image's.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public unsafe void ReadPixels(Span<byte> destination, ImageInfo layout)
    {
        Argument.Room(destination.Length, layout, nameof(destination));
        using var call = _handle.Use();
        fixed (byte* pixels = destination)
        {
            Error.Check(NativeMethods.shmcv_read_pixels(call.Segment, layout.ToNative(), pixels));
        }
    }

    /// <summary>Copies pixels of yours into the segment, whose image they become, rows without gaps.</summary>
    /// <param name="source">The pixels: at least <see cref="ImageInfo.ByteSize"/> of <paramref name="layout"/>.</param>
    /// <param name="layout">What they mean.</param>
    /// <param name="order">The colour order that the segment's image gets, converted as <see cref="ReadPixels"/> tells.</param>
    /// <exception cref="ShmCvTooSmallException">The image does not fit.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/> for nonsense geometry, <see cref="ErrorCode.Limit"/>
    /// for an image larger than the library handles.</exception>
    /// <exception cref="ArgumentException"><paramref name="source"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public unsafe void WritePixels(ReadOnlySpan<byte> source, ImageInfo layout, ColorOrder order)
    {
        Argument.Room(source.Length, layout, nameof(source));
        using var call = _handle.Use();
        fixed (byte* pixels = source)
        {
            Error.Check(NativeMethods.shmcv_write_pixels(call.Segment, layout.ToNative(), pixels, (int)order));
        }
    }
}

/// <summary>
/// A segment's memory, kept open by this object for as long as it is not disposed of, whatever becomes of the
/// <see cref="SharedImage"/> that it came from. Its <see cref="MemoryManager{T}.Memory"/> can be passed to streams,
/// sockets and asynchronous code.
/// </summary>
/// <remarks>
/// There is no finalizer, by intent: a span or memory taken from the view does not keep the view alive, and memory that
/// the garbage collector takes from under a span ends the process. Members may be called from every thread.
/// </remarks>
public sealed unsafe class PixelView : MemoryManager<byte>
{
    private readonly SegmentHandle _handle;
    private readonly byte* _pixels;
    private readonly int _length;
    private int _disposed;

    /// <summary>A view of memory that the handle, which the caller is using, keeps.</summary>
    internal PixelView(SegmentHandle handle, Mapping mapping)
    {
        if (mapping.Size > int.MaxValue)
        {
            throw new NotSupportedException($"The segment has {mapping.Size} bytes for pixels; .NET's spans and memories end at {int.MaxValue}.");
        }

        var held = false;
        handle.DangerousAddRef(ref held);
        _handle = handle;
        _pixels = (byte*)mapping.Address;
        _length = (int)mapping.Size;
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return new Span<byte>(_pixels, _length);
    }

    /// <summary>Gives the address of a byte. It is valid until the result is disposed of, the view itself notwithstanding.</summary>
    /// <param name="elementIndex">Which byte, counted from the first pixel's first.</param>
    /// <returns>The address, with a reference to the segment.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="elementIndex"/> is not in the segment.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        var held = false;
        _handle.DangerousAddRef(ref held);
        return new MemoryHandle(_pixels + elementIndex, pinnable: this);
    }

    /// <summary>Ends one <see cref="Pin"/>; disposing of its result does that.</summary>
    public override void Unpin() => _handle.DangerousRelease();

    /// <summary>Ends the view's use of the segment. It may be called any number of times.</summary>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _handle.DangerousRelease();
        }
    }
}

/// <summary>Where a segment's pixels are in this process.</summary>
internal sealed record Mapping(nint Address, ulong Size);
