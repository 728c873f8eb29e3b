namespace ShmCv;

public readonly partial record struct ImageInfo
{
    /// <summary>
    /// Reads the header of an image file and returns the image that <see cref="WritablePixels.Load"/> would store with
    /// the same flags. Its <see cref="Size"/> is the size that a segment needs for it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="flags">The channels and depth that the image should have.</param>
    /// <returns>The image that would be stored.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="WritablePixels.Load"/>. The file is not
    /// decoded, so damage beyond its header is not seen.</exception>
    public static ImageInfo Probe(string path, LoadFlags flags = LoadFlags.Color)
    {
        Argument.Text(path);
        Error.Check(NativeMethods.shmcv_probe(path, (int)flags, out var image));
        return From(image);
    }
}

public abstract partial class WritablePixels
{
    /// <summary>
    /// Decodes an image file (JPEG, PNG, WebP, TIFF, BMP, PNM, PFM, JPEG 2000) straight into the shared memory, rows without gaps. If
    /// it fails, an image that was there before is still there, whole.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="flags">The channels and depth that the image should have; 8-bit BGR by default.</param>
    /// <returns>The image that is now there.</returns>
    /// <exception cref="ShmCvTooSmallException">There is too little memory; the message says how many bytes are
    /// needed.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such file.</exception>
    /// <exception cref="ShmCvPermissionException">The system does not let this process read the file.</exception>
    /// <exception cref="ShmCvDecodeException">The file is corrupt, truncated or empty.</exception>
    /// <exception cref="ShmCvUnsupportedException">The file is no image of a known format.</exception>
    /// <exception cref="ShmCvLimitException">The image is larger than the library's limits.</exception>
    /// <exception cref="ShmCvInvalidException">The flags are unknown, or the path is that of a folder.</exception>
    /// <exception cref="ShmCvNoSpaceException">The process gets no more memory for the work.</exception>
    /// <exception cref="ShmCvIOException">Reading failed.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Load(string path, LoadFlags flags = LoadFlags.Color)
    {
        Argument.Text(path);
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_load(call.Handle, path, (int)flags, out var image));
        return ImageInfo.From(image);
    }
}

public abstract partial class Pixels
{
    /// <summary>
    /// Writes the image to a file, in the format that the extension names: .jpg .jpeg .png .webp .tif .tiff .bmp .pbm
    /// .pgm .ppm .pnm. The file appears under its name when it is whole. A file that was there before stays if saving
    /// fails.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="quality">0 to 100 for JPEG, 1 to 100 for WebP (above 100: lossless), the compression level 0 to 9
    /// for PNG, or <see cref="Constants.QualityDefault"/>.</param>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvNotFoundException">The folder is not there.</exception>
    /// <exception cref="ShmCvPermissionException">The system does not let this process write there.</exception>
    /// <exception cref="ShmCvNoSpaceException">The disk is full, or the process gets no more memory.</exception>
    /// <exception cref="ShmCvUnsupportedException">The extension is unknown, or the format does not have the image's
    /// depth.</exception>
    /// <exception cref="ShmCvInvalidException">The quality is out of range, or the path is that of a
    /// folder.</exception>
    /// <exception cref="ShmCvEncodeException">The image could not be encoded.</exception>
    /// <exception cref="ShmCvIOException">Writing failed.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Save(string path, int quality = Constants.QualityDefault)
    {
        Argument.Text(path);
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_save(call.Handle, path, quality));
    }
}
