using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>
/// The description of an image in memory. The pixel (x, y) starts at byte <c>y * Stride + x * PixelSize</c>. Its
/// samples follow each other in the colour order.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly partial record struct ImageInfo
{
    /// <summary>
    /// Describes an image. The native library has limits, and checks them when the description is used.
    /// </summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="order">Meaning and order of the channels.</param>
    /// <param name="depth">Type of a sample.</param>
    /// <param name="stride">Bytes from one row to the next; 0 means that rows follow each other without a gap.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width or the height is not positive, or the stride is
    /// negative.</exception>
    public ImageInfo(int width, int height, ColorOrder order, Depth depth = Depth.U8, int stride = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegative(stride);
        Width = width;
        Height = height;
        Order = order;
        Depth = depth;
        Stride = stride == 0 ? RowSize : stride;
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

    /// <summary>True if the last channel is opacity. It is not multiplied into the other channels.</summary>
    public bool HasAlpha => Channels == 4;

    /// <summary>Bytes of one pixel.</summary>
    public int PixelSize => Channels * Depth switch
    {
        Depth.U8 => 1,
        Depth.U16 => 2,
        Depth.F32 => 4,
        _ => 0,
    };

    /// <summary>Bytes of the pixels of one row, without the gap after them.</summary>
    public int RowSize => (int)Math.Min((long)Width * PixelSize, int.MaxValue);

    /// <summary>
    /// Bytes of the image, from its first byte to its last. The gap after the last row does not count.
    /// </summary>
    public long Size => ((Height - 1L) * Stride) + RowSize;

    /// <summary>True if rows follow each other without a gap.</summary>
    public bool Packed => Stride == RowSize;

    /// <summary>Returns the description in one line.</summary>
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

public abstract partial class Pixels
{
    /// <summary>The description of the image.</summary>
    /// <exception cref="ShmCvNoImageException">There is no image yet.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Image
    {
        get
        {
            using var call = Handle.Use();
            Error.Check(NativeMethods.shmcv_image_get(call.Handle, out var image));
            return ImageInfo.From(image);
        }
    }

    /// <summary>Gives the description of the image, if there is one.</summary>
    /// <param name="image">The description.</param>
    /// <returns>True if there is an image.</returns>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public bool TryGetImage(out ImageInfo image)
    {
        using var call = Handle.Use();
        var code = NativeMethods.shmcv_image_get(call.Handle, out var found);
        if (code == ErrorCode.NoImage)
        {
            image = default;
            return false;
        }

        Error.Check(code);
        image = ImageInfo.From(found);
        return true;
    }

    /// <summary>
    /// Returns the shared memory itself, to read: the pixel (x, y) starts at byte
    /// <c>y * Image.Stride + x * Image.PixelSize</c>.
    /// </summary>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <remarks>
    /// The span is valid until <see cref="Dispose"/>. A span cannot keep its owner alive. If no code disposes of the
    /// owner, the garbage collector gives a frame back to its stream, whose writer then writes over it, and leaves the
    /// memory mapped, so that no span ever points nowhere. Use <see cref="View()"/> for memory that must outlive this
    /// object.
    /// </remarks>
    /// <exception cref="ShmCvTruncatedException">Another program has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">There are 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ReadOnlySpan<byte> AsSpan() => Span();

    /// <summary>
    /// Returns the shared memory, to read, as an object that keeps it open. Neither <see cref="Dispose"/> nor the garbage
    /// collector takes the memory away before the view is disposed of, in whatever order.
    /// </summary>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <exception cref="ShmCvTruncatedException">Another program has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">There are 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ReadOnlyPixelView View() => new(OpenView());

    /// <summary>
    /// Returns the view that <see cref="View()"/> gives, together with the description of the image, in a single native
    /// call.
    /// </summary>
    /// <param name="image">The description of the image.</param>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvTruncatedException">Another program has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">There are 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ReadOnlyPixelView View(out ImageInfo image) => new(OpenView(out image));

    /// <summary>
    /// Copies the image into memory of the caller. Colour orders are converted on the way, in one pass. Alpha that is
    /// not there becomes opaque. Alpha that is not wanted is dropped. Gray is 0.299 R + 0.587 G + 0.114 B.
    /// </summary>
    /// <param name="destination">The memory, at least <see cref="ImageInfo.Size"/> bytes of
    /// <paramref name="layout"/>.</param>
    /// <param name="layout">The image's width, height and depth, with the stride and the colour order that are
    /// wanted. With <c>default</c> the copy is as the image, rows without gaps.</param>
    /// <returns>
    /// The description of the copy. It and the pixels are of one image, also while another process stores the next one.
    /// </returns>
    /// <exception cref="ShmCvTooSmallException"><paramref name="layout"/> is <c>default</c>, and the image does not fit
    /// into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvInvalidException">Width, height or depth differs from the image's.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing an image for 10 seconds.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Read(Span<byte> destination, ImageInfo layout)
    {
        Argument.Room(destination.Length, layout, nameof(destination));
        Error.Check(Read(destination, layout.ToNative(), out var copied));
        return ImageInfo.From(copied);
    }

    /// <summary>Copies the image into a new array, rows without gaps.</summary>
    /// <param name="image">The description of the copy. It and the pixels are of one image, also while another process
    /// stores the next one, of whatever size.</param>
    /// <returns>The pixels.</returns>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing an image for 10 seconds.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public byte[] Read(out ImageInfo image) => Read(default(ColorOrder), out image);

    /// <summary>
    /// Copies the image into a new array, rows without gaps, in another colour order. The conversions are those of
    /// <see cref="Read(Span{byte}, ImageInfo)"/>.
    /// </summary>
    /// <param name="order">The colour order that is wanted.</param>
    /// <param name="image">The description of the copy.</param>
    /// <returns>The pixels.</returns>
    /// <exception cref="ShmCvInvalidException">The colour order is unknown.</exception>
    /// <inheritdoc cref="Read(out ImageInfo)" path="/exception"/>
    public byte[] Read(ColorOrder order, out ImageInfo image)
    {
        var layout = new ShmcvImageInfo { Order = order };
        var pixels = Array.Empty<byte>();
        while (true)
        {
            // The first call tells the size. Another process may store a larger image before the next call.
            var code = Read(pixels, layout, out var copied);
            if (code != ErrorCode.TooSmall)
            {
                Error.Check(code);
                image = ImageInfo.From(copied);
                return pixels.Length == image.Size ? pixels : pixels[..(int)image.Size];
            }

            pixels = GC.AllocateUninitializedArray<byte>(checked((int)ImageInfo.From(copied).Size));
        }
    }

    private unsafe ErrorCode Read(Span<byte> destination, in ShmcvImageInfo layout, out ShmcvImageInfo copied)
    {
        using var call = Handle.Use();
        fixed (byte* buffer = destination)
        {
            return NativeMethods.shmcv_read(call.Handle, layout, buffer, (ulong)destination.Length, out copied);
        }
    }

    /// <summary>Returns the pixels of one row of the image, to read, without the gap after them.</summary>
    /// <param name="y">The row, counted from the top.</param>
    /// <returns>The row, <see cref="ImageInfo.RowSize"/> bytes, valid as long as <see cref="AsSpan"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The image has no such row.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <inheritdoc cref="AsSpan" path="/exception"/>
    public ReadOnlySpan<byte> Row(int y) => RowSpan(y);

    private protected Span<byte> RowSpan(int y)
    {
        var image = Image;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)y, (uint)image.Height, nameof(y));
        return Span().Slice(checked(y * image.Stride), image.RowSize);
    }

    private protected unsafe Span<byte> Span()
    {
        using var call = Handle.Use();
        var length = Map(call, out var address);
        call.Owner.NoteSpan();
        return new Span<byte>((void*)address, length);
    }

    private protected HeldMapping OpenView()
    {
        using var call = Handle.Use();
        return new HeldMapping(call.Owner, call.Owner.Mapping = Map(call));
    }

    private protected HeldMapping OpenView(out ImageInfo image)
    {
        using var call = Handle.Use();

        // The call checks that the memory is all there.
        Error.Check(NativeMethods.shmcv_image_get(call.Handle, out var found));
        image = ImageInfo.From(found);
        return new HeldMapping(call.Owner, call.Owner.Mapping ??= Map(call));
    }

    private static Mapping Map(NativeHandle.Call call)
    {
        var length = Map(call, out var address);
        return new Mapping(address, length);
    }

    private static int Map(NativeHandle.Call call, out nint address)
    {
        Error.Check(NativeMethods.shmcv_data(call.Handle, out address, out var size));
        return size <= int.MaxValue
            ? (int)size
            : throw new NotSupportedException(
                $"There are {size} bytes for pixels; .NET's spans and memories end at {int.MaxValue}.");
    }
}

