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
        Assert.Equal(ShmcvFrameInfo.SizeInC, Unsafe.SizeOf<ShmcvFrameInfo>());
    }

    // The public types cannot hold all of this geometry, so the raw layer gets it.
    [Fact]
    public void GeometryIsChecked() => Vectors.Run("geometry", row =>
    {
        using var segment = _scratch.Create(long.Parse(row[6]));
        Assert.Equal(ErrorCode.OK, NativeMethods.shmcv_open(segment.Name, out var handle));
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
            Assert.Equal(Vectors.Code(row[7]), NativeMethods.shmcv_image_set(handle, native));
            if (row[7] == "OK")
            {
                Assert.Equal(int.Parse(row[8]), segment.Image.Stride);
            }
        }
        finally
        {
            NativeMethods.shmcv_close(handle);
        }
    });

    [Fact]
    public void ImpossibleDescriptionsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageInfo(0, 1, ColorOrder.Bgr));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageInfo(1, -1, ColorOrder.Bgr));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageInfo(1, 1, ColorOrder.Bgr, stride: -4));
        using var segment = _scratch.Create(1000);
        Assert.Throws<ShmCvInvalidException>(() => segment.Image = default);
        Assert.Throws<ShmCvInvalidException>(() => segment.Image = new ImageInfo(2, 2, ColorOrder.Bgr, stride: 5));
        Assert.Throws<ShmCvLimitException>(() => segment.Image = new ImageInfo(int.MaxValue, 1, ColorOrder.Bgra, Depth.F32));
        Assert.Throws<ShmCvTooSmallException>(() => segment.Image = new ImageInfo(20, 20, ColorOrder.Bgr));
    }

    [Fact]
    public void ADescriptionCountsItsBytes()
    {
        var info = new ImageInfo(5, 3, ColorOrder.Bgra, Depth.U16, stride: 48);
        Assert.Equal((4, 8, 40, 136L), (info.Channels, info.PixelSize, info.RowSize, info.Size));
        Assert.True(info.HasAlpha);
        Assert.False(info.Packed);
        Assert.True(new ImageInfo(5, 3, ColorOrder.Gray, Depth.F32) is { Stride: 20, Packed: true, HasAlpha: false });
        Assert.Equal("5 x 3 Bgra U16, stride 48", info.ToString());
    }

    [Fact]
    public void ADescriptionIsSeenByAllThatHaveTheSegmentOpen()
    {
        using var first = _scratch.Create(1000);
        using var second = Segment.Open(first.Name);
        first.Image = new ImageInfo(7, 5, ColorOrder.Rgba, stride: 32);
        Assert.Equal(new ImageInfo(7, 5, ColorOrder.Rgba, stride: 32), second.Image);
        Assert.True(second.TryGetImage(out var info));
        Assert.Equal(first.Image, info);
    }

    [Theory]
    [InlineData(Depth.U8)]
    [InlineData(Depth.U16)]
    public void PixelsAreReadAndWrittenInAnyOrderAndStride(Depth depth)
    {
        using var rgba = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Rgba, depth));
        var size = rgba.Image.PixelSize / 4;
        var padded = new ImageInfo(7, 5, ColorOrder.Bgr, depth, stride: 64);
        var pixels = new byte[padded.Size];
        rgba.Read(pixels, padded);

        using var back = _scratch.Create(1000);
        back.Write(pixels, padded, ColorOrder.Rgba);
        Assert.Equal(rgba.Image, back.Image);
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
    public void ACopyComesWithItsDescription()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgr, stride: 40));
        var pixels = segment.Read(out var image);
        Assert.Equal(new ImageInfo(7, 5, ColorOrder.Bgr), image);
        Assert.Equal(105, pixels.Length);
        Assert.True(pixels.AsSpan(21, 21).SequenceEqual(segment.AsSpan().Slice(40, 21)));

        Assert.Equal(7 * 5 * 4, segment.Read(ColorOrder.Rgba, out image).Length);
        Assert.Equal(new ImageInfo(7, 5, ColorOrder.Rgba), image);
        Assert.Throws<ShmCvInvalidException>(() => segment.Read((ColorOrder)9, out _));

        var larger = new byte[200];
        Assert.Equal(new ImageInfo(7, 5, ColorOrder.Bgr), segment.Read(larger, default));
        Assert.Equal(pixels, larger[..105]);
        Assert.Throws<ShmCvTooSmallException>(() => segment.Read(new byte[104], default));
    }

    [Fact]
    public async Task ACopyIsOneImageWhileAnotherThreadStoresOthers()
    {
        using var segment = _scratch.Create(640 * 480);
        var storer = Task.Run(() => Scratch.StoreLargeAndSmall(segment, 300));
        var torn = 0;
        do
        {
            if (segment.TryGetImage(out _))
            {
                var pixels = segment.Read(out var image);
                torn += pixels.Length != image.Size || pixels.ContainsAnyExcept(Scratch.MarkOf(image.Width)) ? 1 : 0;
            }
        }
        while (!storer.IsCompleted);
        await storer;
        Assert.Equal(0, torn);
    }

    [Fact]
    public void MemoryThatIsTooShortIsRefused()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgr));
        Assert.Throws<ArgumentException>(() => segment.Read(new byte[104], segment.Image));
        Assert.Throws<ArgumentException>(() => segment.Write(new byte[104], new ImageInfo(7, 5, ColorOrder.Bgr), ColorOrder.Bgr));
        Assert.Throws<ShmCvInvalidException>(() => segment.Read(new byte[200], new ImageInfo(5, 7, ColorOrder.Bgr)));
    }

    [Fact]
    public void ASegmentBeyondWhatASpanCoversIsStillUseful()
    {
        if (Host.Current.FreeMemory < 3L << 30)
        {
            Assert.Skip("there are no 3 GiB of shared memory free");
        }

        using var segment = _scratch.Create((2L << 30) + 1);
        Assert.Throws<NotSupportedException>(() => segment.AsSpan().Length);
        segment.Load(Repository.TestData("small.jpg"));
        segment.Flip(FlipCode.Both);
    }

    [Fact]
    public void AViewComesWithTheImageThatIsThereNow()
    {
        using var segment = _scratch.Create(1000);
        Assert.Throws<ShmCvNoImageException>(() => segment.View(out _));
        foreach (var info in new[] { new ImageInfo(9, 9, ColorOrder.Gray), new ImageInfo(4, 7, ColorOrder.Bgr, stride: 20) })
        {
            segment.Image = info;
            using var view = segment.View(out var found);
            Assert.Equal(info, found);
            Assert.True(segment.AsSpan() == view.GetSpan());
        }
    }

    [Fact]
    public void AViewOfASegmentThatWasCutIsRefused()
    {
        Host.OnLinuxBecause("nobody can make a section shorter");
        using var segment = _scratch.Create(new ImageInfo(300, 300, ColorOrder.Gray));
        segment.View(out _).Dispose(); // the object knows the address of the memory from here on
        using (var file = new FileStream(Path.Combine(Host.Current.Folder, segment.Name), FileMode.Open))
        {
            file.SetLength(100);
        }

        Assert.Throws<ShmCvTruncatedException>(() => segment.View(out _));
        Assert.Throws<ShmCvTruncatedException>(() => segment.View());
    }

    [Fact]
    public void MemoryOfAViewWorksWithStreams()
    {
        using var segment = _scratch.Create(new ImageInfo(9, 9, ColorOrder.Gray));
        using var view = segment.View();
        using var stream = new MemoryStream();
        stream.Write(view.Memory.Span);
        Assert.Equal(segment.AsSpan().ToArray(), stream.ToArray());
        Assert.True(MemoryMarshal.TryGetMemoryManager<byte, PixelView>(view.Memory, out var manager));
        Assert.Same(view, manager);
    }
}
