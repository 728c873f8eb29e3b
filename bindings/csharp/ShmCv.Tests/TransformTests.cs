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
    public void ResizingIsThatOfOpenCV() => Vectors.Run("resize", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var (width, height) = (int.Parse(row[2]), int.Parse(row[3]));
        using var resized = _scratch.Create((long)width * height * segment.Image.PixelSize);
        segment.ResizeInto(resized, width, height, (Interpolation)int.Parse(row[4]));
        Assert.Equal(row[5], Scratch.Checksum(resized));
        Assert.Equal(new ImageInfo(width, height, segment.Image.Order, segment.Image.Depth), resized.Image);
        Segment.Clear(segment.Name);
        Segment.Clear(resized.Name);
    });

    [Fact]
    public void RotatingIsThatOfOpenCV() => Vectors.Run("rotate", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        using var turned = _scratch.Create(segment.Size);
        var code = (RotateCode)int.Parse(row[2]);
        segment.RotateInto(turned, code);
        Assert.Equal(row[3], Scratch.Checksum(turned));
        segment.Rotate(code);
        Assert.Equal(row[3], Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
        Segment.Clear(turned.Name);
    });

    [Fact]
    public void WhatMakesNoSenseIsRefusedAndNamed()
    {
        using var segment = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Bgr));
        using var other = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Bgr));
        other.AsSpan().Fill(9);
        Assert.Contains("width", Invalid(() => segment.ResizeInto(other, 0, 4)), StringComparison.Ordinal);
        Assert.Contains("height", Invalid(() => segment.ResizeInto(other, 4, 0)), StringComparison.Ordinal);
        Assert.Contains("interpolation 5", Invalid(() => segment.ResizeInto(other, 2, 2, (Interpolation)5)), StringComparison.Ordinal);
        Assert.Contains("overlap", Invalid(() => segment.ResizeInto(segment, 2, 2)), StringComparison.Ordinal);
        Assert.Contains("code 3", Invalid(() => segment.RotateInto(other, (RotateCode)3)), StringComparison.Ordinal);
        Assert.Equal("width", Assert.Throws<ArgumentOutOfRangeException>(() => segment.ResizeInto(other, -1, 4)).ParamName);
        Assert.Throws<ShmCvTooSmallException>(() => segment.ResizeInto(other, 5, 5));
        Assert.Throws<ArgumentNullException>(() => segment.CopyInto(null!));
        Assert.Equal(-1, other.AsSpan().IndexOfAnyExcept((byte)9));

        static string Invalid(Action use) => Assert.Throws<ShmCvInvalidException>(use).Message;
    }

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
