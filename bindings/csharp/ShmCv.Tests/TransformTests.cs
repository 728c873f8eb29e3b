namespace ShmCv.Tests;

public sealed class TransformTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void FlippingIsThatOfOpenCV() => Vectors.Run("flip", row =>
    {
        using var image = _scratch.Load(row[0], Vectors.Flags(row[1]));
        using var flipped = _scratch.Create(image.Size);
        var code = (FlipCode)int.Parse(row[2]);
        image.FlipInto(flipped, code);
        Assert.Equal(row[3], Scratch.Checksum(flipped));
        Assert.Equal(image.Info, flipped.Info);
        image.Flip(code);
        Assert.Equal(row[3], Scratch.Checksum(image));
        Segments.Clear(image.Name);
        Segments.Clear(flipped.Name);
    });

    [Fact]
    public void AnUnknownDirectionIsRefused()
    {
        using var image = _scratch.Create(new ImageInfo(3, 3, ColorOrder.Gray));
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => image.Flip((FlipCode)2)).Code);
    }

    [Fact]
    public void TooSmallADestinationIsRefused()
    {
        using var image = _scratch.Create(new ImageInfo(30, 30, ColorOrder.Gray));
        using var small = _scratch.Create(899);
        Assert.Throws<ShmCvTooSmallException>(() => image.FlipInto(small, FlipCode.Vertical));
        Assert.Throws<ShmCvTooSmallException>(() => image.ConvertInto(small, ColorOrder.Gray));
        Assert.Throws<ShmCvNoImageException>(() => small.FlipInto(image, FlipCode.Vertical));
    }

    [Fact]
    public void ConvertingThereAndBackChangesNothing()
    {
        using var bgr = _scratch.Load("small-bgr.png");
        using var other = _scratch.Create(bgr.Size * 2);
        using var back = _scratch.Create(bgr.Size);
        foreach (var order in new[] { ColorOrder.Bgr, ColorOrder.Rgb, ColorOrder.Bgra, ColorOrder.Rgba })
        {
            bgr.ConvertInto(other, order);
            Assert.Equal(order, other.Info.Order);
            other.ConvertInto(back, ColorOrder.Bgr);
            Assert.Equal(Scratch.Pixels(bgr), Scratch.Pixels(back));
        }
    }
}
