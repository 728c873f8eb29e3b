using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmCv.SkiaSharp;

/// <summary>
/// Finds out whether pixels with alpha are opaque, each of them. Skia draws opaque pixels many times as fast as pixels
/// that are not known to be so. To look costs a few milliseconds for 4K, and nearly nothing for an image with transparency
/// near its beginning.
/// </summary>
internal static class Transparency
{
    /// <summary>Returns true if the pixels have no alpha, or only alpha that means opaque.</summary>
    internal static bool IsNone(ReadOnlySpan<byte> pixels, ImageInfo image)
    {
        if (!image.HasAlpha)
        {
            return true;
        }

        for (var y = 0; y < image.Height; y++)
        {
            var row = pixels.Slice(checked((int)((long)y * image.Stride)), image.RowSize);
            var opaque = image.Depth switch
            {
                Depth.U8 => AllHave(MemoryMarshal.Cast<byte, uint>(row), Last(0xFFu, 24)),
                Depth.U16 => AllHave(MemoryMarshal.Cast<byte, ulong>(row), Last(0xFFFFul, 48)),
                _ => AllOne(MemoryMarshal.Cast<byte, float>(row)),
            };
            if (!opaque)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Returns the mask of the last sample of a pixel.</summary>
    private static T Last<T>(T sample, int shift)
        where T : IShiftOperators<T, int, T> => BitConverter.IsLittleEndian ? sample << shift : sample;

    // Compiled at once for speed: the first version that the runtime makes would take several times as long.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AllHave<T>(ReadOnlySpan<T> pixels, T bits)
        where T : struct, IBinaryInteger<T>
    {
        var all = bits;
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(pixels);
        var allOfVectors = new Vector<T>(bits);
        foreach (var vector in vectors)
        {
            allOfVectors &= vector;
        }

        foreach (var pixel in pixels[(vectors.Length * Vector<T>.Count)..])
        {
            all &= pixel;
        }

        return all == bits && Vector.EqualsAll(allOfVectors, new Vector<T>(bits));
    }

    private static bool AllOne(ReadOnlySpan<float> samples)
    {
        for (var i = 3; i < samples.Length; i += 4)
        {
            if (!(samples[i] >= 1))
            {
                return false;
            }
        }

        return true;
    }
}
