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
    /// <see cref="SKColorType.RgbaF32"/>. The alpha type is <see cref="SKAlphaType.Opaque"/> without alpha and, by default,
    /// <see cref="SKAlphaType.Unpremul"/> with it.
    /// </summary>
    /// <param name="image">The image's description.</param>
    /// <param name="alphaType">The alpha type for an image with alpha.</param>
    /// <returns>Skia's description.</returns>
    /// <exception cref="ArgumentException"><paramref name="alphaType"/> is unknown.</exception>
    public static SKImageInfo ToSKImageInfo(this ImageInfo image, SKAlphaType alphaType = SKAlphaType.Unpremul)
    {
        RefuseUnknown(alphaType);
        return new(image.Width, image.Height, PixelFormat.Nearest(image), image.HasAlpha ? alphaType : SKAlphaType.Opaque);
    }

    /// <summary>
    /// Returns the pixels as a bitmap, without a copy. What Skia draws on the bitmap is in the shared memory, and what
    /// other programs write to the shared memory is in the bitmap. The method is for gray, BGRA and RGBA of 8 bits, and
    /// for RGBA of 16 bits and floats.
    /// </summary>
    /// <param name="pixels">The segment or frame. The bitmap of a <see cref="Frame"/> is immutable. Skia does not check
    /// that in every function: do not make a canvas for it, or take <see cref="AsSKImage"/>.</param>
    /// <param name="alphaType">What Skia takes the alpha of an image with alpha for. By default that is
    /// <see cref="SKAlphaType.Opaque"/> if all of the pixels are opaque now, which the method looks at, and
    /// <see cref="SKAlphaType.Unpremul"/> otherwise. Skia draws opaque pixels several times as fast. For a
    /// <see cref="NewFrame"/>, whose memory holds anything at first, the default is
    /// <see cref="SKAlphaType.Unpremul"/>. <see cref="SKAlphaType.Premul"/> is for programs that store multiplied
    /// colours.</param>
    /// <returns>
    /// The bitmap. It keeps the memory open until the bitmap and every Skia object that shares its pixels are disposed
    /// of, in whatever order, or found by the garbage collector.
    /// </returns>
    /// <exception cref="NotSupportedException">Skia has no such pixels, for example none of 3 samples. The message says
    /// what to do instead.</exception>
    /// <exception cref="ArgumentException"><paramref name="alphaType"/> is unknown.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static unsafe SKBitmap AsSKBitmap(this Pixels pixels, SKAlphaType? alphaType = null)
    {
        var (view, info, rowBytes) = Share(pixels, alphaType);
        var bitmap = new SKBitmap();
        fixed (byte* memory = view.Span)
        {
            // Skia calls back when nothing uses the pixels any more, and also if it refuses them.
            if (bitmap.InstallPixels(info, (nint)memory, rowBytes, static (_, view) => ((IDisposable)view).Dispose(), view))
            {
                if (pixels is not WritablePixels)
                {
                    bitmap.SetImmutable();
                }

                return bitmap;
            }
        }

        bitmap.Dispose();
        throw Unaligned(pixels, info, rowBytes);
    }

    /// <summary>
    /// Returns the pixels as a picture that cannot be drawn on, without a copy. It is for a <see cref="Frame"/>, whose
    /// pixels stay as they are: Skia takes the pixels of a picture for constant.
    /// </summary>
    /// <param name="pixels">The segment or frame.</param>
    /// <param name="alphaType">As in <see cref="AsSKBitmap"/>.</param>
    /// <returns>
    /// The picture. It keeps the memory, and so a frame's slot, until it is disposed of or found by the garbage collector.
    /// </returns>
    /// <inheritdoc cref="AsSKBitmap" path="/exception"/>
    public static unsafe SKImage AsSKImage(this Pixels pixels, SKAlphaType? alphaType = null)
    {
        var (view, info, rowBytes) = Share(pixels, alphaType);
        fixed (byte* memory = view.Span)
        {
            using var pixmap = new SKPixmap(info, (nint)memory, rowBytes);
            if (SKImage.FromPixels(pixmap, static (_, view) => ((IDisposable)view).Dispose(), view) is { } picture)
            {
                return picture;
            }
        }

        view.Dispose();
        throw Unaligned(pixels, info, rowBytes);
    }

    /// <summary>
    /// Copies the image to a new bitmap, in one pass, from every colour order and depth; see
    /// <see cref="ToSKImageInfo"/>.
    /// </summary>
    /// <param name="pixels">The segment or frame.</param>
    /// <param name="alphaType">The alpha type of the bitmap for an image with alpha. By default that is
    /// <see cref="SKAlphaType.Opaque"/> if all of the pixels are opaque, and <see cref="SKAlphaType.Unpremul"/>
    /// otherwise. <see cref="SKAlphaType.Premul"/> multiplies the colours by alpha, in a second pass, which makes
    /// drawing faster.</param>
    /// <returns>
    /// A bitmap with memory of its own. The caller disposes of it. New memory costs more than the copy: a program that
    /// does this for each frame should keep a bitmap, and use <see cref="CopyTo"/>.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="alphaType"/> is unknown.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static unsafe SKBitmap ToSKBitmap(this Pixels pixels, SKAlphaType? alphaType = null)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        RefuseUnknown(alphaType ?? SKAlphaType.Unpremul);
        for (var attempt = 1; ; attempt++)
        {
            var image = pixels.Image;
            var info = image.ToSKImageInfo();
            var memory = (nint)NativeMemory.Alloc(checked((nuint)info.BytesSize64));
            try
            {
                var copied = new Span<byte>((void*)memory, checked((int)info.BytesSize64));
                var layout = Describe(info, info.RowBytes);
                pixels.Read(copied, layout);
                if (image.HasAlpha)
                {
                    info = info.WithAlphaType(alphaType is { } wanted and not SKAlphaType.Premul ? wanted : NaturalAlpha(copied, layout));
                }
            }
            catch (ShmCvInvalidException) when (attempt < 100)
            {
                NativeMemory.Free((void*)memory);
                continue; // An image of another size has been stored since the description was read.
            }
            catch
            {
                NativeMemory.Free((void*)memory);
                throw;
            }

            var bitmap = Own(info, memory);
            return alphaType == SKAlphaType.Premul && image.HasAlpha ? Premultiplied(bitmap) : bitmap;
        }
    }

    /// <summary>
    /// Copies the image into an existing bitmap, in one pass, without new memory. Gray, BGR, RGB, BGRA and RGBA are
    /// converted into each other on the way.
    /// </summary>
    /// <param name="pixels">The segment or frame.</param>
    /// <param name="bitmap">A bitmap of the image's width, height and depth, with any row bytes. One of the image's
    /// <see cref="ToSKImageInfo"/> always fits. In a premultiplied bitmap the colours are multiplied by alpha, in a second
    /// pass. Objects that share its pixels change with it.</param>
    /// <exception cref="ArgumentException">The bitmap has another width, height or depth, a colour type that only Skia
    /// has, or no pixels; or it is opaque, and the image is not. The message says what the bitmap has.</exception>
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
            var target = bitmap.Info;
            if (!image.HasAlpha || target.AlphaType != SKAlphaType.Premul || PixelFormat.HasNoAlpha(target.ColorType))
            {
                if (ReadInto(bitmap, pixels, image, attempt))
                {
                    return;
                }

                continue;
            }

            using var between = Uncleared(target.WithAlphaType(SKAlphaType.Unpremul));
            if (ReadInto(between, pixels, image, attempt))
            {
                using var pixmap = between.PeekPixels();
                Read(pixmap, target, bitmap.GetPixels(), bitmap.RowBytes);
                bitmap.NotifyPixelsChanged();
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
    /// <param name="alphaType">How the image's alpha is: <see cref="SKAlphaType.Unpremul"/>, which all of this library
    /// expects, or <see cref="SKAlphaType.Premul"/> for programs that share multiplied colours, and pass the same to
    /// <see cref="AsSKBitmap"/>.</param>
    /// <exception cref="NotSupportedException">The colour type is no picture, for example alpha alone. The message
    /// names it.</exception>
    /// <exception cref="ArgumentException">The bitmap has no pixels, or <paramref name="alphaType"/> is another
    /// one.</exception>
    /// <exception cref="ShmCvTooSmallException">The image does not fit.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static void CopyFrom(
        this WritablePixels pixels,
        SKBitmap bitmap,
        ColorOrder? order = null,
        SKAlphaType alphaType = SKAlphaType.Unpremul)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(bitmap);
        if (alphaType is not (SKAlphaType.Unpremul or SKAlphaType.Premul))
        {
            throw new ArgumentException($"Alpha is stored as Unpremul or Premul, not as {alphaType}.", nameof(alphaType));
        }

        using var pixmap = bitmap.PeekPixels()
            ?? throw new ArgumentException("The bitmap has no pixels.", nameof(bitmap));
        var source = pixmap.Info;
        if (PixelFormat.Readable(source.ColorType) is not { } type || source.AlphaType == SKAlphaType.Unknown)
        {
            throw new NotSupportedException(
                $"Pixels of colour type {source.ColorType}, alpha type {source.AlphaType}, are no picture that a segment can "
                + "hold: convert them with SKBitmap.Copy first.");
        }

        var alpha = source.IsOpaque ? SKAlphaType.Opaque : alphaType;
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
    private static unsafe SKBitmap Uncleared(SKImageInfo info) =>
        Own(info, (nint)NativeMemory.Alloc(checked((nuint)info.BytesSize64)));

    /// <summary>Returns a bitmap that frees its memory.</summary>
    private static unsafe SKBitmap Own(SKImageInfo info, nint memory)
    {
        var bitmap = new SKBitmap();
        if (bitmap.InstallPixels(info, memory, info.RowBytes, static (memory, _) => NativeMemory.Free((void*)memory)))
        {
            return bitmap; // Skia frees the memory with it, and also if it refuses the memory
        }

        bitmap.Dispose();
        throw new NotSupportedException(
            $"Skia takes no pixels of {info.Width} x {info.Height} {info.ColorType} {info.AlphaType}.");
    }

    /// <summary>Returns a premultiplied copy of a bitmap, which it disposes of.</summary>
    private static SKBitmap Premultiplied(SKBitmap bitmap)
    {
        using (bitmap)
        {
            var multiplied = Uncleared(bitmap.Info.WithAlphaType(SKAlphaType.Premul));
            using var pixmap = bitmap.PeekPixels();
            Read(pixmap, multiplied.Info, multiplied.GetPixels(), multiplied.RowBytes);
            return multiplied;
        }
    }

    /// <summary>Opens the memory for a Skia object that shares it. Whoever gets the view disposes of it.</summary>
    private static (ReadOnlyPixelView View, SKImageInfo Info, int RowBytes) Share(Pixels pixels, SKAlphaType? alphaType)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        RefuseUnknown(alphaType ?? SKAlphaType.Unpremul);
        var view = pixels.View(out var image);
        if (PixelFormat.Same(image) == SKColorType.Unknown)
        {
            view.Dispose();
            throw new NotSupportedException(
                $"Skia has no pixels like those of {pixels.Name} ({image}): copy them with ToSKBitmap, "
                + "or ConvertInto a segment as Bgra first.");
        }

        var alpha = alphaType ?? (pixels is NewFrame ? SKAlphaType.Unpremul : NaturalAlpha(view.Span, image));
        if (pixels is Frame { Held: false } or View)
        {
            CheckOrDispose(pixels, view);
        }

        return (view, image.ToSKImageInfo(alpha), image.Stride);
    }

    /// <summary>Checks a frame whose pixels have been looked at. If it was overtaken, nobody gets the view.</summary>
    private static void CheckOrDispose(Pixels frame, ReadOnlyPixelView view)
    {
        try
        {
            _ = frame.Image;
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    private static NotSupportedException Unaligned(Pixels pixels, SKImageInfo info, int rowBytes) => new(
        $"Skia does not take the pixels of {pixels.Name} ({Describe(info, rowBytes)}): its rows must begin at a multiple of "
        + $"the pixel's {info.BytesPerPixel} bytes. Copy them with ToSKBitmap.");

    private static SKAlphaType NaturalAlpha(ReadOnlySpan<byte> pixels, ImageInfo image) =>
        Transparency.IsNone(pixels, image) ? SKAlphaType.Opaque : SKAlphaType.Unpremul;

    /// <summary>
    /// Returns true if the image's pixels mean the same in such a bitmap, or can be multiplied for it.
    /// </summary>
    private static bool CanHoldAlphaOf(Pixels pixels, ImageInfo image, SKImageInfo bitmap)
    {
        if (!image.HasAlpha || bitmap.AlphaType is SKAlphaType.Unpremul or SKAlphaType.Premul
            || PixelFormat.HasNoAlpha(bitmap.ColorType))
        {
            return true;
        }

        using var view = pixels.View(out var now);
        return bitmap.AlphaType == SKAlphaType.Opaque && now == image && Transparency.IsNone(view.Span, image);
    }

    private static void RefuseUnknown(SKAlphaType alphaType)
    {
        if (alphaType is not (SKAlphaType.Opaque or SKAlphaType.Premul or SKAlphaType.Unpremul))
        {
            throw new ArgumentException($"The alpha type is Opaque, Premul or Unpremul, not {alphaType}.", nameof(alphaType));
        }
    }

    private static void CheckFit(Pixels pixels, ImageInfo image, SKBitmap bitmap)
    {
        var target = bitmap.Info;
        if (bitmap.GetPixels() == 0 || (target.Width, target.Height) != (image.Width, image.Height)
            || PixelFormat.Layout(target.ColorType)?.Depth != image.Depth || !CanHoldAlphaOf(pixels, image, target))
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
