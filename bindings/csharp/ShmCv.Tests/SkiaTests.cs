using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmCv.SkiaSharp;
using SkiaSharp;

namespace ShmCv.Tests;

[Collection(nameof(OpenSegments))]
public sealed class SkiaTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    // Odd widths, rows without a gap and with one.
    public static TheoryData<ColorOrder, int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<ColorOrder, int, int, int>();
            foreach (var order in Enum.GetValues<ColorOrder>())
            {
                var size = new ImageInfo(1, 1, order).PixelSize;
                foreach (var (width, height) in new[] { (1, 1), (7, 5), (67, 43), (301, 1), (1, 301) })
                {
                    shapes.Add(order, width, height, width * size);
                    shapes.Add(order, width, height, (width + 5) * size);
                }
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ToSkiaAndBackChangesNothing(ColorOrder order, int width, int height, int stride)
    {
        using var segment = _scratch.Create(new ImageInfo(width, height, order, stride: stride));
        using var bitmap = segment.ToSKBitmap();
        AssertSamePixels(segment, bitmap);

        using var back = _scratch.Create(width * height * 4);
        back.CopyFrom(bitmap, order);
        Assert.Equal(new ImageInfo(width, height, order), back.Image);
        Assert.Equal(Scratch.Bytes(segment), Scratch.Bytes(back));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ABitmapThatIsThereGetsThePixelsOfTheSegment(ColorOrder order, int width, int height, int stride)
    {
        using var segment = _scratch.Create(new ImageInfo(width, height, order, stride: stride));
        var info = segment.Image.ToSKImageInfo();
        using var bitmap = new SKBitmap(info, info.RowBytes + (3 * info.BytesPerPixel));
        bitmap.GetPixelSpan().Fill(0x5A);
        var memory = bitmap.GetPixels();
        segment.CopyTo(bitmap);
        AssertSamePixels(segment, bitmap);
        segment.AsSpan()[0] ^= 0xFF;
        segment.CopyTo(bitmap);
        AssertSamePixels(segment, bitmap);

        Assert.Equal(memory, bitmap.GetPixels());
        for (var y = 0; y < height - 1; y++)
        {
            var gap = bitmap.GetPixelSpan()[((y * bitmap.RowBytes) + info.RowBytes)..((y + 1) * bitmap.RowBytes)];
            Assert.Equal(-1, gap.IndexOfAnyExcept((byte)0x5A));
        }
    }

    [Theory]
    [InlineData(ColorOrder.Bgr, Depth.U8, SKColorType.Rgba8888, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Rgb, Depth.U8, SKColorType.Bgra8888, SKAlphaType.Premul)]
    [InlineData(ColorOrder.Gray, Depth.U8, SKColorType.Bgra8888, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Bgra, Depth.U8, SKColorType.Rgba8888, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Rgba, Depth.U8, SKColorType.Bgra8888, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Bgra, Depth.U8, SKColorType.Gray8, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgra, Depth.U8, SKColorType.Rgb888x, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgr, Depth.U16, SKColorType.Rgba16161616, SKAlphaType.Premul)]
    [InlineData(ColorOrder.Bgra, Depth.F32, SKColorType.RgbaF32, SKAlphaType.Unpremul)]
    public void ABitmapThatIsThereKeepsItsColourType(ColorOrder order, Depth depth, SKColorType type, SKAlphaType alpha)
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, order, depth));
        using var bitmap = new SKBitmap(new SKImageInfo(7, 5, type, alpha));
        segment.CopyTo(bitmap);

        var wantedOrder = type switch
        {
            SKColorType.Gray8 => ColorOrder.Gray,
            SKColorType.Bgra8888 => ColorOrder.Bgra,
            _ => ColorOrder.Rgba,
        };
        var wanted = new byte[bitmap.ByteCount];
        segment.Read(wanted, new ImageInfo(7, 5, wantedOrder, depth));
        Assert.Equal(wanted, bitmap.GetPixelSpan().ToArray());
    }

    [Theory]
    [InlineData(ColorOrder.Bgr, 8, 5, SKColorType.Bgra8888, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgr, 7, 4, SKColorType.Bgra8888, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgr, 7, 5, SKColorType.Rgba16161616, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgr, 7, 5, SKColorType.Rgb565, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgra, 7, 5, SKColorType.Bgra8888, SKAlphaType.Opaque)]
    public void ABitmapThatCannotHoldTheImageIsRefused(ColorOrder order, int width, int height, SKColorType type, SKAlphaType alpha)
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, order));
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, type, alpha));
        bitmap.GetPixelSpan().Fill(0x5A);
        var message = Assert.Throws<ArgumentException>(() => segment.CopyTo(bitmap)).Message;
        Assert.Contains($"{width} x {height} {type} {alpha}", message, StringComparison.Ordinal);
        Assert.Contains($"7 x 5 Bgra8888 {segment.Image.ToSKImageInfo().AlphaType}", message, StringComparison.Ordinal);
        Assert.Equal(-1, bitmap.GetPixelSpan().IndexOfAnyExcept((byte)0x5A));
    }

    [Fact]
    public void NothingIsCopiedIntoAnEmptyOrImmutableBitmapOrFromAnEmptySegment()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgr));
        using var none = _scratch.Create(100);
        using var bitmap = new SKBitmap(segment.Image.ToSKImageInfo());
        using var empty = new SKBitmap();
        Assert.Throws<ArgumentException>(() => segment.CopyTo(empty));
        Assert.Throws<ShmCvNoImageException>(() => none.CopyTo(bitmap));
        bitmap.SetImmutable(); // pictures may share its pixels
        Assert.Throws<InvalidOperationException>(() => segment.CopyTo(bitmap));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AViewHasThePixelsOfTheSegment(ColorOrder order, int width, int height, int stride)
    {
        using var segment = _scratch.Create(new ImageInfo(width, height, order, stride: stride));
        if (order is ColorOrder.Bgr or ColorOrder.Rgb)
        {
            Assert.Contains(segment.Name, Assert.Throws<NotSupportedException>(() => segment.AsSKBitmap()).Message, StringComparison.Ordinal);
            segment.Dispose();
            Assert.False(LifetimeTests.IsOpen(segment.Name)); // the refusal has released the segment
            return;
        }

        using var bitmap = segment.AsSKBitmap();
        Assert.Equal(stride, bitmap.RowBytes);
        AssertSamePixels(segment, bitmap);
        segment.AsSpan()[^1] ^= 0xFF; // the last sample of the last pixel; there is no gap after it
        AssertSamePixels(segment, bitmap);
    }

    [Theory]
    [InlineData(ColorOrder.Gray, Depth.U8, SKColorType.Gray8, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgr, Depth.U8, SKColorType.Bgra8888, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Rgb, Depth.U8, SKColorType.Bgra8888, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgra, Depth.U8, SKColorType.Bgra8888, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Rgba, Depth.U8, SKColorType.Rgba8888, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Gray, Depth.U16, SKColorType.Rgba16161616, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgr, Depth.U16, SKColorType.Rgba16161616, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Bgra, Depth.U16, SKColorType.Rgba16161616, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Rgba, Depth.U16, SKColorType.Rgba16161616, SKAlphaType.Unpremul)]
    [InlineData(ColorOrder.Bgr, Depth.F32, SKColorType.RgbaF32, SKAlphaType.Opaque)]
    [InlineData(ColorOrder.Rgba, Depth.F32, SKColorType.RgbaF32, SKAlphaType.Unpremul)]
    public void ColourAndAlphaTypeAreStated(ColorOrder order, Depth depth, SKColorType colorType, SKAlphaType alphaType)
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, order, depth));
        using var bitmap = segment.ToSKBitmap();
        Assert.Equal(new SKImageInfo(7, 5, colorType, alphaType), bitmap.Info);
        Assert.Equal(bitmap.Info, segment.Image.ToSKImageInfo());

        using var back = _scratch.Create(1000);
        back.CopyFrom(bitmap, order);
        Assert.Equal(segment.Image, back.Image);
        if (order != ColorOrder.Gray || depth == Depth.U8)
        {
            Assert.Equal(Scratch.Bytes(segment), Scratch.Bytes(back));
        }
    }

    [Fact]
    public void SixteenBitsAndFloatsAreSharedToo()
    {
        using var deep = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Rgba, Depth.U16));
        using var floats = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Rgba, Depth.F32));
        using var deepBitmap = deep.AsSKBitmap();
        using var floatBitmap = floats.AsSKBitmap();
        Assert.Equal(SKColorType.Rgba16161616, deepBitmap.ColorType);
        Assert.Equal(SKColorType.RgbaF32, floatBitmap.ColorType);
        Assert.True(deep.AsSpan().SequenceEqual(deepBitmap.GetPixelSpan()));
        Assert.True(floats.AsSpan().SequenceEqual(floatBitmap.GetPixelSpan()));
    }

    [Fact]
    public void WhatSkiaDrawsIsInTheSegment()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgra, stride: 40));
        var before = segment.AsSpan().ToArray();
        using (var bitmap = segment.AsSKBitmap())
        using (var canvas = new SKCanvas(bitmap))
        using (var paint = new SKPaint { Color = new SKColor(red: 10, green: 20, blue: 30), IsAntialias = false })
        {
            canvas.DrawRect(2, 1, 3, 2, paint);
        }

        for (var y = 0; y < 5; y++)
        {
            for (var x = 0; x < 10; x++)
            {
                var at = (y * 40) + (x * 4);
                if (at + 4 > before.Length)
                {
                    continue;
                }

                byte[] wanted = x is >= 2 and < 5 && y is >= 1 and < 3 ? [30, 20, 10, 255] : before[at..(at + 4)];
                Assert.Equal(wanted, segment.AsSpan().Slice(at, 4).ToArray());
            }
        }
    }

    [Fact]
    public void RowsThatSkiaCannotAddressAreRefusedAsAViewAndCopied()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgra, stride: 31));
        Assert.Contains("stride 31", Assert.Throws<NotSupportedException>(() => segment.AsSKBitmap()).Message, StringComparison.Ordinal);
        using var bitmap = segment.ToSKBitmap();
        AssertSamePixels(segment, bitmap);
        segment.Dispose();
        Assert.False(LifetimeTests.IsOpen(segment.Name));
    }

    // The segment must hold the colours that Skia's own conversion to 8-bit unpremultiplied BGRA gives.
    [Theory]
    [InlineData(SKColorType.Bgra8888)]
    [InlineData(SKColorType.Rgba8888)]
    [InlineData(SKColorType.Rgb888x)]
    [InlineData(SKColorType.Gray8)]
    [InlineData(SKColorType.Rgb565)]
    [InlineData(SKColorType.Argb4444)]
    [InlineData(SKColorType.Srgba8888)]
    public void BitmapsOfEveryColourTypeAreCopied(SKColorType type)
    {
        foreach (var alpha in new[] { SKAlphaType.Opaque, SKAlphaType.Premul, SKAlphaType.Unpremul })
        {
            var info = new SKImageInfo(7, 5, type, alpha);
            var rowBytes = info.RowBytes + (3 * info.BytesPerPixel);
            using var bitmap = new SKBitmap(info, rowBytes);
            DrawOn(bitmap);
            if (bitmap.AlphaType != alpha)
            {
                continue; // the type has no alpha
            }

            using var segment = _scratch.Create(1000);
            segment.CopyFrom(bitmap);
            Assert.Equal(alpha != SKAlphaType.Opaque, segment.Image.HasAlpha);
            using var reference = Reference(bitmap);
            using var found = segment.ToSKBitmap();
            for (var y = 0; y < 5; y++)
            {
                for (var x = 0; x < 7; x++)
                {
                    Assert.Equal(reference.GetPixel(x, y), found.GetPixel(x, y));
                }
            }
        }
    }

    [Theory]
    [InlineData(SKColorType.Rgba16161616, Depth.U16)]
    [InlineData(SKColorType.Rgba1010102, Depth.U16)]
    [InlineData(SKColorType.Bgra1010102, Depth.U16)]
    [InlineData(SKColorType.Rgb101010x, Depth.U16)]
    [InlineData(SKColorType.Bgr101010x, Depth.U16)]
    [InlineData(SKColorType.Rgba10x6, Depth.U16)]
    [InlineData(SKColorType.RgbaF16, Depth.F32)]
    [InlineData(SKColorType.RgbaF16Clamped, Depth.F32)]
    [InlineData(SKColorType.Bgr101010xXR, Depth.F32)]
    [InlineData(SKColorType.RgbaF32, Depth.F32)]
    public void DeepBitmapsKeepTheirDepth(SKColorType type, Depth depth)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(7, 5, type, SKAlphaType.Premul));
        DrawOn(bitmap);
        using var segment = _scratch.Create(1000);
        segment.CopyFrom(bitmap);
        Assert.Equal(depth, segment.Image.Depth);
        using var reference = Reference(bitmap);
        using var found = Reference(segment.ToSKBitmap());
        for (var y = 0; y < 5; y++)
        {
            for (var x = 0; x < 7; x++)
            {
                var (wanted, got) = (reference.GetPixel(x, y), found.GetPixel(x, y));
                Assert.InRange(got.Red, wanted.Red - 1, wanted.Red + 1); // two roundings instead of one
                Assert.InRange(got.Green, wanted.Green - 1, wanted.Green + 1);
                Assert.InRange(got.Blue, wanted.Blue - 1, wanted.Blue + 1);
                Assert.InRange(got.Alpha, wanted.Alpha - 1, wanted.Alpha + 1);
            }
        }
    }

    [Theory]
    [InlineData(SKColorType.Alpha8)]
    [InlineData(SKColorType.Alpha16)]
    [InlineData(SKColorType.AlphaF16)]
    [InlineData(SKColorType.Rg88)]
    [InlineData(SKColorType.Rg1616)]
    [InlineData(SKColorType.RgF16)]
    [InlineData(SKColorType.R8Unorm)]
    public void ColourTypesThatAreNoPictureAreNamed(SKColorType type)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(7, 5, type, SKAlphaType.Premul));
        using var segment = _scratch.Create(new ImageInfo(3, 3, ColorOrder.Gray));
        Assert.Contains($"{type}", Assert.Throws<NotSupportedException>(() => segment.CopyFrom(bitmap)).Message, StringComparison.Ordinal);
        Assert.Equal(new ImageInfo(3, 3, ColorOrder.Gray), segment.Image);
    }

    [Theory]
    [InlineData(SKAlphaType.Opaque)]
    [InlineData(SKAlphaType.Premul)]
    [InlineData(SKAlphaType.Unpremul)]
    public void TheOrderInTheSegmentCanBeChosen(SKAlphaType alpha)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(7, 5, SKColorType.Rgba8888, alpha));
        DrawOn(bitmap);
        using var reference = Reference(bitmap);
        foreach (var order in Enum.GetValues<ColorOrder>())
        {
            using var segment = _scratch.Create(1000);
            segment.CopyFrom(bitmap, order);
            Assert.Equal(order, segment.Image.Order);
            var pixel = segment.AsSpan().Slice(((2 * 7) + 3) * segment.Image.PixelSize, segment.Image.PixelSize).ToArray();
            var color = reference.GetPixel(3, 2);
            byte[] wanted = order switch
            {
                ColorOrder.Bgr => [color.Blue, color.Green, color.Red],
                ColorOrder.Rgb => [color.Red, color.Green, color.Blue],
                ColorOrder.Bgra => [color.Blue, color.Green, color.Red, color.Alpha],
                ColorOrder.Rgba => [color.Red, color.Green, color.Blue, color.Alpha],
                _ => [(byte)Math.Round((0.299 * color.Red) + (0.587 * color.Green) + (0.114 * color.Blue))],
            };
            Assert.Equal(wanted, pixel);
        }
    }

    // Each image is opaque at first. Then one pixel, anywhere, is not.
    [Theory]
    [InlineData(ColorOrder.Bgra, Depth.U8)]
    [InlineData(ColorOrder.Rgba, Depth.U8)]
    [InlineData(ColorOrder.Rgba, Depth.U16)]
    [InlineData(ColorOrder.Rgba, Depth.F32)]
    public void PixelsWithoutTransparencyAreOpaqueUnlessAskedOtherwise(ColorOrder order, Depth depth)
    {
        var size = new ImageInfo(1, 1, order, depth).PixelSize;
        using var segment = _scratch.Create(new ImageInfo(67, 5, order, depth, 71 * size));
        var image = segment.Image;
        byte[] one = depth switch
        {
            Depth.U8 => [255],
            Depth.U16 => [255, 255],
            _ => BitConverter.GetBytes(1f),
        };
        var alphas = Enumerable.Range(0, 67 * 5).Select(i => (i / 67 * image.Stride) + (i % 67 * size) + (3 * size / 4)).ToArray();
        Array.ForEach(alphas, at => one.CopyTo(segment.AsSpan()[at..]));

        AssertAlpha(null, SKAlphaType.Opaque);
        foreach (var alpha in new[] { SKAlphaType.Opaque, SKAlphaType.Premul, SKAlphaType.Unpremul })
        {
            AssertAlpha(alpha, alpha);
        }

        foreach (var at in alphas)
        {
            segment.AsSpan().Slice(at, size / 4).Clear();
            using var bitmap = segment.AsSKBitmap();
            Assert.Equal(SKAlphaType.Unpremul, bitmap.AlphaType);
            one.CopyTo(segment.AsSpan()[at..]);
        }

        segment.AsSpan()[alphas[^1]] = 0;
        AssertAlpha(null, depth == Depth.F32 ? SKAlphaType.Opaque : SKAlphaType.Unpremul); // the last byte of 1f is not 0
        Assert.Throws<ArgumentException>(() => segment.AsSKBitmap(SKAlphaType.Unknown));
        Assert.Throws<ArgumentException>(() => segment.ToSKBitmap(SKAlphaType.Unknown));

        void AssertAlpha(SKAlphaType? asked, SKAlphaType wanted)
        {
            using var shared = segment.AsSKBitmap(asked);
            using var picture = segment.AsSKImage(asked);
            using var copied = segment.ToSKBitmap(asked);
            Assert.Equal([wanted, wanted, wanted], [shared.AlphaType, picture.AlphaType, copied.AlphaType]);
            Assert.Equal(segment.Image.ToSKImageInfo(wanted), shared.Info);
        }
    }

    [Fact]
    public void AnImageWithoutAlphaIsOpaqueWhateverIsAsked()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Gray));
        using var shared = segment.AsSKBitmap(SKAlphaType.Premul);
        using var copied = segment.ToSKBitmap(SKAlphaType.Unpremul);
        Assert.Equal([SKAlphaType.Opaque, SKAlphaType.Opaque], [shared.AlphaType, copied.AlphaType]);
    }

    [Fact]
    public void ColoursAreMultipliedByAlphaWhereThatIsAsked()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgra));
        using var wanted = new SKBitmap(new SKImageInfo(7, 5, SKColorType.Bgra8888, SKAlphaType.Premul));
        using (var shared = segment.AsSKBitmap())
        using (var pixmap = shared.PeekPixels())
        {
            Assert.True(pixmap.ReadPixels(wanted.Info, wanted.GetPixels(), wanted.RowBytes));
        }

        using var copied = segment.ToSKBitmap(SKAlphaType.Premul);
        Assert.Equal(wanted.GetPixelSpan().ToArray(), copied.GetPixelSpan().ToArray());
        copied.GetPixelSpan().Clear();
        segment.CopyTo(copied);
        Assert.Equal(wanted.GetPixelSpan().ToArray(), copied.GetPixelSpan().ToArray());

        using var stored = _scratch.Create(7 * 5 * 4);
        stored.CopyFrom(copied, alphaType: SKAlphaType.Premul);
        Assert.Equal(wanted.GetPixelSpan().ToArray(), Scratch.Bytes(stored));
        Assert.Throws<ArgumentException>(() => stored.CopyFrom(copied, alphaType: SKAlphaType.Opaque));
    }

    [Fact]
    public void AnOpaqueBitmapOfAnImageIsFilledAgain()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgra));
        segment.AsSpan().Fill(255);
        using var bitmap = segment.ToSKBitmap();
        segment.AsSpan()[0] = 7;
        segment.CopyTo(bitmap);
        Assert.Equal(7, bitmap.GetPixelSpan()[0]);
        segment.AsSpan()[3] = 7;
        Assert.Throws<ArgumentException>(() => segment.CopyTo(bitmap));
    }

    [Fact]
    public void ABitmapOfAFrameIsImmutable()
    {
        using var stream = FrameStream.Create(_scratch.Name(), 7 * 5 * 4);
        using (var begun = stream.Begin())
        {
            begun.AsSpan().Fill(255);
            begun.Image = new ImageInfo(7, 5, ColorOrder.Bgra);
            using var drawn = begun.AsSKBitmap();
            Assert.Equal((false, SKAlphaType.Unpremul), (drawn.IsImmutable, drawn.AlphaType));
            begun.Publish();
        }

        using var frame = stream.Wait();
        using var bitmap = frame.AsSKBitmap();
        Assert.Equal((true, SKAlphaType.Opaque), (bitmap.IsImmutable, bitmap.AlphaType));
        using var picture = SKImage.FromBitmap(bitmap); // shares the pixels, because they are immutable
        using var pixmap = picture.PeekPixels();
        Assert.Equal(bitmap.GetPixels(), pixmap.GetPixels());
    }

    [Fact]
    public void APictureHoldsItsFrame()
    {
        using var stream = FrameStream.Create(_scratch.Name(), 7 * 5 * 4, slots: 2);
        var pixels = new byte[7 * 5 * 4];
        Array.Fill(pixels, (byte)9);
        stream.Publish(pixels, new ImageInfo(7, 5, ColorOrder.Bgra), ColorOrder.Bgra);
        SKImage picture;
        using (var frame = stream.Wait())
        {
            picture = frame.AsSKImage(SKAlphaType.Opaque);
        }

        stream.Begin().Dispose();
        stream.Publish(pixels, new ImageInfo(7, 5, ColorOrder.Bgra), ColorOrder.Bgra);
        Assert.Throws<ShmCvBusyException>(() => stream.Begin());
        using (var pixmap = picture.PeekPixels())
        {
            Assert.Equal((SKAlphaType.Opaque, 9), (pixmap.AlphaType, pixmap.GetPixelColor(6, 4).Red));
        }

        picture.Dispose();
        stream.Begin().Dispose();
    }

    // The image is never announced before its pixels are there.
    [Fact]
    public void APremultipliedBitmapIsStoredWhole()
    {
        using var segment = _scratch.Create(new ImageInfo(64, 64, ColorOrder.Bgra));
        using var white = new SKBitmap(new SKImageInfo(64, 64, SKColorType.Bgra8888, SKAlphaType.Premul));
        using var black = new SKBitmap(white.Info);
        white.Erase(SKColors.White);
        black.Erase(SKColors.Black);
        segment.CopyFrom(white);
        using var done = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            for (var i = 0; i < 2000; i++)
            {
                segment.CopyFrom(i % 2 == 0 ? black : white);
            }

            done.Cancel();
        });
        var copy = new byte[64 * 64 * 4];
        while (!done.IsCancellationRequested)
        {
            segment.Read(copy, segment.Image);
            Assert.Equal(copy[0], copy[^2]);
        }

        writer.Wait();
    }

    [Fact]
    public void ACopyIsOfOneImageWhenAnotherSizeIsStoredMeanwhile()
    {
        using var segment = _scratch.Create(64 * 64 * 3);
        ImageInfo[] shapes = [new(64, 48, ColorOrder.Bgr), new(48, 64, ColorOrder.Bgr)];
        var pixels = new byte[64 * 48 * 3];
        segment.Write(pixels, shapes[1], ColorOrder.Bgr);
        using var done = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            for (var i = 0; i < 3000; i++)
            {
                segment.Write(pixels, shapes[i % 2], ColorOrder.Bgr);
            }

            done.Cancel();
        });
        while (!done.IsCancellationRequested)
        {
            using var bitmap = segment.ToSKBitmap();
            Assert.Equal(112, bitmap.Width + bitmap.Height);
        }

        writer.Wait();
    }

    [Fact]
    public void ABitmapThatDoesNotFitOrIsEmptyIsRefused()
    {
        using var segment = _scratch.Create(100);
        using var premultiplied = new SKBitmap(new SKImageInfo(7, 5, SKColorType.Bgra8888, SKAlphaType.Premul));
        using var unpremultiplied = new SKBitmap(new SKImageInfo(7, 5, SKColorType.Bgra8888, SKAlphaType.Unpremul));
        using var empty = new SKBitmap();
        Assert.Throws<ShmCvTooSmallException>(() => segment.CopyFrom(premultiplied));
        Assert.Throws<ShmCvTooSmallException>(() => segment.CopyFrom(unpremultiplied));
        Assert.Throws<ArgumentException>(() => segment.CopyFrom(empty));
        Assert.Throws<ShmCvNoImageException>(() => segment.AsSKBitmap());
        Assert.Throws<ShmCvNoImageException>(() => segment.ToSKBitmap());
    }

    [Fact]
    public void ABitmapOutlivesItsImageAndAnImageItsBitmap()
    {
        var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgra));
        var bitmap = segment.AsSKBitmap();
        var color = bitmap.GetPixel(6, 4);
        segment.Dispose();
        Assert.Equal(color, bitmap.GetPixel(6, 4));

        bitmap.SetImmutable(); // so that the picture shares the pixels
        var picture = SKImage.FromBitmap(bitmap);
        bitmap.Dispose();
        Assert.True(LifetimeTests.IsOpen(segment.Name));
        Assert.Equal(color, picture.PeekPixels().GetPixelColor(6, 4));
        picture.Dispose();
        Assert.False(LifetimeTests.IsOpen(segment.Name));
    }

    [Fact]
    public void ABitmapDisposedFirstLeavesTheImage()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Gray));
        segment.AsSKBitmap().Dispose();
        segment.Flip(FlipCode.Both);
        Assert.True(LifetimeTests.IsOpen(segment.Name));
    }

    [Fact]
    public void ForgottenBitmapsAndImagesAreCollected()
    {
        var names = Enumerable.Range(0, 20).Select(_ => Forget()).ToArray();
        LifetimeTests.CollectUntil(() => !names.Any(LifetimeTests.IsOpen));
    }

    [Fact]
    public async Task ABitmapIsOneImageWhileAnotherThreadStoresOthers()
    {
        using var segment = _scratch.Create(640 * 480);
        Scratch.StoreLargeAndSmall(segment, 1);
        var storer = Task.Run(() => Scratch.StoreLargeAndSmall(segment, 300));
        var torn = 0;
        do
        {
            using var bitmap = segment.ToSKBitmap();
            torn += bitmap.GetPixelSpan().ContainsAnyExcept(Scratch.MarkOf(bitmap.Width)) ? 1 : 0;
        }
        while (!storer.IsCompleted);
        await storer;
        Assert.Equal(0, torn);
    }

    [Fact]
    public async Task ReadersSeeNoHalfOfAPremultipliedBitmap()
    {
        using var segment = _scratch.Create(600 * 400 * 4);
        using var red = Premultiplied(SKColors.Red);
        using var blue = Premultiplied(SKColors.Blue);
        segment.CopyFrom(red);
        var storer = Task.Run(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                segment.CopyFrom(i % 2 == 0 ? blue : red);
            }
        });
        var torn = 0;
        do
        {
            var pixels = MemoryMarshal.Cast<byte, uint>(segment.Read(out _));
            torn += pixels.ContainsAnyExcept(pixels[0]) ? 1 : 0;
        }
        while (!storer.IsCompleted);
        await storer; // it uses the bitmaps
        Assert.Equal(0, torn);

        static SKBitmap Premultiplied(SKColor color)
        {
            var bitmap = new SKBitmap(new SKImageInfo(600, 400, SKColorType.Bgra8888, SKAlphaType.Premul));
            bitmap.Erase(color.WithAlpha(128));
            return bitmap;
        }
    }

    [Fact]
    public void TheTutorialsFunctionsWork()
    {
        using var loader = new ImageLoader();
        var (photo, alpha) = (_scratch.Name(), _scratch.Name());
        loader.CreateShareMemory(photo, 67 * 43 * 3);
        loader.CreateShareMemory(alpha, 67 * 43 * 4);
        var (height, width, channels) = loader.Load(Repository.TestData("small-bgr.png"), photo);
        Assert.Equal(new SKImageInfo(67, 43, SKColorType.Bgra8888, SKAlphaType.Opaque), loader.GetSKBitmapParams(photo, height, width, channels));

        using var bitmap = loader.ShareMemoryToSKBitmap(photo, height, width, channels);
        using var translucent = bitmap.Copy();
        Assert.Equal((43, 67, 3), loader.SKBitmapToShareMemory(bitmap, photo));
        using (var expected = _scratch.Load("small-bgr.png"))
        using (var found = Segment.Open(photo))
        {
            Assert.Equal(Scratch.Bytes(expected), Scratch.Bytes(found));
        }

        using (var four = new SKBitmap(new SKImageInfo(67, 43, SKColorType.Bgra8888, SKAlphaType.Unpremul)))
        {
            DrawOn(four);
            Assert.Equal((43, 67, 4), loader.SKBitmapToShareMemory(four, alpha));
        }

        using var shared = loader.ShareMemoryToSKBitmap(alpha, 43, 67, 4);
        shared.SetPixel(5, 6, SKColors.Red);
        using var segment = Segment.Open(alpha);
        Assert.Equal(new byte[] { 0, 0, 255, 255 }, segment.AsSpan().Slice((6 * segment.Image.Stride) + (5 * 4), 4).ToArray());
    }

    /// <summary>Compares every pixel of the bitmap with the bytes of the segment.</summary>
    private static void AssertSamePixels(Segment segment, SKBitmap bitmap)
    {
        var info = segment.Image;
        Assert.Equal((info.Width, info.Height), (bitmap.Width, bitmap.Height));
        var stored = segment.AsSpan();
        for (var y = 0; y < info.Height; y++)
        {
            for (var x = 0; x < info.Width; x++)
            {
                var b = stored.Slice((y * info.Stride) + (x * info.PixelSize), info.PixelSize);
                var wanted = info.Order switch
                {
                    ColorOrder.Gray => new SKColor(b[0], b[0], b[0]),
                    ColorOrder.Bgr => new SKColor(b[2], b[1], b[0]),
                    ColorOrder.Rgb => new SKColor(b[0], b[1], b[2]),
                    ColorOrder.Bgra => new SKColor(b[2], b[1], b[0], b[3]),
                    _ => new SKColor(b[0], b[1], b[2], b[3]),
                };

                // The bytes are compared, because GetPixel goes through floats, and loses the colour of transparent
                // pixels.
                var pixel = bitmap.GetPixelSpan().Slice((y * bitmap.RowBytes) + (x * bitmap.BytesPerPixel), bitmap.BytesPerPixel);
                var found = bitmap.ColorType switch
                {
                    SKColorType.Gray8 => new SKColor(pixel[0], pixel[0], pixel[0]),
                    SKColorType.Bgra8888 => new SKColor(pixel[2], pixel[1], pixel[0], pixel[3]),
                    _ => new SKColor(pixel[0], pixel[1], pixel[2], pixel[3]),
                };
                Assert.Equal(wanted, found);
            }
        }
    }

    /// <summary>Returns the bitmap's pixels as Skia itself converts them.</summary>
    private static SKBitmap Reference(SKBitmap bitmap)
    {
        var info = new SKImageInfo(bitmap.Width, bitmap.Height, SKColorType.Bgra8888, SKAlphaType.Unpremul);
        var reference = new SKBitmap(info);
        Assert.True(bitmap.PeekPixels().ReadPixels(info, reference.GetPixels(), reference.RowBytes));
        return reference;
    }

    /// <summary>Draws a few colours. One of them is translucent if the bitmap can hold that.</summary>
    private static void DrawOn(SKBitmap bitmap)
    {
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(bitmap.Info.IsOpaque ? SKColors.DarkOrange : SKColors.Transparent);
        using var paint = new SKPaint { Color = new SKColor(200, 100, 50, 130), IsAntialias = false };
        canvas.DrawRect(1, 1, 5, 3, paint);
        paint.Color = new SKColor(10, 220, 120);
        canvas.DrawRect(4, 2, 2, 3, paint);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private string Forget()
    {
        var segment = _scratch.Create(1000);
        segment.Image = new ImageInfo(7, 5, ColorOrder.Bgra);
        _ = segment.AsSKBitmap().GetPixel(1, 1);
        return segment.Name;
    }
}
