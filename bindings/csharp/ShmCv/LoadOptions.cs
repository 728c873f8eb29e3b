using System.Drawing;

namespace ShmCv;

/// <summary>
/// What of an image file is loaded, and how large. The properties act in the order <see cref="Flags"/>,
/// <see cref="Region"/>, <see cref="Scale"/> or <see cref="Width"/> and <see cref="Height"/>, <see cref="Order"/>.
/// </summary>
/// <remarks>
/// A JPEG's decoder can itself make the image smaller, in less than half of the time: for <see cref="Scale"/>, and for a size
/// that is made by area, of which the result differs a little then; shmcv.h says by how much.
/// </remarks>
/// <example>
/// <code>
/// segment.Load("photograph.jpg", new LoadOptions { Width = 320, Order = ColorOrder.Bgra });
/// segment.Load("photograph.jpg", new LoadOptions { Region = new Rectangle(640, 320, 1280, 720), Scale = 4 });
/// </code>
/// </example>
public sealed record LoadOptions
{
    /// <summary>The channels and depth; 8-bit BGR by default.</summary>
    public LoadFlags Flags { get; init; } = LoadFlags.Color;

    /// <summary>
    /// The order of the channels; null for that of <see cref="Flags"/>. <see cref="ColorOrder.Bgra"/> and
    /// <see cref="ColorOrder.Rgba"/> keep the file's alpha. Flags that say other channels contradict it.
    /// </summary>
    public ColorOrder? Order { get; init; }

    /// <summary>
    /// 2, 4 or 8: the image has a half, a quarter or an eighth of the width and of the height, rounded up; 1 for all of it.
    /// It excludes <see cref="Width"/> and <see cref="Height"/>.
    /// </summary>
    public int Scale { get; init; } = 1;

    /// <summary>Pixels in a row of the result; 0 for the number that <see cref="Height"/> has in proportion.</summary>
    public int Width { get; init; }

    /// <summary>Rows of the result; 0 for the number that <see cref="Width"/> has in proportion.</summary>
    public int Height { get; init; }

    /// <summary>A part of the image that <see cref="Flags"/> alone would give, upright, in pixels; null for all of it.</summary>
    public Rectangle? Region { get; init; }

    /// <summary>
    /// How the image gets its width and height; null for <see cref="Interpolation.Area"/> where neither side grows, else
    /// <see cref="Interpolation.Linear"/>. For the nearest pixels it is <see cref="Interpolation.NearestExact"/>:
    /// <see cref="Interpolation.Nearest"/> is not had while loading.
    /// </summary>
    public Interpolation? Interpolation { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or the region is empty, or the interpolation is
    /// <see cref="Interpolation.Nearest"/>. The library judges everything else.</exception>
    internal ShmcvLoadOptions ToNative()
    {
        var region = Region ?? default;
        if (Region is not null && region == default)
        {
            throw Refused(nameof(Region), region, "A region has at least one pixel.");
        }

        if (Interpolation == ShmCv.Interpolation.Nearest)
        {
            throw Refused(nameof(Interpolation), Interpolation, "Nearest is not had while loading; NearestExact is.");
        }

        return new ShmcvLoadOptions
        {
            Flags = Flags,
            Order = Order ?? default,
            Scale = Number(Scale, nameof(Scale)),
            Width = Number(Width, nameof(Width)),
            Height = Number(Height, nameof(Height)),
            Interpolation = Interpolation ?? default,
            X = Number(region.X, nameof(Region)),
            Y = Number(region.Y, nameof(Region)),
            RegionWidth = Number(region.Width, nameof(Region)),
            RegionHeight = Number(region.Height, nameof(Region)),
        };
    }

    private static ArgumentOutOfRangeException Refused(string property, object? value, string why) => new(property, value, why);

    private static uint Number(int value, string property)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value, property);
        return (uint)value;
    }
}
