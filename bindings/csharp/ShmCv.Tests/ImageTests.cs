using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmCv.Tests;

public sealed class ImageTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void StructuresHaveTheSizeThatCSaysTheyHave()
    {
        Assert.Equal(ShmcvImageInfo.SizeInC, Unsafe.SizeOf<ShmcvImageInfo>());
        Assert.Equal(ShmcvSegmentInfo.SizeInC, Unsafe.SizeOf<ShmcvSegmentInfo>());
    }

    // The public types cannot hold all of this nonsense, so it goes to the raw layer.
    [Fact]
    public void GeometryIsChecked() => Vectors.Run("geometry", row =>
    {
        using var image = _scratch.Create(long.Parse(row[6]));
        Assert.Equal(ErrorCode.OK, NativeMethods.shmcv_open(image.Name, out var segment));
        try
        {
            var native = new ShmcvImageInfo
            {
                Width = uint.Parse(row[0]),
                Height = uint.Parse(row[1]),
                Channels = uint.Parse(row[2]),
                Depth = (Depth)uint.Parse(row[3]),
                Order = (ColorOrder)uint.Parse(row[4]),
                Stride = ulong.Parse(row[5]),
            };
            Assert.Equal(Vectors.Code(row[7]), NativeMethods.shmcv_image_set(segment, native));
            if (row[7] == "OK")
            {
                Assert.Equal(int.Parse(row[8]), image.Info.Stride);
            }
        }
        finally
        {
            NativeMethods.shmcv_close(segment);
        }
    });

    [Fact]
    public void DescriptionsThatMakeNoSenseAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageInfo(0, 1, ColorOrder.Bgr));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageInfo(1, -1, ColorOrder.Bgr));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageInfo(1, 1, ColorOrder.Bgr, stride: -4));
        using var image = _scratch.Create(1000);
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => image.Info = default).Code);
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => image.Info = new ImageInfo(2, 2, ColorOrder.Bgr, stride: 5)).Code);
        Assert.Equal(ErrorCode.Limit, Assert.Throws<ShmCvException>(() => image.Info = new ImageInfo(int.MaxValue, 1, ColorOrder.Bgra, Depth.F32)).Code);
        Assert.Throws<ShmCvTooSmallException>(() => image.Info = new ImageInfo(20, 20, ColorOrder.Bgr));
    }

    [Fact]
    public void ADescriptionCountsItsBytes()
    {
        var info = new ImageInfo(5, 3, ColorOrder.Bgra, Depth.U16, stride: 48);
        Assert.Equal((4, 8, 40, 136L), (info.Channels, info.BytesPerPixel, info.RowBytes, info.ByteSize));
        Assert.True(info.HasAlpha);
        Assert.False(info.IsPacked);
        Assert.True(new ImageInfo(5, 3, ColorOrder.Gray, Depth.F32) is { Stride: 20, IsPacked: true, HasAlpha: false });
        Assert.Equal("5 x 3 Bgra U16, stride 48", info.ToString());
    }

    [Fact]
    public void ADescriptionIsForEverybodyWhoHasTheSegmentOpen()
    {
        using var first = _scratch.Create(1000);
        using var second = SharedImage.Open(first.Name);
        first.Info = new ImageInfo(7, 5, ColorOrder.Rgba, stride: 32);
        Assert.Equal(new ImageInfo(7, 5, ColorOrder.Rgba, stride: 32), second.Info);
        Assert.True(second.TryGetInfo(out var info));
        Assert.Equal(first.Info, info);
    }

    [Theory]
    [InlineData(Depth.U8)]
    [InlineData(Depth.U16)]
    public void PixelsAreReadAndWrittenInAnyOrderAndStride(Depth depth)
    {
        using var rgba = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Rgba, depth));
        var size = rgba.Info.BytesPerPixel / 4;
        var padded = new ImageInfo(7, 5, ColorOrder.Bgr, depth, stride: 64);
        var pixels = new byte[padded.ByteSize];
        rgba.ReadPixels(pixels, padded);

        using var back = _scratch.Create(1000);
        back.WritePixels(pixels, padded, ColorOrder.Rgba);
        Assert.Equal(rgba.Info, back.Info);
        for (var y = 0; y < 5; y++)
        {
            for (var x = 0; x < 7; x++)
            {
                var from = rgba.AsSpan().Slice(((y * 7) + x) * 4 * size, 4 * size);
                var bgr = pixels.AsSpan((y * 64) + (x * 3 * size), 3 * size);
                var to = back.AsSpan().Slice(((y * 7) + x) * 4 * size, 4 * size);
                for (var channel = 0; channel < 3; channel++)
                {
                    Assert.True(from.Slice(channel * size, size).SequenceEqual(bgr.Slice((2 - channel) * size, size)));
                    Assert.True(from.Slice(channel * size, size).SequenceEqual(to.Slice(channel * size, size)));
                }

                Assert.DoesNotContain(to.Slice(3 * size, size).ToArray(), b => b != 255);
            }
        }
    }

    [Fact]
    public void MemoryThatIsTooShortIsRefused()
    {
        using var image = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgr));
        Assert.Throws<ArgumentException>(() => image.ReadPixels(new byte[104], image.Info));
        Assert.Throws<ArgumentException>(() => image.WritePixels(new byte[104], new ImageInfo(7, 5, ColorOrder.Bgr), ColorOrder.Bgr));
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => image.ReadPixels(new byte[200], new ImageInfo(5, 7, ColorOrder.Bgr))).Code);
    }

    [Fact]
    public void ASegmentBeyondWhatASpanCoversIsStillUseful()
    {
        if (new DriveInfo("/dev/shm").AvailableFreeSpace < 3L << 30)
        {
            Assert.Skip("there are no 3 GiB of shared memory free");
        }

        using var image = _scratch.Create((2L << 30) + 1);
        Assert.Throws<NotSupportedException>(() => image.AsSpan().Length);
        image.Load(Repository.TestData("small.jpg"));
        image.Flip(FlipCode.Both);
    }

    [Fact]
    public void AViewComesWithTheImageThatIsThereNow()
    {
        using var image = _scratch.Create(1000);
        Assert.Throws<ShmCvNoImageException>(() => image.View(out _));
        foreach (var info in new[] { new ImageInfo(9, 9, ColorOrder.Gray), new ImageInfo(4, 7, ColorOrder.Bgr, stride: 20) })
        {
            image.Info = info;
            using var view = image.View(out var found);
            Assert.Equal(info, found);
            Assert.True(image.AsSpan() == view.GetSpan());
        }
    }

    [Fact]
    public void AViewOfASegmentThatWasCutIsRefused()
    {
        using var image = _scratch.Create(new ImageInfo(300, 300, ColorOrder.Gray));
        image.View(out _).Dispose(); // knows where the memory is
        using (var file = new FileStream($"/dev/shm/{image.Name}", FileMode.Open))
        {
            file.SetLength(100);
        }

        Assert.Equal(ErrorCode.Truncated, Assert.Throws<ShmCvException>(() => image.View(out _)).Code);
        Assert.Equal(ErrorCode.Truncated, Assert.Throws<ShmCvException>(() => image.View()).Code);
    }

    [Fact]
    public void MemoryOfAViewWorksWithStreams()
    {
        using var image = _scratch.Create(new ImageInfo(9, 9, ColorOrder.Gray));
        using var view = image.View();
        using var stream = new MemoryStream();
        stream.Write(view.Memory.Span);
        Assert.Equal(image.AsSpan().ToArray(), stream.ToArray());
        Assert.True(MemoryMarshal.TryGetMemoryManager<byte, PixelView>(view.Memory, out var manager));
        Assert.Same(view, manager);
    }
}