public abstract partial class WritablePixels
{
    /// <summary>
    /// The description of the image. Setting it says what the pixels mean, for every process that has the segment open,
    /// and does not touch the pixels. Set it after writing to the memory itself, and for segments that other programs
    /// made.
    /// </summary>
    /// <exception cref="ShmCvNoImageException">It was read, and there is no image yet.</exception>
    /// <exception cref="ShmCvTooSmallException">It was set, and the image does not fit.</exception>
    /// <exception cref="ShmCvInvalidException">It was set to impossible geometry; the message names the
    /// field.</exception>
    /// <exception cref="ShmCvLimitException">It was set to an image that is larger than the library's
    /// limits.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public new ImageInfo Image
    {
        get => base.Image;
        set
        {
            using var call = Handle.Use();
            Error.Check(NativeMethods.shmcv_image_set(call.Handle, value.ToNative()));
        }
    }

    /// <summary>
    /// Returns the shared memory itself, to read and write in place: the pixel (x, y) starts at byte
    /// <c>y * Image.Stride + x * Image.PixelSize</c>.
    /// </summary>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <inheritdoc cref="Pixels.AsSpan" path="/remarks"/>
    /// <inheritdoc cref="Pixels.AsSpan" path="/exception"/>
    public new Span<byte> AsSpan() => Span();

