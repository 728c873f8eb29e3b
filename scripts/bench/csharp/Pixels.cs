namespace Bench;

/// <summary>Pixels in memory, rows without gaps.</summary>
internal readonly unsafe record struct Pixels(nint Address, int Width, int Height, int PixelBytes)
{
    public int Bytes => checked(Width * Height * PixelBytes);

    public Span<byte> Span => new((void*)Address, Bytes);

    /// <summary>
    /// Something to look at: noise, the same each time. Where a pixel is of four bytes the fourth, its alpha, is opaque, so that
    /// no library may change the others for it.
    /// </summary>
    public Pixels Fill()
    {
        Span<byte> bytes = Span;
        new Random(1).NextBytes(bytes);
        for (int alpha = 3; PixelBytes == 4 && alpha < bytes.Length; alpha += 4)
        {
            bytes[alpha] = 255;
        }

        return this;
    }

    public void CopyTo(nint address) => Span.CopyTo(new Span<byte>((void*)address, Bytes));
}
