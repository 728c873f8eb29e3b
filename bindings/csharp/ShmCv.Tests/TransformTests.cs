namespace ShmCv.Tests;

public sealed class TransformTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void FlippingIsThatOfOpenCV() => Vectors.Run("flip", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        using var flipped = _scratch.Create(segment.Size);
        var code = (FlipCode)int.Parse(row[2]);
        segment.FlipInto(flipped, code);
        Assert.Equal(row[3], Scratch.Checksum(flipped));
        Assert.Equal(segment.Image, flipped.Image);
        segment.Flip(code);
        Assert.Equal(row[3], Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
        Segment.Clear(flipped.Name);
    });

    [Fact]
    public void AnUnknownDirectionIsRefused()
    {
        using var segment = _scratch.Create(new ImageInfo(3, 3, ColorOrder.Gray));
        Assert.Throws<ShmCvInvalidException>(() => segment.Flip((FlipCode)2));
    }

    [Fact]
    public void TooSmallADestinationIsRefused()
    {
        using var segment = _scratch.Create(new ImageInfo(30, 30, ColorOrder.Gray));
        using var small = _scratch.Create(899);
        Assert.Throws<ShmCvTooSmallException>(() => segment.FlipInto(small, FlipCode.Vertical));
        Assert.Throws<ShmCvTooSmallException>(() => segment.ConvertInto(small, ColorOrder.Gray));
        Assert.Throws<ShmCvNoImageException>(() => small.FlipInto(segment, FlipCode.Vertical));
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
            Assert.Equal(order, other.Image.Order);
            other.ConvertInto(back, ColorOrder.Bgr);
            Assert.Equal(Scratch.Bytes(bgr), Scratch.Bytes(back));
        }
    }
}
