using System.Runtime.InteropServices;
using SkiaSharp;

namespace ShmCv.SkiaSharp;

/// <summary>SkiaSharp on shared images. What has "As" in its name shares the pixels, what has "To" or "Copy" copies them.</summary>
/// <remarks>Every method may be called from every thread; a Skia object of its own is one thread's at a time.</remarks>
public static class SharedImageExtensions
{
    /// <summary>
    /// How Skia describes such an image. 8 bits: gray is <see cref="SKColorType.Gray8"/>, RGBA <see cref="SKColorType.Rgba8888"/>,
    /// and BGRA and the orders of 3 samples, which Skia does not have, <see cref="SKColorType.Bgra8888"/>. 16 bits are
    /// <see cref="SKColorType.Rgba16161616"/>, floats <see cref="SKColorType.RgbaF32"/>. The alpha type is
    /// <see cref="SKAlphaType.Opaque"/> without alpha and <see cref="SKAlphaType.Unpremul"/> with it.
    /// </summary>
    /// <param name="info">The image's description.</param>
    /// <returns>Skia's description.</returns>
    public static SKImageInfo ToSKImageInfo(this ImageInfo info) =>
        new(info.Width, info.Height, PixelFormat.Nearest(info), PixelFormat.AlphaOf(info));

    /// <summary>
    /// The segment's pixels as a bitmap, without a copy: what Skia draws on it is in the segment, and what others write to
    /// the segment is in the bitmap. For gray, BGRA and RGBA of 8 bits, and RGBA of 16 bits and floats.
    /// </summary>
    /// <param name="image">The segment.</param>
    /// <returns>
    /// A bitmap that keeps the segment open until it is disposed of, and every Skia object that shares its pixels, in whatever
    /// order, or until the garbage collector finds it.
    /// </returns>
    /// <exception cref="NotSupportedException">Skia has no such pixels: those of 3 samples, for one. The message says what to
    /// do instead.</exception>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="image"/> is disposed.</exception>
    public static unsafe SKBitmap AsSKBitmap(this SharedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var view = image.View(out var info);
        if (PixelFormat.Same(info) == SKColorType.Unknown)
        {
            view.Dispose();
            throw new NotSupportedException(
                $"Skia has no pixels like those of {image.Name} ({info}): copy them with ToSKBitmap, or ConvertInto a segment as Bgra first.");
        }

        var bitmap = new SKBitmap();
        fixed (byte* pixels = view.GetSpan())
        {
            // Skia calls back when nothing uses the pixels any more, and also when it refuses them.
            if (bitmap.InstallPixels(info.ToSKImageInfo(), (nint)pixels, info.Stride, static (_, view) => ((PixelView)view).Dispose(), view))
            {
                return bitmap;
            }
        }

        bitmap.Dispose();
        throw new NotSupportedException(
            $"Skia does not take the pixels of {image.Name} ({info}): its rows must begin at a multiple of the pixel's {info.BytesPerPixel} bytes. Copy them with ToSKBitmap.");
    }

