using ShmCv;

namespace Bench;

/// <summary>
/// Checks that a work does what it is measured for. Pixels are compared with those of plain loops, and files are read
/// by this library.
/// </summary>
internal static class Verification
{
    private const double Lossy = 3; // the mean difference of a sample that JPEG may make; that of another picture is tens

    private sealed record Picture(byte[] Bytes, int Width, int Height, int PixelBytes);

    /// <summary>Runs the work once.</summary>
    /// <exception cref="InvalidDataException">It has left other pixels.</exception>
    /// <exception cref="SkipException">It leaves no pixels and no file.</exception>
    public static void Of(Work work, Request request)
    {
        Picture? source = work.Source is null ? null : Copy(work.Source());
        work.Restore?.Invoke();
        work.Run();
        Picture? result = work.Result is null ? null : Copy(work.Result());
        switch (request["work"])
        {
            case "load":
                Compare(result!, Load(request["path"], result!.PixelBytes), request["format"] == "jpeg" ? 1 : 0);
                break;
            case "flip":
                Compare(result!, Flip(source!, request.Number("code")), 0);
                break;
            case "save":
                Compare(Load(request["path"], 3), Load(request["source"], 3), request["format"] == "jpeg" ? Lossy : 0);
                break;
            case "job":
                Compare(Load(request["out"], 3), Flip(Load(request["path"], 3), 1), Lossy);
                break;
            case "tobitmap" or "frombitmap":
                Compare(result!, Convert(source!, result!.PixelBytes), 0);
                break;
            default:
                throw new SkipException("nothing to look at");
        }
    }

    private static Picture Copy(Pixels pixels) => new(pixels.Span.ToArray(), pixels.Width, pixels.Height, pixels.PixelBytes);

    private static Picture Load(string path, int pixelBytes)
    {
        LoadFlags flags = pixelBytes == 4 ? LoadFlags.Bgra : LoadFlags.Color;
        ImageInfo image = ImageInfo.Probe(path, flags);
        using var segment = Segment.Create(SharedBlock.NewName(), image.Size);
        Segment.Clear(segment.Name);
        segment.Load(path, flags);
        return new Picture(segment.AsSpan()[..(int)image.Size].ToArray(), image.Width, image.Height, image.PixelSize);
    }

    private static Picture Flip(Picture source, int code)
    {
        byte[] flipped = new byte[source.Bytes.Length];
        for (int i = 0, pixel = source.PixelBytes; i < flipped.Length; i += pixel)
        {
            int x = i / pixel % source.Width, y = i / pixel / source.Width;
            x = code == 0 ? x : source.Width - 1 - x;
            y = code == 1 ? y : source.Height - 1 - y;
            source.Bytes.AsSpan(((y * source.Width) + x) * pixel, pixel).CopyTo(flipped.AsSpan(i));
        }

        return source with { Bytes = flipped };
    }

    private static Picture Convert(Picture source, int pixelBytes)
    {
        byte[] converted = new byte[source.Width * source.Height * pixelBytes];
        for (int i = 0; i < converted.Length; i++)
        {
            int sample = i % pixelBytes;
            converted[i] = sample < source.PixelBytes ? source.Bytes[(i / pixelBytes * source.PixelBytes) + sample] : (byte)255;
        }

        return source with { Bytes = converted, PixelBytes = pixelBytes };
    }

    private static void Compare(Picture found, Picture wanted, double tolerance)
    {
        if ((found.Width, found.Height, found.PixelBytes) != (wanted.Width, wanted.Height, wanted.PixelBytes))
        {
            throw new InvalidDataException(
                $"{found.Width} x {found.Height} x {found.PixelBytes}, and should be {wanted.Width} x {wanted.Height} x {wanted.PixelBytes}");
        }

        long difference = 0;
        for (int i = 0; i < found.Bytes.Length; i++)
        {
            difference += Math.Abs(found.Bytes[i] - wanted.Bytes[i]);
        }

        double mean = (double)difference / found.Bytes.Length;
        if (mean > tolerance)
        {
            throw new InvalidDataException($"samples are {mean:0.00} apart in the mean, and {tolerance} is what the format may do");
        }
    }
}
