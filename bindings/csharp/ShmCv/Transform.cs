namespace ShmCv;

public sealed partial class SharedImage
{
    /// <summary>Mirrors the image into another segment, whose image it becomes, rows without gaps.</summary>
    /// <param name="destination">Where it goes; this object itself flips in place.</param>
    /// <param name="code">The direction.</param>
    /// <exception cref="ShmCvNoImageException">This segment holds no image.</exception>
    /// <exception cref="ShmCvTooSmallException">It does not fit into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: an unknown direction.</exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void FlipInto(SharedImage destination, FlipCode code)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var from = _handle.Use();
        using var to = destination._handle.Use();
        Error.Check(NativeMethods.shmcv_flip(from.Segment, to.Segment, (int)code));
    }

    /// <summary>Mirrors the image where it is. It keeps its stride.</summary>
    /// <param name="code">The direction.</param>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: an unknown direction.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Flip(FlipCode code) => FlipInto(this, code);

    /// <summary>
    /// Copies the image into another segment in another colour order, rows without gaps. Alpha that is not there becomes
    /// opaque; alpha that is not wanted is dropped; gray is 0.299 R + 0.587 G + 0.114 B.
    /// </summary>
    /// <param name="destination">Where it goes; this object itself converts in place.</param>
    /// <param name="order">The colour order that it gets.</param>
    /// <exception cref="ShmCvNoImageException">This segment holds no image.</exception>
    /// <exception cref="ShmCvTooSmallException">The result does not fit into <paramref name="destination"/>.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: an unknown colour order.</exception>
    /// <exception cref="ObjectDisposedException">One of the two objects is disposed.</exception>
    public void ConvertInto(SharedImage destination, ColorOrder order)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var from = _handle.Use();
        using var to = destination._handle.Use();
        Error.Check(NativeMethods.shmcv_convert(from.Segment, to.Segment, (int)order));
    }
}