    /// <summary>
    /// Copies the image to a bitmap of its own, in one pass, whatever its colour order and depth: see <see cref="ToSKImageInfo"/>.
    /// </summary>
    /// <param name="image">The segment.</param>
    /// <returns>A bitmap that has nothing to do with the segment any more. The caller disposes of it. New memory costs more than
    /// the copy: who does this for each frame keeps a bitmap, and uses <see cref="CopyTo"/>.</returns>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="image"/> is disposed.</exception>
    public static SKBitmap ToSKBitmap(this SharedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var bitmap = Uncleared(image.Info.ToSKImageInfo());
        try
        {
            ReadInto(bitmap, image);
            return bitmap;
        }
        catch
        {
            bitmap.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Copies the image into a bitmap that is there already, in one pass: for each frame, say, into the same memory. Gray, BGR,
    /// RGB, BGRA and RGBA are converted into each other on the way.
    /// </summary>
    /// <param name="image">The segment.</param>
    /// <param name="bitmap">A bitmap of the image's width, height and depth, with whatever row bytes: one of its <see cref="ToSKImageInfo"/>
    /// always fits. What shares its pixels changes with it.</param>
    /// <exception cref="ArgumentException">The bitmap has another width, height or depth, a colour type that only Skia knows, or
    /// no pixels; or it would need the image's alpha multiplied into the colours, or none. The message says what it has.</exception>
    /// <exception cref="InvalidOperationException">The bitmap is immutable.</exception>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="image"/> is disposed.</exception>
    public static void CopyTo(this SharedImage image, SKBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(bitmap);
        if (bitmap.IsImmutable)
        {
            throw new InvalidOperationException("The bitmap is immutable.");
        }

        var info = image.Info;
        var target = bitmap.Info;
        if (bitmap.GetPixels() == 0 || (target.Width, target.Height) != (info.Width, info.Height)
            || PixelFormat.Layout(target.ColorType)?.Depth != info.Depth || !PixelFormat.CanHoldAlphaOf(info, target))
        {
            var wanted = info.ToSKImageInfo();
            throw new ArgumentException(
                $"{image.Name} ({info}) does not go into a bitmap of {target.Width} x {target.Height} {target.ColorType} {target.AlphaType}: "
                + $"take one of {wanted.Width} x {wanted.Height} {wanted.ColorType} {wanted.AlphaType}, as ToSKImageInfo says.",
                nameof(bitmap));
        }

        ReadInto(bitmap, image);
    }

    /// <summary>
    /// Copies a bitmap into the segment, whose image it becomes, rows without gaps. Gray, BGRA and RGBA go in one native pass;
    /// alpha that is multiplied into the colours, and colour types that only Skia knows, are converted by Skia. Colour spaces
    /// are left as they are.
    /// </summary>
    /// <param name="image">The segment.</param>
    /// <param name="bitmap">The bitmap, with whatever row bytes.</param>
    /// <param name="order">The colour order in the segment. Unless told otherwise it is the bitmap's: BGRA, RGBA or gray; BGR or
    /// RGB where the bitmap is opaque. Types of more than 8 bits a sample become 16 bits, those of floats floats.</param>
    /// <exception cref="NotSupportedException">The colour type has no meaning here, as that of alpha alone; the message names it.</exception>
    /// <exception cref="ArgumentException">The bitmap has no pixels.</exception>
    /// <exception cref="ShmCvTooSmallException">It does not fit into the segment.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="image"/> is disposed.</exception>
    public static void CopyFrom(this SharedImage image, SKBitmap bitmap, ColorOrder? order = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(bitmap);
        using var pixels = bitmap.PeekPixels() ?? throw new ArgumentException("The bitmap has no pixels.", nameof(bitmap));
        var source = pixels.Info;
        if (PixelFormat.Readable(source.ColorType) is not { } type || source.AlphaType == SKAlphaType.Unknown)
        {
            throw new NotSupportedException(
                $"Pixels of colour type {source.ColorType}, alpha type {source.AlphaType}, are no picture that a segment can hold: convert them with SKBitmap.Copy first.");
        }

        var readable = new SKImageInfo(
            source.Width, source.Height, type, source.IsOpaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul, source.ColorSpace);
        var (readableOrder, depth) = PixelFormat.Layout(type)!.Value;
        var target = order ?? PixelFormat.Natural(readableOrder, source.IsOpaque);

        if (PixelFormat.Layout(source.ColorType) is not null && source.AlphaType == readable.AlphaType
            && (source.ColorType == type || !new ImageInfo(1, 1, target).HasAlpha))
        {
            image.WritePixels(BytesOf(pixels), Describe(source, pixels.RowBytes), target);
        }
        else if (target == readableOrder)
        {
            ReadInto(image, pixels, readable, new ImageInfo(source.Width, source.Height, target, depth));
        }
        else
        {
            using var between = new SKBitmap(readable);
            Read(pixels, readable, between.GetPixels(), between.RowBytes);
            image.WritePixels(between.GetPixelSpan(), Describe(readable, between.RowBytes), target);
        }

        GC.KeepAlive(bitmap); // the owner of the pixels
    }

    /// <summary>
    /// A bitmap with memory of its own, for somebody who writes all of it. Skia's own constructor clears it first, which takes as
    /// long as a copy.
    /// </summary>
    private static unsafe SKBitmap Uncleared(SKImageInfo info)
    {
        var pixels = (nint)NativeMemory.Alloc(checked((nuint)info.BytesSize64));
        var bitmap = new SKBitmap();
        if (bitmap.InstallPixels(info, pixels, info.RowBytes, static (pixels, _) => NativeMemory.Free((void*)pixels)))
        {
            return bitmap; // whose pixels Skia frees with it, and also when it refuses them
        }

        bitmap.Dispose();
        throw new NotSupportedException($"Skia takes no pixels of {info.Width} x {info.Height} {info.ColorType} {info.AlphaType}.");
    }

    private static void ReadInto(SKBitmap bitmap, SharedImage image)
    {
        image.ReadPixels(bitmap.GetPixelSpan(), Describe(bitmap.Info, bitmap.RowBytes));
        bitmap.NotifyPixelsChanged();
        GC.KeepAlive(bitmap); // the owner of the pixels
    }

    /// <summary>Lets Skia write its pixels to the segment itself.</summary>
    private static unsafe void ReadInto(SharedImage image, SKPixmap pixels, SKImageInfo readable, ImageInfo info)
    {
        image.Info = info; // says so if it does not fit
        using var view = image.View();
        fixed (byte* target = view.GetSpan())
        {
            Read(pixels, readable, (nint)target, info.Stride);
        }
    }

    /// <summary>All bytes of the pixels; SKPixmap.GetPixelSpan knows nothing of gaps between rows.</summary>
    private static unsafe ReadOnlySpan<byte> BytesOf(SKPixmap pixels) =>
        new((void*)pixels.GetPixels(), checked((int)Describe(pixels.Info, pixels.RowBytes).ByteSize));

    private static void Read(SKPixmap pixels, SKImageInfo readable, nint target, int rowBytes)
    {
        if (!pixels.ReadPixels(readable, target, rowBytes))
        {
            throw new NotSupportedException($"Skia does not convert {pixels.ColorType}, {pixels.AlphaType}, to {readable.ColorType}, {readable.AlphaType}.");
        }
    }

    private static ImageInfo Describe(SKImageInfo info, int rowBytes)
    {
        var (order, depth) = PixelFormat.Layout(info.ColorType)!.Value;
        return new ImageInfo(info.Width, info.Height, order, depth, rowBytes);
    }
}
