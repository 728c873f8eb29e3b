using ShmCv.SkiaSharp;
using SkiaSharp;

namespace ShmCv.Tests;

public sealed class StreamTests : IDisposable
{
    private static readonly ImageInfo _image = new(64, 48, ColorOrder.Bgra);

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private FrameStream Create(int slots = 0) => FrameStream.Create(_scratch.Name(), _image.Size, slots);

    private static long Put(FrameStream stream, byte mark)
    {
        using var frame = stream.Begin();
        frame.AsSpan().Fill(mark);
        frame.Image = _image;
        return frame.Publish();
    }

    [Fact]
    public void WhatIsPublishedIsWhatReadersGet()
    {
        using var writer = Create();
        using var reader = FrameStream.Open(writer.Name);
        Assert.Null(reader.TryWait(0, 0));
        for (byte mark = 1; mark <= 3; mark++)
        {
            Assert.Equal(mark, Put(writer, mark));
        }

        using var frame = reader.Wait();
        Assert.Equal((3, 2), (frame.Sequence, frame.Missed));
        Assert.Equal(_image, frame.Image);
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)3));
        Assert.InRange(frame.TimeNs, 1, System.Diagnostics.Stopwatch.GetTimestamp());
        Put(writer, 4);
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)3));
        Assert.Null(reader.TryWait(4, 1));
        Assert.Equal((4, 12288), (reader.Info.Slots, reader.Info.SlotSize));
    }

    [Fact]
    public void AFrameToReadHasAllMembersThatRead()
    {
        using var stream = Create();
        Put(stream, 9);
        using var frame = stream.Wait();
        Pixels pixels = frame;

        Assert.Equal(stream.Name, pixels.Name);
        Assert.Equal(12288, pixels.Size);
        Assert.Equal((stream.Info.Uuid, (ImageInfo?)_image, 4), (pixels.Info.Uuid, pixels.Info.Image, pixels.Info.Slots));
        Assert.Equal(_image, pixels.Image);
        Assert.True(pixels.TryGetImage(out var image));
        Assert.Equal(_image, image);
        Assert.False(pixels.AsSpan().ContainsAnyExcept((byte)9));
        using var view = pixels.View(out image);
        Assert.Equal(_image, image);
        Assert.True(pixels.AsSpan() == view.Span);

        var copy = new byte[_image.Size];
        pixels.Read(copy, _image);
        Assert.False(copy.AsSpan().ContainsAnyExcept((byte)9));

        using var segment = _scratch.Create(_image.Size);
        pixels.Save(_scratch.File("frame.png"));
        segment.Load(_scratch.File("frame.png"), LoadFlags.Unchanged);
        Assert.Equal(copy, Scratch.Bytes(segment));
        pixels.ConvertInto(segment, ColorOrder.Gray);
        Assert.Equal(new ImageInfo(64, 48, ColorOrder.Gray), segment.Image);
        pixels.FlipInto(segment, FlipCode.Both);
        Assert.Equal(copy, Scratch.Bytes(segment));
    }

    // The class has no member that writes, so the native functions are called.
    [Fact]
    public void AFrameToReadIsNotChanged()
    {
        Assert.False(typeof(Frame).IsSubclassOf(typeof(WritablePixels)));
        using var stream = Create();
        Put(stream, 1);
        using var frame = stream.Wait();
        using var call = frame.Handle.Use();
        var handle = call.Handle;
        Assert.Equal(ErrorCode.Permission, NativeMethods.shmcv_flip(handle, handle, (int)FlipCode.Both));
        Assert.Equal(ErrorCode.Permission, NativeMethods.shmcv_image_set(handle, _image.ToNative()));
        Assert.Equal(ErrorCode.Permission, NativeMethods.shmcv_load(handle, Repository.TestData("small.jpg"), 0, out _));
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)1));
    }

    [Fact]
    public void PixelsOfTheCallerArePublishedInOneCall()
    {
        using var stream = Create();
        var pixels = new byte[3 * 64 * 48];
        Scratch.Fill(pixels);
        Assert.Equal(1, stream.Publish(pixels, new ImageInfo(64, 48, ColorOrder.Rgb), ColorOrder.Bgra));
        using var frame = stream.Wait();
        Assert.Equal(_image, frame.Image);
        var back = new byte[pixels.Length];
        frame.Read(back, new ImageInfo(64, 48, ColorOrder.Rgb));
        Assert.Equal(pixels, back);

        Assert.Throws<ShmCvTooSmallException>(() => stream.Publish(new byte[80 * 80 * 4], new ImageInfo(80, 80, ColorOrder.Bgra), ColorOrder.Bgra));
        Assert.Throws<ArgumentException>(() => stream.Publish(pixels, _image, ColorOrder.Bgra));
        Assert.Equal(2, Put(stream, 2)); // a call that failed holds no slot, and has taken no number
    }

    [Fact]
    public void AClearedNameIsFreeAtOnceAndTheStreamStays()
    {
        using var stream = Create();
        stream.Clear();
        Assert.Throws<ShmCvNotFoundException>(stream.Clear);
        Assert.Throws<ShmCvNotFoundException>(() => FrameStream.Open(stream.Name));
        Assert.Equal(1, Put(stream, 1));
    }

    [Fact]
    public void AFrameThatIsNotPublishedIsNeverSeen()
    {
        using var stream = Create(slots: 2);
        for (var i = 0; i < 5; i++)
        {
            using var frame = stream.Begin();
            using var view = frame.View();
            Assert.Throws<ShmCvNoImageException>(() => frame.Publish());
            Assert.Throws<ShmCvBusyException>(stream.Begin);
            frame.Dispose();
            Assert.Throws<ObjectDisposedException>(() => frame.Publish());
        }

        Assert.Null(stream.TryWait(0, 0));
    }

    [Fact]
    public void ABitmapHoldsTheFrameAndTheMemory()
    {
        var stream = Create(slots: 2);
        Put(stream, 5);
        SKBitmap bitmap;
        using (var frame = stream.Wait())
        {
            bitmap = frame.AsSKBitmap();
        }

        Put(stream, 6);
        Assert.Throws<ShmCvBusyException>(stream.Begin);
        Assert.Equal(new SKColor(5, 5, 5, 5), bitmap.GetPixel(63, 47));
        bitmap.Dispose();
        Put(stream, 7);
        bitmap = stream.Wait().AsSKBitmap();
        stream.Dispose();
        Assert.Equal(new SKColor(7, 7, 7, 7), bitmap.GetPixel(0, 0));
        bitmap.Dispose();
    }

    [Fact]
    public void ASecondWriterBeginsWhenTheFirstIsDisposed()
    {
        var first = Create();
        using var second = FrameStream.Open(first.Name);
        Put(first, 1);
        Assert.Contains("one writer", Assert.Throws<ShmCvBusyException>(second.Begin).Message, StringComparison.Ordinal);
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(first.Begin);
        Assert.Equal(2, Put(second, 2));
    }

    [Fact]
    public async Task EachNewFrameIsSeenOnceAndWhole()
    {
        const int Frames = 300;
        using var writer = Create(slots: 5);
        var readers = Enumerable.Range(0, 2).Select(_ => ReadAsync()).ToArray();
        var others = Enumerable.Range(0, 1).Select(_ => Task.Run(ReadBlocking)).ToArray();
        for (var i = 1; i <= Frames; i++)
        {
            Put(writer, (byte)i);
            await Task.Yield();
        }

        await Task.WhenAll([.. readers, .. others]);

        async Task ReadAsync()
        {
            using var reader = FrameStream.Open(writer.Name);
            var last = 0L;
            await foreach (var frame in reader.FramesAsync())
            {
                last = Check(frame, last);
                if (last == Frames)
                {
                    break;
                }
            }
        }

        void ReadBlocking()
        {
            using var reader = FrameStream.Open(writer.Name);
            var last = 0L;
            foreach (var frame in reader.Frames())
            {
                last = Check(frame, last);
                if (last == Frames)
                {
                    break;
                }
            }
        }

        static long Check(Frame frame, long last)
        {
            Assert.Equal(frame.Sequence - last - 1, frame.Missed);
            Assert.False(frame.AsSpan().ContainsAnyExcept((byte)frame.Sequence));
            return frame.Sequence;
        }
    }

    [Fact]
    public async Task AWaitEndsWhenItIsCancelled()
    {
        using var stream = Create();
        using var stop = new CancellationTokenSource();
        var wait = Task.Run(() => stream.Wait(0, stop.Token));
        var loop = Task.Run(async () =>
        {
            await foreach (var frame in stream.FramesAsync(0, stop.Token))
            {
                Assert.Fail($"frame {frame.Sequence}");
            }
        });
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }

    [Fact]
    public async Task AWaitEndsWhenTheStreamIsDisposed()
    {
        var stream = Create();
        var wait = Task.Run(() => stream.Wait());
        stream.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait);
    }

    [Fact]
    public void OperationsGoFromFrameToFrame()
    {
        using var expected = _scratch.Load("small-bgr.png");
        using var stream = FrameStream.Create(_scratch.Name(), expected.Size);
        using (var frame = stream.Begin())
        {
            frame.Load(Repository.TestData("small-bgr.png"));
            frame.Publish();
        }

        using (var source = stream.Wait())
        using (var target = stream.Begin())
        {
            source.FlipInto(target, FlipCode.Vertical);
            target.Publish();
        }

        expected.Flip(FlipCode.Vertical);
        using var flipped = stream.Wait(1);
        Assert.Equal(Scratch.Checksum(expected), Scratch.Checksum(flipped));
    }

    [Fact]
    public void ASegmentIsNoStreamAndAStreamIsNoSegment()
    {
        using var segment = _scratch.Create(100);
        var problem = Assert.Throws<ShmCvInvalidException>(() => FrameStream.Open(segment.Name));
        Assert.Equal(ErrorCode.Invalid, problem.Code);
        Assert.Contains(segment.Name, problem.Message, StringComparison.Ordinal);
        using var stream = Create();
        problem = Assert.Throws<ShmCvInvalidException>(() => Segment.Open(stream.Name));
        Assert.Equal(ErrorCode.Invalid, problem.Code);
        Assert.Contains("is a stream", problem.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameStream.Create("x", 0));
        Assert.Throws<ShmCvInvalidException>(() => FrameStream.Create("x", 1, 1025));
    }

    [Fact]
    public async Task AChangedImageIsToldByItsSequence()
    {
        using var segment = _scratch.Create(_image.Size);
        Assert.Equal(0, segment.Sequence);
        var wait = Task.Run(() => segment.Wait(0));
        segment.Image = _image;
        Assert.Equal(1, await wait);
        Assert.Equal(1, segment.Sequence);
        Assert.Equal(1, segment.TryWait(0, 0));
        Assert.Null(segment.TryWait(1, 1));
    }

    [Fact]
    public async Task AWaitForAnImageEndsWhenItIsCancelledOrTheSegmentIsDisposed()
    {
        var segment = _scratch.Create(_image.Size);
        using var stop = new CancellationTokenSource();
        var cancelled = Task.Run(() => segment.Wait(0, stop.Token));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var disposed = Task.Run(() => segment.Wait(0));
        segment.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => disposed);
    }
}

/// <summary>
/// No other test runs beside these, because a sweep removes the names of segments that other tests have just closed.
/// </summary>
[CollectionDefinition(nameof(SweepTests), DisableParallelization = true)]
[Collection(nameof(SweepTests))]
public sealed class SweepTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void OrphansAreSweptAndWhatIsOpenStays()
    {
        var name = _scratch.Name();
        using (var segment = Segment.Create(name, 100))
        {
            Segment.Sweep();
            Segment.Open(name).Dispose();
        }

        Assert.True(Segment.Sweep() >= 1);
        Assert.Throws<ShmCvNotFoundException>(() => Segment.Open(name));
    }
}