    /// <summary>Returns the pixels of one row of the image, to read and write, without the gap after them.</summary>
    /// <inheritdoc cref="Pixels.Row"/>
    public new Span<byte> Row(int y) => RowSpan(y);

    /// <summary>
    /// Returns the shared memory, to read and write, as an object that keeps it open. Neither <see cref="Pixels.Dispose"/> nor the garbage
    /// collector takes the memory away before the view is disposed of, in whatever order.
    /// </summary>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <exception cref="ShmCvTruncatedException">Another program has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">There are 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public new PixelView View() => new(OpenView());

    /// <summary>
    /// Returns the view that <see cref="View()"/> gives, together with the description of the image, in a single native
    /// call.
    /// </summary>
    /// <param name="image">The description of the image.</param>
    /// <returns>All bytes for pixels, from the first on.</returns>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvTruncatedException">Another program has made the segment shorter.</exception>
    /// <exception cref="NotSupportedException">There are 2 GiB or more, which no span covers.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public new PixelView View(out ImageInfo image) => new(OpenView(out image));

    /// <summary>Copies pixels of the caller into the shared memory, rows without gaps. They become the image.</summary>
    /// <param name="source">The pixels, at least <see cref="ImageInfo.Size"/> bytes of
    /// <paramref name="layout"/>.</param>
    /// <param name="layout">The description of the pixels in <paramref name="source"/>.</param>
    /// <param name="order">The colour order of the image that is stored. The conversions are those of
    /// <see cref="Pixels.Read(Span{byte}, ImageInfo)"/>.</param>
    /// <exception cref="ShmCvTooSmallException">The image does not fit.</exception>
    /// <exception cref="ShmCvInvalidException">The geometry is impossible; the message names the field.</exception>
    /// <exception cref="ShmCvLimitException">The image is larger than the library's limits.</exception>
    /// <exception cref="ArgumentException"><paramref name="source"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public unsafe void Write(ReadOnlySpan<byte> source, ImageInfo layout, ColorOrder order)
    {
        Argument.Room(source.Length, layout, nameof(source));
        using var call = Handle.Use();
        fixed (byte* buffer = source)
        {
            Error.Check(
                NativeMethods.shmcv_write(call.Handle, layout.ToNative(), buffer, (ulong)source.Length, (int)order));
        }
    }
}
