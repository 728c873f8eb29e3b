using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace ShmCv;

public readonly partial record struct ImageInfo
{
    /// <summary>
    /// Reads the header of an image file and returns the image that <see cref="WritablePixels.Load(string, LoadFlags)"/> would store with
    /// the same flags. Its <see cref="Size"/> is the size that a segment needs for it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="flags">The channels and depth that the image should have.</param>
    /// <returns>The image that would be stored.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="WritablePixels.Load(string, LoadFlags)"/>. The file is not
    /// decoded, so damage beyond its header is not seen.</exception>
    [SuppressMessage("ApiDesign", "RS0027", Justification = "The second argument's type tells the overloads apart.")]
    public static ImageInfo Probe(string path, LoadFlags flags = LoadFlags.Color) =>
        Probe(path, new ShmcvLoadOptions { Flags = flags });

    /// <summary>
    /// Reads the header of an image file and returns the image that
    /// <see cref="WritablePixels.Load(string, LoadOptions)"/> would store with the same options.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <returns>The image that would be stored.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of
    /// <see cref="WritablePixels.Load(string, LoadOptions)"/>. The file is not decoded, so damage beyond its header is not
    /// seen.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is negative, or the region is
    /// empty.</exception>
    public static ImageInfo Probe(string path, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Probe(path, options.ToNative());
    }

    /// <summary>
    /// Returns the image that <see cref="WritablePixels.Decode(ReadOnlySpan{byte}, LoadFlags)"/> would store with the same
    /// flags.
    /// </summary>
    /// <param name="bytes">The bytes of an image file. The first ones suffice if they hold its header.</param>
    /// <param name="flags">The channels and depth that the image should have.</param>
    /// <returns>The image that would be stored.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of
    /// <see cref="WritablePixels.Decode(ReadOnlySpan{byte}, LoadFlags)"/>. The pixels are not decoded, so damage beyond the
    /// header is not seen.</exception>
    [SuppressMessage("ApiDesign", "RS0027", Justification = "The second argument's type tells the overloads apart.")]
    public static ImageInfo ProbeBytes(ReadOnlySpan<byte> bytes, LoadFlags flags = LoadFlags.Color) =>
        ProbeBytes(bytes, new ShmcvLoadOptions { Flags = flags });

    /// <summary>
    /// Returns the image that <see cref="WritablePixels.Decode(ReadOnlySpan{byte}, LoadOptions)"/> would store with the same
    /// options.
    /// </summary>
    /// <param name="bytes">The bytes of an image file. The first ones suffice if they hold its header.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <returns>The image that would be stored.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of
    /// <see cref="WritablePixels.Decode(ReadOnlySpan{byte}, LoadOptions)"/>. The pixels are not decoded, so damage beyond the
    /// header is not seen.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is negative, or the region is
    /// empty.</exception>
    public static ImageInfo ProbeBytes(ReadOnlySpan<byte> bytes, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return ProbeBytes(bytes, options.ToNative());
    }

    /// <summary>
    /// Returns a number of bytes that no result of <see cref="Pixels.Encode"/> exceeds for such an image,
    /// whatever its pixels and the quality are.
    /// </summary>
    /// <param name="extension">The extension that names the format, ".jpg" for example.</param>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="ShmCvUnsupportedException">The extension is unknown, or the format does not hold such an
    /// image.</exception>
    public long EncodeBound(string extension)
    {
        Argument.Text(extension);
        Error.Check(NativeMethods.shmcv_encode_bound(ToNative(), extension, out var bound));
        return (long)bound;
    }

    private static ImageInfo Probe(string path, in ShmcvLoadOptions options)
    {
        Argument.Text(path);
        Error.Check(NativeMethods.shmcv_probe_with(path, options, out var image));
        return From(image);
    }

    private static unsafe ImageInfo ProbeBytes(ReadOnlySpan<byte> bytes, in ShmcvLoadOptions options)
    {
        fixed (byte* start = bytes)
        {
            Error.Check(NativeMethods.shmcv_probe_bytes_with(start, (ulong)bytes.Length, options, out var image));
            return From(image);
        }
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
    [SuppressMessage("ApiDesign", "RS0027", Justification = "The second argument's type tells the overloads apart.")]
    public ImageInfo Load(string path, LoadFlags flags = LoadFlags.Color) =>
        Load(path, new ShmcvLoadOptions { Flags = flags });

    /// <summary>
    /// Decodes an image file as <see cref="Load(string, LoadFlags)"/> does: a part of the image, smaller or larger, in the
    /// order that is wanted.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <returns>The image that is now there.</returns>
    /// <exception cref="ShmCvInvalidException">The options contradict each other, the region reaches beyond the image, or
    /// the path is that of a folder.</exception>
    /// <exception cref="ShmCvException">The other exceptions are those of
    /// <see cref="Load(string, LoadFlags)"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is negative, or the region is
    /// empty.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Load(string path, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Load(path, options.ToNative());
    }

    /// <summary>
    /// Decodes the bytes of an image file straight into the shared memory, as <see cref="Load(string, LoadFlags)"/> does. If it fails, an image
    /// that was there before is still there, whole.
    /// </summary>
    /// <param name="bytes">The bytes. They must not change meanwhile, unless they are in a segment or a frame.</param>
    /// <param name="flags">The channels and depth that the image should have; 8-bit BGR by default.</param>
    /// <returns>The image that is now there.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Load(string, LoadFlags)"/> that are not about a
    /// path.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    [SuppressMessage("ApiDesign", "RS0027", Justification = "The second argument's type tells the overloads apart.")]
    public ImageInfo Decode(ReadOnlySpan<byte> bytes, LoadFlags flags = LoadFlags.Color) =>
        Decode(bytes, new ShmcvLoadOptions { Flags = flags });

    /// <summary>
    /// Decodes the bytes of an image file straight into the shared memory, as <see cref="Load(string, LoadOptions)"/> does.
    /// </summary>
    /// <param name="bytes">The bytes. They must not change meanwhile, unless they are in a segment or a frame.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <returns>The image that is now there.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Load(string, LoadOptions)"/> that are not
    /// about a path.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is negative, or the region is
    /// empty.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo Decode(ReadOnlySpan<byte> bytes, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Decode(bytes, options.ToNative());
    }

    /// <summary>Decodes the rest of a stream, which is the bytes of an image file.</summary>
    /// <param name="source">The stream. It is read to its end, and stays open.</param>
    /// <param name="flags">The channels and depth that the image should have; 8-bit BGR by default.</param>
    /// <returns>The image that is now there.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Load(string, LoadFlags)"/> that are not about a
    /// path.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    [SuppressMessage("ApiDesign", "RS0027", Justification = "The second argument's type tells the overloads apart.")]
    public ImageInfo DecodeFrom(Stream source, LoadFlags flags = LoadFlags.Color) =>
        DecodeFrom(source, new ShmcvLoadOptions { Flags = flags });

    /// <summary>Decodes the rest of a stream, which is the bytes of an image file.</summary>
    /// <param name="source">The stream. It is read to its end, and stays open.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <returns>The image that is now there.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Load(string, LoadOptions)"/> that are not
    /// about a path.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is negative, or the region is
    /// empty.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public ImageInfo DecodeFrom(Stream source, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return DecodeFrom(source, options.ToNative());
    }

    private ImageInfo Load(string path, in ShmcvLoadOptions options)
    {
        Argument.Text(path);
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_load_with(call.Handle, path, options, out var image));
        return ImageInfo.From(image);
    }

    private unsafe ImageInfo Decode(ReadOnlySpan<byte> bytes, in ShmcvLoadOptions options)
    {
        using var call = Handle.Use();
        fixed (byte* start = bytes)
        {
            Error.Check(NativeMethods.shmcv_decode_with(call.Handle, start, (ulong)bytes.Length, options, out var image));
            return ImageInfo.From(image);
        }
    }

    private ImageInfo DecodeFrom(Stream source, in ShmcvLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source is MemoryStream there && there.TryGetBuffer(out var all))
        {
            var rest = all.AsSpan((int)Math.Min(there.Position, all.Count));
            there.Seek(0, SeekOrigin.End);
            return Decode(rest, options);
        }

        using var copy = new MemoryStream(source.CanSeek ? (int)Math.Clamp(source.Length - source.Position, 0, Array.MaxLength) : 0);
        source.CopyTo(copy);
        return Decode(copy.GetBuffer().AsSpan(0, (int)copy.Length), options);
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

    /// <summary>Returns what <see cref="Save"/> would write to a file with that extension.</summary>
    /// <param name="extension">The extension that names the format, ".jpg" for example.</param>
    /// <param name="quality">As for <see cref="Save"/>.</param>
    /// <returns>The bytes of the file.</returns>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Save"/> that are not about a
    /// path.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public byte[] Encode(string extension, int quality = Constants.QualityDefault)
    {
        byte[] made = [];
        Deliver(extension, quality, bytes => made = bytes.ToArray());
        return made;
    }

    /// <summary>Writes what <see cref="Save"/> would write to a file with that extension to a stream.</summary>
    /// <param name="destination">The stream. It stays open, and gets nothing if encoding fails.</param>
    /// <param name="extension">The extension that names the format, ".jpg" for example.</param>
    /// <param name="quality">As for <see cref="Save"/>.</param>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Save"/> that are not about a
    /// path.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void EncodeTo(Stream destination, string extension, int quality)
    {
        ArgumentNullException.ThrowIfNull(destination);
        Deliver(extension, quality, destination.Write);
    }

    /// <summary>Writes what <see cref="Save"/> would write to a file with that extension to a buffer writer, as a pipe
    /// has one.</summary>
    /// <param name="destination">The writer. It gets nothing if encoding fails.</param>
    /// <param name="extension">The extension that names the format, ".jpg" for example.</param>
    /// <param name="quality">As for <see cref="Save"/>.</param>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Save"/> that are not about a
    /// path.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void EncodeTo(IBufferWriter<byte> destination, string extension, int quality)
    {
        ArgumentNullException.ThrowIfNull(destination);
        Deliver(extension, quality, bytes => destination.Write(bytes));
    }

    /// <summary>Writes what <see cref="Save"/> would write to a file with that extension into a span.</summary>
    /// <param name="destination">The span. <see cref="ImageInfo.EncodeBound"/> tells how long a span always suffices. It may be
    /// of another segment.</param>
    /// <param name="extension">The extension that names the format, ".jpg" for example.</param>
    /// <param name="quality">As for <see cref="Save"/>.</param>
    /// <returns>The number of bytes that were written.</returns>
    /// <exception cref="ShmCvTooSmallException">The bytes do not fit; the message says how many there are.</exception>
    /// <exception cref="ShmCvException">The exceptions are those of <see cref="Save"/> that are not about a
    /// path.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public unsafe int EncodeTo(Span<byte> destination, string extension, int quality)
    {
        Argument.Text(extension);
        using var call = Handle.Use();
        fixed (byte* start = destination)
        {
            Error.Check(NativeMethods.shmcv_encode(call.Handle, extension, quality, start, (ulong)destination.Length, out var size));
            return (int)size;
        }
    }

    // A buffer of the largest size takes only the pages that are written to, unlike an array, which is cleared.
    private unsafe void Deliver(string extension, int quality, Receiver receive)
    {
        Argument.Text(extension);
        var capacity = (ulong)Image.EncodeBound(extension);
        using var call = Handle.Use();
        while (true)
        {
            var buffer = (byte*)NativeMemory.Alloc((nuint)capacity);
            try
            {
                var status = NativeMethods.shmcv_encode(call.Handle, extension, quality, buffer, capacity, out var size);
                if (status != ErrorCode.TooSmall)
                {
                    Error.Check(status);
                    receive(new ReadOnlySpan<byte>(buffer, checked((int)size)));
                    return;
                }

                capacity = size; // another process has stored a larger image meanwhile
            }
            finally
            {
                NativeMemory.Free(buffer);
            }
        }
    }

    private delegate void Receiver(ReadOnlySpan<byte> bytes);
}
