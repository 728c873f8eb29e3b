using System.Runtime.InteropServices;
using SkiaSharp;

namespace ShmCv.SkiaSharp;

/// <summary>
/// SkiaSharp on pixels in shared memory. A method with "As" in its name shares the pixels. A method with "To" or "Copy"
/// in its name copies them.
/// </summary>
/// <remarks>Every method may be called from every thread. A Skia object belongs to one thread at a time.</remarks>
public static class PixelsExtensions
{
    /// <summary>
    /// Returns Skia's description of an image. Of 8 bits, gray is <see cref="SKColorType.Gray8"/>, and RGBA is
    /// <see cref="SKColorType.Rgba8888"/>. BGRA is <see cref="SKColorType.Bgra8888"/>, and so are BGR and RGB, which
    /// Skia does not have. 16 bits are <see cref="SKColorType.Rgba16161616"/>, and floats are
    /// <see cref="SKColorType.RgbaF32"/>. The alpha type is <see cref="SKAlphaType.Opaque"/> without alpha and
    /// <see cref="SKAlphaType.Unpremul"/> with it.
    /// </summary>
    /// <param name="image">The image's description.</param>
    /// <returns>Skia's description.</returns>
    public static SKImageInfo ToSKImageInfo(this ImageInfo image) =>
        new(image.Width, image.Height, PixelFormat.Nearest(image), PixelFormat.AlphaOf(image));

    /// <summary>
    /// Returns the pixels as a bitmap, without a copy. What Skia draws on the bitmap is in the shared memory, and what
    /// other programs write to the shared memory is in the bitmap. The method is for gray, BGRA and RGBA of 8 bits, and
    /// for RGBA of 16 bits and floats.
    /// </summary>
    /// <param name="pixels">The segment or frame. Nothing may be drawn on the bitmap of a <see cref="Frame"/>.</param>
    /// <returns>
    /// The bitmap. It keeps the memory open until the bitmap and every Skia object that shares its pixels are disposed
    /// of, in whatever order, or found by the garbage collector.
    /// </returns>
    /// <exception cref="NotSupportedException">Skia has no such pixels, for example none of 3 samples. The message says
    /// what to do instead.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static unsafe SKBitmap AsSKBitmap(this Pixels pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        var view = pixels.View(out var image);
        if (PixelFormat.Same(image) == SKColorType.Unknown)
        {
            view.Dispose();
            throw new NotSupportedException(
                $"Skia has no pixels like those of {pixels.Name} ({image}): copy them with ToSKBitmap, "
                + "or ConvertInto a segment as Bgra first.");
        }

        var bitmap = new SKBitmap();
        fixed (byte* memory = view.GetSpan())
        {
            // Skia calls back when nothing uses the pixels any more, and also if it refuses them.
            if (bitmap.InstallPixels(
                image.ToSKImageInfo(), (nint)memory, image.Stride, static (_, view) => ((PixelView)view).Dispose(), view))
            {
                return bitmap;
            }
        }

