namespace ShmCv;

public sealed partial class SharedImage
{
    /// <summary>The quality that asks <see cref="Save"/> for the format's own default.</summary>
    public const int DefaultQuality = NativeMethods.QualityDefault;

    /// <summary>
    /// Reads the header of an image file and tells what <see cref="Load"/> would store with the same flags; its
    /// <see cref="ImageInfo.ByteSize"/> is the size that a segment needs.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="flags">Which channels and depth it should have.</param>
    /// <returns>The image that would be stored.</returns>
    /// <exception cref="ShmCvException">Those of <see cref="Load"/>; damage beyond the header is not seen.</exception>
    public static ImageInfo Probe(string path, LoadFlags flags = LoadFlags.Color)
    {
        Argument.Text(path);
        Error.Check(NativeMethods.shmcv_probe(path, (int)flags, out var image));
        return ImageInfo.From(image);
    }

    /// <summary>
    /// Decodes an image file (JPEG, PNG, WebP, TIFF, BMP, PNM) straight into the segment's memory, rows without gaps.
    /// When it fails, an image that the segment held is still there, whole.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="flags">Which channels and depth it should have; 8-bit BGR unless told otherwise.</param>
    /// <returns>The image that is now in the segment.</returns>
    /// <exception cref="ShmCvTooSmallException">The segment is too small; the message says how many bytes are needed.</exception>
    /// <exception cref="ShmCvNotFoundException">There is no such file.</exception>
    /// <exception cref="ShmCvPermissionException">The system does not let us read it.</exception>
    /// <exception cref="ShmCvDecodeException">The file is corrupt, truncated or empty.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Unsupported"/>: it is no image of a known format;
    /// <see cref="ErrorCode.Limit"/>: it is larger than the library handles; <see cref="ErrorCode.Invalid"/>: unknown
    /// flags, or a folder; <see cref="ErrorCode.IO"/>.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Load(string path, LoadFlags flags = LoadFlags.Color)
    {
        Argument.Text(path);
        using var call = _handle.Use();
        Error.Check(NativeMethods.shmcv_load(call.Segment, path, (int)flags, out var image));
        return ImageInfo.From(image);
    }

    /// <summary>
    /// Writes the image to a file, in the format that the extension names: .jpg .jpeg .png .webp .tif .tiff .bmp .pbm .pgm
    /// .ppm .pnm. The file appears under its name only when it is whole; one that was there is kept when saving fails.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="quality">0 to 100 for JPEG, 1 to 100 for WebP (above 100: lossless), the compression level 0 to 9 for
    /// PNG, or <see cref="DefaultQuality"/>.</param>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ShmCvNotFoundException">The folder is not there.</exception>
    /// <exception cref="ShmCvPermissionException">The system does not let us write there.</exception>
    /// <exception cref="ShmCvNoSpaceException">The disk is full.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Unsupported"/>: an unknown extension, or a depth that the format
    /// does not have; <see cref="ErrorCode.Invalid"/>: a quality out of range, or a folder; <see cref="ErrorCode.Encode"/>;
    /// <see cref="ErrorCode.IO"/>.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Save(string path, int quality = DefaultQuality)
    {
        Argument.Text(path);
        using var call = _handle.Use();
        Error.Check(NativeMethods.shmcv_save(call.Segment, path, quality));
    }
}
