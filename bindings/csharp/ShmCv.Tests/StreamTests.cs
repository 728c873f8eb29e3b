using ShmCv.SkiaSharp;
using SkiaSharp;

namespace ShmCv.Tests;

public sealed class StreamTests : IDisposable
{
    private static readonly ImageInfo _info = new(64, 48, ColorOrder.Bgra);

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private FrameStream Create(int slots = 0) => FrameStream.Create(_scratch.Name(), _info.ByteSize, slots);

    private static long Put(FrameStream stream, byte mark)
    {
        using var frame = stream.Begin();
        frame.AsSpan().Fill(mark);
        frame.Image.Info = _info;
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
        Assert.Equal(_info, frame.Image.Info);
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)3));
        Assert.InRange(frame.Timestamp, 1, System.Diagnostics.Stopwatch.GetTimestamp());
        Put(writer, 4);
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)3));
        Assert.Null(reader.TryWait(4, 1));
        Assert.Equal((4, 12288), (reader.SegmentInfo.Slots, reader.SegmentInfo.SlotSize));
    }

    [Fact]
    public void AFrameThatIsReadIsNotChanged()
    {
        using var stream = Create();
        Put(stream, 1);
        using var frame = stream.Wait();
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => frame.Image.Flip(FlipCode.Both)).Code);
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => frame.Image.Info = _info).Code);
    }

    [Fact]
    public void AFrameThatIsNotPublishedIsNeverSeen()
    {
        using var stream = Create(slots: 2);
        for (var i = 0; i < 5; i++)
        {
            using var frame = stream.Begin();
            using var view = frame.Image.View();
            Assert.Throws<ShmCvNoImageException>(() => frame.Publish());
            Assert.Equal(ErrorCode.Busy, Assert.Throws<ShmCvException>(stream.Begin).Code);
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
            bitmap = frame.Image.AsSKBitmap();
        }

        Put(stream, 6);
        Assert.Equal(ErrorCode.Busy, Assert.Throws<ShmCvException>(stream.Begin).Code);
        Assert.Equal(new SKColor(5, 5, 5, 5), bitmap.GetPixel(63, 47));
        bitmap.Dispose();
        Put(stream, 7);
        bitmap = stream.Wait().Image.AsSKBitmap();
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
        Assert.Contains("one writer", Assert.Throws<ShmCvException>(second.Begin).Message, StringComparison.Ordinal);
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
            frame.Image.Load(Repository.TestData("small-bgr.png"));
            frame.Publish();
        }

        using (var source = stream.Wait())
        using (var target = stream.Begin())
        {
            source.Image.FlipInto(target.Image, FlipCode.Vertical);
            target.Publish();
        }

        expected.Flip(FlipCode.Vertical);
        using var flipped = stream.Wait(1);
        Assert.Equal(Scratch.Checksum(expected), Scratch.Checksum(flipped.Image));
    }

    [Fact]
    public void ASegmentIsNoStream()
    {
        using var segment = _scratch.Create(100);
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => FrameStream.Open(segment.Name)).Code);
        using var stream = Create();
        using var opened = SharedImage.Open(stream.Name);
        Assert.Contains("is a stream", Assert.Throws<ShmCvException>(() => opened.Info).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameStream.Create("x", 0));
        Assert.Equal(ErrorCode.Invalid, Assert.Throws<ShmCvException>(() => FrameStream.Create("x", 1, 17)).Code);
    }

    [Fact]
    public async Task AChangedImageIsToldByItsSequence()
    {
        using var segment = _scratch.Create(_info.ByteSize);
        Assert.Equal(0, segment.Sequence);
        var wait = Task.Run(() => segment.WaitForImage(0));
        segment.Info = _info;
        Assert.Equal(1, await wait);
        Assert.Equal(1, segment.Sequence);
    }
}

/// <summary>Alone: a sweep takes the names of what other tests have just closed.</summary>
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
        using (var segment = SharedImage.Create(name, 100))
        {
            Segments.Sweep();
            SharedImage.Open(name).Dispose();
        }

        Assert.True(Segments.Sweep() >= 1);
        Assert.Throws<ShmCvNotFoundException>(() => SharedImage.Open(name));
    }
}