        bitmap.Dispose();
        throw new NotSupportedException(
            $"Skia does not take the pixels of {pixels.Name} ({image}): its rows must begin at a multiple of the pixel's "
            + $"{image.PixelSize} bytes. Copy them with ToSKBitmap.");
    }

    /// <summary>
    /// Copies the image to a new bitmap, in one pass, from every colour order and depth; see
    /// <see cref="ToSKImageInfo"/>.
    /// </summary>
    /// <param name="pixels">The segment or frame.</param>
    /// <returns>
    /// A bitmap with memory of its own. The caller disposes of it. New memory costs more than the copy: a program that
    /// does this for each frame should keep a bitmap, and use <see cref="CopyTo"/>.
    /// </returns>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static SKBitmap ToSKBitmap(this Pixels pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        for (var attempt = 1; ; attempt++)
        {
            var image = pixels.Image;
            var bitmap = Uncleared(image.ToSKImageInfo());
            try
            {
                if (ReadInto(bitmap, pixels, image, attempt))
                {
                    return bitmap;
                }
            }
            catch
            {
                bitmap.Dispose();
                throw;
            }

            bitmap.Dispose(); // another process has stored another image meanwhile
        }
    }

    /// <summary>
    /// Copies the image into an existing bitmap, in one pass, without new memory. Gray, BGR, RGB, BGRA and RGBA are
    /// converted into each other on the way.
    /// </summary>
    /// <param name="pixels">The segment or frame.</param>
    /// <param name="bitmap">A bitmap of the image's width, height and depth, with any row bytes. One of the image's
    /// <see cref="ToSKImageInfo"/> always fits. Objects that share its pixels change with it.</param>
    /// <exception cref="ArgumentException">The bitmap has another width, height or depth, a colour type that only Skia
    /// has, or no pixels; or the image's alpha would have to be premultiplied or dropped. The message says what the
    /// bitmap has.</exception>
    /// <exception cref="InvalidOperationException">The bitmap is immutable.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static void CopyTo(this Pixels pixels, SKBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(bitmap);
        if (bitmap.IsImmutable)
        {
            throw new InvalidOperationException("The bitmap is immutable.");
        }

        for (var attempt = 1; ; attempt++)
        {
            var image = pixels.Image;
            CheckFit(pixels, image, bitmap);
            if (ReadInto(bitmap, pixels, image, attempt))
            {
                return;
            }
        }
    }

    /// <summary>
    /// Copies a bitmap into the shared memory, rows without gaps. It becomes the image. Gray, BGRA and RGBA go in one
    /// native pass. Skia itself converts premultiplied alpha, and colour types that only Skia has. Colour spaces are
    /// left as they are.
    /// </summary>
    /// <param name="pixels">The segment or frame.</param>
    /// <param name="bitmap">The bitmap, with any row bytes.</param>
    /// <param name="order">The colour order of the image. By default it is the bitmap's: BGRA, RGBA or gray, and BGR or
    /// RGB if the bitmap is opaque. Types of more than 8 bits a sample become 16 bits, and those of floats become
    /// floats.</param>
    /// <exception cref="NotSupportedException">The colour type is no picture, for example alpha alone. The message
    /// names it.</exception>
    /// <exception cref="ArgumentException">The bitmap has no pixels.</exception>
    /// <exception cref="ShmCvTooSmallException">The image does not fit.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static void CopyFrom(this WritablePixels pixels, SKBitmap bitmap, ColorOrder? order = null)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(bitmap);
        using var pixmap = bitmap.PeekPixels()
            ?? throw new ArgumentException("The bitmap has no pixels.", nameof(bitmap));
        var source = pixmap.Info;
        if (PixelFormat.Readable(source.ColorType) is not { } type || source.AlphaType == SKAlphaType.Unknown)
        {
            throw new NotSupportedException(
                $"Pixels of colour type {source.ColorType}, alpha type {source.AlphaType}, are no picture that a segment can "
                + "hold: convert them with SKBitmap.Copy first.");
        }

        var alpha = source.IsOpaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
        var readable = new SKImageInfo(source.Width, source.Height, type, alpha, source.ColorSpace);
        var (readableOrder, depth) = PixelFormat.Layout(type)!.Value;
        var target = order ?? PixelFormat.Natural(readableOrder, source.IsOpaque);

        if (PixelFormat.Layout(source.ColorType) is not null && source.AlphaType == readable.AlphaType
            && (source.ColorType == type || !new ImageInfo(1, 1, target).HasAlpha))
        {
            pixels.Write(BytesOf(pixmap), Describe(source, pixmap.RowBytes), target);
        }
        else if (target == readableOrder && pixels is NewFrame)
        {
            // No other program sees the frame yet, so Skia may write to it piece by piece.
            ReadInto(pixels, pixmap, readable, new ImageInfo(source.Width, source.Height, target, depth));
        }
        else
        {
            using var between = new SKBitmap(readable);
            Read(pixmap, readable, between.GetPixels(), between.RowBytes);
            pixels.Write(between.GetPixelSpan(), Describe(readable, between.RowBytes), target);
        }

        GC.KeepAlive(bitmap); // owns the pixels
    }

    /// <summary>
    /// Returns a bitmap with memory of its own that holds anything, for a caller that writes all of it. Skia's own
    /// constructor clears the memory first, which takes as long as a copy.
    /// </summary>
    private static unsafe SKBitmap Uncleared(SKImageInfo info)
    {
        var memory = (nint)NativeMemory.Alloc(checked((nuint)info.BytesSize64));
        var bitmap = new SKBitmap();
        if (bitmap.InstallPixels(info, memory, info.RowBytes, static (memory, _) => NativeMemory.Free((void*)memory)))
        {
            return bitmap; // Skia frees the memory with it, and also if it refuses the memory
        }

        bitmap.Dispose();
        throw new NotSupportedException(
            $"Skia takes no pixels of {info.Width} x {info.Height} {info.ColorType} {info.AlphaType}.");
    }

    private static void CheckFit(Pixels pixels, ImageInfo image, SKBitmap bitmap)
    {
        var target = bitmap.Info;
        if (bitmap.GetPixels() == 0 || (target.Width, target.Height) != (image.Width, image.Height)
            || PixelFormat.Layout(target.ColorType)?.Depth != image.Depth || !PixelFormat.CanHoldAlphaOf(image, target))
        {
            var wanted = image.ToSKImageInfo();
            throw new ArgumentException(
                $"{pixels.Name} ({image}) does not go into a bitmap of {target.Width} x {target.Height} {target.ColorType} "
                + $"{target.AlphaType}: take one of {wanted.Width} x {wanted.Height} {wanted.ColorType} {wanted.AlphaType}, "
                + "as ToSKImageInfo says.",
                nameof(bitmap));
        }
    }

    /// <summary>
    /// Copies an image into a bitmap that was chosen for its description. Returns false if another process has stored an
    /// image of another description meanwhile. The last attempt throws instead.
    /// </summary>
    private static bool ReadInto(SKBitmap bitmap, Pixels pixels, ImageInfo image, int attempt)
    {
        const int Attempts = 1000;
        try
        {
            pixels.Read(bitmap.GetPixelSpan(), Describe(bitmap.Info, bitmap.RowBytes));
            bitmap.NotifyPixelsChanged();
            return pixels.Image.HasAlpha == image.HasAlpha || attempt >= Attempts;
        }
        catch (ShmCvInvalidException) when (attempt < Attempts)
        {
            return false;
        }
        finally
        {
            GC.KeepAlive(bitmap); // owns the pixels
        }
    }

    /// <summary>Lets Skia write its pixels to the shared memory itself.</summary>
    private static unsafe void ReadInto(WritablePixels pixels, SKPixmap source, SKImageInfo readable, ImageInfo image)
    {
        pixels.Image = image; // throws if it does not fit
        using var view = pixels.View();
        fixed (byte* memory = view.GetSpan())
        {
            Read(source, readable, (nint)memory, image.Stride);
        }
    }

    /// <summary>Returns all bytes of the pixels. SKPixmap.GetPixelSpan ignores gaps between rows.</summary>
    private static unsafe ReadOnlySpan<byte> BytesOf(SKPixmap pixmap) =>
        new((void*)pixmap.GetPixels(), checked((int)Describe(pixmap.Info, pixmap.RowBytes).Size));

    private static void Read(SKPixmap source, SKImageInfo readable, nint memory, int rowBytes)
    {
        if (!source.ReadPixels(readable, memory, rowBytes))
        {
            throw new NotSupportedException(
                $"Skia does not convert {source.ColorType}, {source.AlphaType}, to {readable.ColorType}, {readable.AlphaType}.");
        }
    }

    private static ImageInfo Describe(SKImageInfo info, int rowBytes)
    {
        var (order, depth) = PixelFormat.Layout(info.ColorType)!.Value;
        return new ImageInfo(info.Width, info.Height, order, depth, rowBytes);
    }
}
