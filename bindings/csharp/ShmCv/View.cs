namespace ShmCv;

/// <summary>
/// A region of the image of a <see cref="Segment"/>, a <see cref="Frame"/> or another view, to read: for every method that
/// takes pixels. No pixel is copied for it. Made by <see cref="Pixels.View(int, int, int, int)"/>.
/// </summary>
/// <remarks>
/// <para><see cref="Pixels.AsSpan"/> begins with the region's first pixel and ends with its last; its rows are
/// <see cref="ImageInfo.Stride"/> of the whole image apart.</para>
/// <para>A view is of the image that was there when it was made. When an image of another size, order or depth has been stored,
/// members throw <see cref="ShmCvInvalidException"/>.</para>
/// <para>A view keeps its segment open until it is disposed of, and the slot of its frame. When a <see cref="NewFrame"/> is
/// published or disposed of, its views throw <see cref="ShmCvClosedException"/>.</para>
/// </remarks>
public sealed class View : Pixels
{
    internal View(Pixels pixels, Region region)
        : base(pixels.Name, region.Open(pixels, typeof(View)))
    {
    }
}

/// <summary>
/// A region of the image of a <see cref="Segment"/>, a <see cref="NewFrame"/> or another view, to read and write. Made by
/// <see cref="WritablePixels.View(int, int, int, int)"/>.
/// </summary>
/// <remarks>
/// <para>What is stored in it must have just its width, height, order and depth. Otherwise it is
/// <see cref="ShmCvInvalidException"/>, and nothing is written. The other pixels, and the description of the whole image, stay
/// as they are.</para>
/// <inheritdoc cref="View" path="/remarks/para"/>
/// </remarks>
public sealed class WritableView : WritablePixels
{
    internal WritableView(WritablePixels pixels, Region region)
        : base(pixels.Name, region.Open(pixels, typeof(WritableView)))
    {
    }
}

public abstract partial class Pixels
{
    /// <summary>Returns a view of a region of the image, to read. <see cref="CopyInto"/> of it is a crop.</summary>
    /// <param name="x">The column of the region's first pixel, in a view that of the view.</param>
    /// <param name="y">The row of the region's first pixel, in a view that of the view.</param>
    /// <param name="width">Pixels in a row of the region.</param>
    /// <param name="height">Rows of the region.</param>
    /// <returns>The view, which the caller disposes of.</returns>
    /// <exception cref="ShmCvInvalidException">The region is empty, or not within the image.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public View View(int x, int y, int width, int height) => new(this, new Region(x, y, width, height));
}

public abstract partial class WritablePixels
{
    /// <summary>
    /// Returns a view of a region of the image, to read and write. <see cref="Pixels.CopyInto"/> of it is a crop, and into it
    /// a paste.
    /// </summary>
    /// <inheritdoc cref="Pixels.View(int, int, int, int)"/>
    public new WritableView View(int x, int y, int width, int height) => new(this, new Region(x, y, width, height));
}

/// <summary>A region that a caller wants.</summary>
internal readonly record struct Region
{
    private readonly (uint X, uint Y, uint Width, uint Height) _region;

    internal Region(int x, int y, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        _region = ((uint)x, (uint)y, (uint)width, (uint)height);
    }

    /// <summary>Opens the region. Its handle keeps that of the pixels open, because spans of the region are of their memory.</summary>
    internal NativeHandle Open(Pixels pixels, Type owner)
    {
        using var call = pixels.Handle.Use();
        var (x, y, width, height) = _region;
        Error.Check(NativeMethods.shmcv_view(call.Handle, x, y, width, height, out var view));
        return new NativeHandle(view, NativeMethods.shmcv_close, owner, call.Owner);
    }
}
