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
}
