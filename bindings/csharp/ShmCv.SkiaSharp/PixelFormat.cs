using SkiaSharp;

namespace ShmCv.SkiaSharp;

/// <summary>
/// The table between colour orders with depths, and Skia's colour types. Skia has no pixels of 3 samples
/// (<c>Rgb888x</c> takes 4 bytes). It has gray and BGRA of 8 bits only.
/// </summary>
internal static class PixelFormat
{
    /// <summary>
    /// Returns the colour type whose pixels are in memory as the image's are, or <see cref="SKColorType.Unknown"/> if
    /// there is none.
    /// </summary>
    internal static SKColorType Same(ImageInfo image) => (image.Order, image.Depth) switch
    {
        (ColorOrder.Gray, Depth.U8) => SKColorType.Gray8,
        (ColorOrder.Bgra, Depth.U8) => SKColorType.Bgra8888,
        (ColorOrder.Rgba, Depth.U8) => SKColorType.Rgba8888,
        (ColorOrder.Rgba, Depth.U16) => SKColorType.Rgba16161616,
        (ColorOrder.Rgba, Depth.F32) => SKColorType.RgbaF32,
        _ => SKColorType.Unknown,
    };

    /// <summary>
    /// Returns the colour type that keeps all of the image's samples: the same one, or the one that the native library
    /// converts to in one pass.
    /// </summary>
    internal static SKColorType Nearest(ImageInfo image) => Same(image) switch
    {
        SKColorType.Unknown => image.Depth switch
        {
            Depth.U8 => SKColorType.Bgra8888,
            Depth.U16 => SKColorType.Rgba16161616,
            _ => SKColorType.RgbaF32,
        },
        var same => same,
    };

    /// <summary>Returns true for colour types that have no alpha at all.</summary>
    internal static bool HasNoAlpha(SKColorType type) => type is SKColorType.Gray8 or SKColorType.Rgb888x;

    /// <summary>
    /// Returns the colour order and depth of a colour type, or null for a type that the native library does not have.
    /// The fourth byte of <c>Rgb888x</c> means nothing, so that type is RGBA whose alpha must not be used.
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
    /// Returns the colour type that Skia converts pixels to without loss, and that the native library has. Returns null
    /// for types that are no picture (alpha alone, one or two colours of three) and for unknown ones.
    /// </summary>
    internal static SKColorType? Readable(SKColorType type) => type switch
    {
        SKColorType.Gray8 or SKColorType.Bgra8888 or SKColorType.Rgba8888 or SKColorType.Rgba16161616
            or SKColorType.RgbaF32 => type,
        SKColorType.Rgb888x or SKColorType.Srgba8888 => SKColorType.Rgba8888,
        SKColorType.Rgb565 or SKColorType.Argb4444 => SKColorType.Bgra8888,
        SKColorType.Rgba1010102 or SKColorType.Bgra1010102 or SKColorType.Rgb101010x or SKColorType.Bgr101010x
            or SKColorType.Rgba10x6 => SKColorType.Rgba16161616,
        SKColorType.RgbaF16 or SKColorType.RgbaF16Clamped or SKColorType.Bgr101010xXR => SKColorType.RgbaF32,
        _ => null,
    };

    /// <summary>
    /// Returns the colour order that a bitmap's pixels get by default: their own, without alpha if they are opaque.
    /// </summary>
    internal static ColorOrder Natural(ColorOrder order, bool opaque) => (order, opaque) switch
    {
        (ColorOrder.Bgra, true) => ColorOrder.Bgr,
        (ColorOrder.Rgba, true) => ColorOrder.Rgb,
        _ => order,
    };
}
