namespace Bench;

/// <summary>Pixels in memory, rows without gaps.</summary>
internal readonly unsafe record struct Pixels(nint Address, int Width, int Height, int PixelBytes)
{
    public int Bytes => checked(Width * Height * PixelBytes);

    public Span<byte> Span => new((void*)Address, Bytes);

    /// <summary>
    /// Fills the pixels with noise, the same each time. If a pixel has four bytes, the fourth is opaque alpha, so that
    /// no library changes the other three because of it.
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
