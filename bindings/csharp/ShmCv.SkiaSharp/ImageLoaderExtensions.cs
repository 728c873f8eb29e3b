using SkiaSharp;

namespace ShmCv.SkiaSharp;

/// <summary>
/// The tutorial's functions between segments and bitmaps. New programs are better served by
/// <see cref="SharedImageExtensions"/>.
/// </summary>
public static class ImageLoaderExtensions
{
    /// <summary>How Skia describes an 8-bit image of 1 (gray), 3 (BGR) or 4 channels (BGRA): the tutorial's GetSKBitmapParams.</summary>
    /// <param name="loader">The loader.</param>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <returns>Size, colour type and alpha type of the bitmap that <see cref="ShareMemoryToSKBitmap"/> gives.</returns>
    public static SKImageInfo GetSKBitmapParams(this ImageLoader loader, string shareName, int height, int width, int channel)
    {
        ArgumentNullException.ThrowIfNull(loader);
        using var image = loader.Open(shareName, height, width, channel);
        return image.Info.ToSKImageInfo();
    }

    /// <summary>
    /// A segment's pixels as a bitmap: of 1 and 4 channels the very pixels of the segment, without a copy; of 3 channels, which
    /// Skia does not have, a copy made in one pass. The tutorial's ShareMemory_To_SKBitmap.
    /// </summary>
    /// <param name="loader">The loader.</param>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <returns>A bitmap, which keeps the segment open if it shares its pixels. The caller disposes of it.</returns>
    public static SKBitmap ShareMemoryToSKBitmap(this ImageLoader loader, string shareName, int height, int width, int channel)
    {
        ArgumentNullException.ThrowIfNull(loader);
        using var image = loader.Open(shareName, height, width, channel);
        return PixelFormat.Same(image.Info) == SKColorType.Unknown ? image.ToSKBitmap() : image.AsSKBitmap();
    }

    /// <summary>Copies a bitmap into a segment, whose image it becomes. The tutorial's SKBitmap_To_ShareMemory.</summary>
    /// <param name="loader">The loader.</param>
    /// <param name="bitmap">The bitmap.</param>
    /// <param name="shareName">The segment.</param>
    /// <returns>The image's height and width in pixels, and its number of channels: 3 where the bitmap is opaque.</returns>
    public static (int Height, int Width, int Channels) SKBitmapToShareMemory(this ImageLoader loader, SKBitmap bitmap, string shareName)
    {
        ArgumentNullException.ThrowIfNull(loader);
        using var image = loader.Open(shareName);
        image.CopyFrom(bitmap);
        var info = image.Info;
        return (info.Height, info.Width, info.Channels);
    }
}
