namespace ShmCv;

public abstract partial class Pixels
{
    /// <summary>Mirrors the image into other pixels, whose image it becomes, rows without gaps.</summary>
    /// <param name="destination">The segment or frame that gets the result; it may be this object itself.</param>
    /// <param name="code">The direction.</param>
    /// <exception cref="ShmCvNoImageException">This object has no image.</exception>
    /// <exception cref="ShmCvTooSmallException">The image does not fit into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvInvalidException">The direction is unknown.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing in one of the two for 10 seconds.
    /// </exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void FlipInto(WritablePixels destination, FlipCode code)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var from = Handle.Use();
        using var to = destination.Handle.Use();
        Error.Check(NativeMethods.shmcv_flip(from.Handle, to.Handle, (int)code));
    }

    /// <summary>
    /// Copies the image into other pixels, whose image it becomes, rows without gaps. Of a view it crops, into a view it pastes.
    /// </summary>
    /// <param name="destination">The segment, frame or view that gets the image. It may be this object itself, and of the same
    /// image.</param>
    /// <exception cref="ShmCvNoImageException">This object has no image.</exception>
    /// <exception cref="ShmCvTooSmallException">The image does not fit into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvInvalidException"><paramref name="destination"/> is a view, and the image has another size, order or
    /// depth.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing in one of the two for 10 seconds.
    /// </exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void CopyInto(WritablePixels destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var from = Handle.Use();
        using var to = destination.Handle.Use();
        Error.Check(NativeMethods.shmcv_copy(from.Handle, to.Handle));
    }

    /// <summary>
    /// Makes the image into one of another size in other pixels, whose image it becomes, rows without gaps. The result is that
    /// of OpenCV's <c>resize</c>, which writes straight into the destination.
    /// </summary>
    /// <param name="destination">The segment, frame or view that gets the result. It is not of the same pixels.</param>
    /// <param name="width">Pixels in a row of the result.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="interpolation">How. <see cref="Interpolation.Area"/> is for making an image smaller.</param>
    /// <exception cref="ShmCvNoImageException">This object has no image.</exception>
    /// <exception cref="ShmCvTooSmallException">The result does not fit into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvInvalidException">The width or height is 0, the interpolation is unknown, or
    /// <paramref name="destination"/> overlaps this object, or is a view of another size, order or depth.</exception>
    /// <exception cref="ShmCvLimitException">The result is larger than the library's limits.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing in one of the two for 10 seconds.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="width"/> or <paramref name="height"/> is
    /// negative.</exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void ResizeInto(
        WritablePixels destination, int width, int height, Interpolation interpolation = Interpolation.Linear)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        using var from = Handle.Use();
        using var to = destination.Handle.Use();
        Error.Check(NativeMethods.shmcv_resize(from.Handle, to.Handle, (uint)width, (uint)height, (int)interpolation));
    }

    /// <summary>Turns the image by quarter turns into other pixels, whose image it becomes, rows without gaps.</summary>
    /// <param name="destination">The segment, frame or view that gets the result; it may be this object itself.</param>
    /// <param name="code">The turn.</param>
    /// <exception cref="ShmCvNoImageException">This object has no image.</exception>
    /// <exception cref="ShmCvTooSmallException">The image does not fit into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvInvalidException">The turn is unknown, or <paramref name="destination"/> is a view of another size,
    /// order or depth.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing in one of the two for 10 seconds.
    /// </exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void RotateInto(WritablePixels destination, RotateCode code)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var from = Handle.Use();
        using var to = destination.Handle.Use();
        Error.Check(NativeMethods.shmcv_rotate(from.Handle, to.Handle, (int)code));
    }

    /// <summary>
    /// Copies the image into other pixels in another colour order, rows without gaps. Alpha that is not there becomes
    /// opaque. Alpha that is not wanted is dropped. Gray is 0.299 R + 0.587 G + 0.114 B.
    /// </summary>
    /// <param name="destination">The segment or frame that gets the result; it may be this object itself.</param>
    /// <param name="order">The colour order of the result.</param>
    /// <exception cref="ShmCvNoImageException">This object has no image.</exception>
    /// <exception cref="ShmCvTooSmallException">The result does not fit into
    /// <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvInvalidException">The colour order is unknown.</exception>
    /// <exception cref="ShmCvBusyException">Another process has been storing in one of the two for 10 seconds.
    /// </exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void ConvertInto(WritablePixels destination, ColorOrder order)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var from = Handle.Use();
        using var to = destination.Handle.Use();
        Error.Check(NativeMethods.shmcv_convert(from.Handle, to.Handle, (int)order));
    }
}

public abstract partial class WritablePixels
{
    /// <summary>Mirrors the image in place. It keeps its stride.</summary>
    /// <param name="code">The direction.</param>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvInvalidException">The direction is unknown.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Flip(FlipCode code) => FlipInto(this, code);

    /// <summary>
    /// Turns the image in place by quarter turns. Half a turn keeps the stride; after a quarter, rows follow without gaps. A view
    /// that is turned by a quarter must be a square.
    /// </summary>
    /// <param name="code">The turn.</param>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvInvalidException">The turn is unknown, or this object is a view, and no square.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Rotate(RotateCode code) => RotateInto(this, code);
}
