using SkiaSharp;

namespace ShmCv.SkiaSharp;

/// <summary>
/// The tutorial's functions between segments and bitmaps. New programs should use <see cref="PixelsExtensions"/>.
/// </summary>
public static class ImageLoaderExtensions
{
    /// <summary>
    /// Returns Skia's description of an 8-bit image of 1 (gray), 3 (BGR) or 4 channels (BGRA): the tutorial's
    /// GetSKBitmapParams.
    /// </summary>
    /// <param name="loader">The loader.</param>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <returns>
    /// Size, colour type and alpha type of the bitmap that <see cref="ShareMemoryToSKBitmap"/> gives.
    /// </returns>
    public static SKImageInfo GetSKBitmapParams(
        this ImageLoader loader, string shareName, int height, int width, int channel)
    {
        ArgumentNullException.ThrowIfNull(loader);
        using var segment = loader.Open(shareName, height, width, channel);
        return segment.Image.ToSKImageInfo();
    }

    /// <summary>
    /// Returns a segment's pixels as a bitmap: the tutorial's ShareMemory_To_SKBitmap. A bitmap of 1 or 4 channels is
    /// the segment's own memory, without a copy. Skia has no pixels of 3 channels, so they are copied in one pass.
    /// </summary>
    /// <param name="loader">The loader.</param>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <returns>The bitmap, which keeps the segment open if it shares its pixels. The caller disposes of it.</returns>
    public static SKBitmap ShareMemoryToSKBitmap(
        this ImageLoader loader, string shareName, int height, int width, int channel)
    {
        ArgumentNullException.ThrowIfNull(loader);
        using var segment = loader.Open(shareName, height, width, channel);
        return PixelFormat.Same(segment.Image) == SKColorType.Unknown ? segment.ToSKBitmap() : segment.AsSKBitmap(SKAlphaType.Unpremul);
    }

    /// <summary>
    /// Copies a bitmap into a segment, whose image it becomes: the tutorial's SKBitmap_To_ShareMemory.
    /// </summary>
    /// <param name="loader">The loader.</param>
    /// <param name="bitmap">The bitmap.</param>
    /// <param name="shareName">The segment.</param>
    /// <returns>
    /// The image's height and width in pixels, and its number of channels, which is 3 for an opaque bitmap.
    /// </returns>
    public static (int Height, int Width, int Channels) SKBitmapToShareMemory(
        this ImageLoader loader, SKBitmap bitmap, string shareName)
    {
        ArgumentNullException.ThrowIfNull(loader);
        using var segment = loader.Open(shareName);
        segment.CopyFrom(bitmap);
        var image = segment.Image;
        return (image.Height, image.Width, image.Channels);
    }
}
