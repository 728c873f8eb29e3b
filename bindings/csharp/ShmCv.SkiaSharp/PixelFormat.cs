using SkiaSharp;

namespace ShmCv.SkiaSharp;

/// <summary>
/// Which colour order and depth is which colour type of Skia's. Skia has no pixels of 3 samples (<c>Rgb888x</c> takes 4
/// bytes), no gray but of 8 bits, and no BGRA but of 8 bits.
/// </summary>
internal static class PixelFormat
{
    /// <summary>The colour type whose pixels look in memory as the image's do, or <see cref="SKColorType.Unknown"/>.</summary>
    internal static SKColorType Same(ImageInfo info) => (info.Order, info.Depth) switch
    {
        (ColorOrder.Gray, Depth.U8) => SKColorType.Gray8,
        (ColorOrder.Bgra, Depth.U8) => SKColorType.Bgra8888,
        (ColorOrder.Rgba, Depth.U8) => SKColorType.Rgba8888,
        (ColorOrder.Rgba, Depth.U16) => SKColorType.Rgba16161616,
        (ColorOrder.Rgba, Depth.F32) => SKColorType.RgbaF32,
        _ => SKColorType.Unknown,
    };

    /// <summary>The colour type that keeps all of the image's samples: the same one, or the one that it converts to in one pass.</summary>
    internal static SKColorType Nearest(ImageInfo info) => Same(info) switch
    {
        SKColorType.Unknown => info.Depth switch
        {
            Depth.U8 => SKColorType.Bgra8888,
            Depth.U16 => SKColorType.Rgba16161616,
            _ => SKColorType.RgbaF32,
        },
        var same => same,
    };

    /// <summary>An image without alpha is opaque; with it, it is not premultiplied: OpenCV knows no other kind.</summary>
    internal static SKAlphaType AlphaOf(ImageInfo info) => info.HasAlpha ? SKAlphaType.Unpremul : SKAlphaType.Opaque;

    /// <summary>
    /// Whether the image's pixels mean in such a bitmap what they do in the segment. Opaque ones do everywhere; others where
    /// alpha is kept as it is, or not at all.
    /// </summary>
    internal static bool CanHoldAlphaOf(ImageInfo info, SKImageInfo bitmap) =>
        !info.HasAlpha || bitmap.AlphaType == SKAlphaType.Unpremul || bitmap.ColorType is SKColorType.Gray8 or SKColorType.Rgb888x;

    /// <summary>
    /// What pixels of a colour type are in the native library's terms; null for those that it does not have. Of
    /// <c>Rgb888x</c> the fourth byte means nothing, so it is RGBA whose alpha must not be looked at.
    /// </summary>
    internal static (ColorOrder Order, Depth Depth)? Layout(SKColorType type) => type switch
    {
        SKColorType.Gray8 => (ColorOrder.Gray, Depth.U8),
        SKColorType.Bgra8888 => (ColorOrder.Bgra, Depth.U8),
        SKColorType.Rgba8888 or SKColorType.Rgb888x => (ColorOrder.Rgba, Depth.U8),
        SKColorType.Rgba16161616 => (ColorOrder.Rgba, Depth.U16),
        SKColorType.RgbaF32 => (ColorOrder.Rgba, Depth.F32),
        _ => null,
    };

    /// <summary>
    /// The colour type that Skia converts pixels to, losing nothing, so that the native library has them; null for those
    /// that are no picture (alpha alone, one or two colours of three) and for unknown ones.
    /// </summary>
    internal static SKColorType? Readable(SKColorType type) => type switch
    {
        SKColorType.Gray8 or SKColorType.Bgra8888 or SKColorType.Rgba8888 or SKColorType.Rgba16161616 or SKColorType.RgbaF32 => type,
        SKColorType.Rgb888x or SKColorType.Srgba8888 => SKColorType.Rgba8888,
        SKColorType.Rgb565 or SKColorType.Argb4444 => SKColorType.Bgra8888,
        SKColorType.Rgba1010102 or SKColorType.Bgra1010102 or SKColorType.Rgb101010x or SKColorType.Bgr101010x
            or SKColorType.Rgba10x6 => SKColorType.Rgba16161616,
        SKColorType.RgbaF16 or SKColorType.RgbaF16Clamped or SKColorType.Bgr101010xXR => SKColorType.RgbaF32,
        _ => null,
    };

    /// <summary>The colour order that a bitmap's pixels keep in a segment: their own, without alpha where they are opaque.</summary>
    internal static ColorOrder Natural(ColorOrder order, bool opaque) => (order, opaque) switch
    {
        (ColorOrder.Bgra, true) => ColorOrder.Bgr,
        (ColorOrder.Rgba, true) => ColorOrder.Rgb,
        _ => order,
    };
}
