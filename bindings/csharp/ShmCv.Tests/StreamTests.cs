using System.Text.Json;
using System.Text.Json.Serialization;
using ShmCv.SkiaSharp;
using SkiaSharp;

namespace ShmCv.Tests;

public sealed partial class StreamTests : IDisposable
{
    private static readonly ImageInfo _image = new(64, 48, ColorOrder.Bgra);

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private FrameStream Create(int slots = 0, WhenBehind whenBehind = WhenBehind.Drop) =>
        FrameStream.Create(_scratch.Name(), _image.Size, slots, whenBehind);

    private static FrameStream Reader(FrameStream writer, Delivery delivery)
    {
        var reader = FrameStream.Open(writer.Name);
        reader.Deliver(delivery);
        return reader;
    }

    private static long Put(FrameStream stream, byte mark)
    {
        using var frame = stream.Begin();
        frame.AsSpan().Fill(mark);
        frame.Image = _image;
        return frame.Publish();
    }

    [Fact]
    public void AReaderThatOnlyReadsIsToldThatItWasOvertaken()
    {
        using var writer = Create(2);
        using var reader = FrameStream.OpenReadOnly(writer.Name);
        Put(writer, 1);
        using (var held = writer.Wait())
        {
            Assert.True(held.Held);
            held.Check();
        }

        using var frame = reader.Wait();
        Assert.False(frame.Held);
        Assert.Equal(1, frame.AsSpan()[0]);
        frame.Check();
        using var view = frame.View();
        using var target = Segment.Create(_scratch.Name(), _image);
        using var bitmap = new SKBitmap(_image.ToSKImageInfo());
        Put(writer, 2);
        frame.Check(); // in the other slot
        Put(writer, 3);
        Action[] looks =
        [
            frame.Check, () => frame.AsSpan(), () => frame.View().Dispose(), () => frame.Read(out _), () => _ = frame.Image,
            () => frame.FlipInto(target, FlipCode.Both), () => frame.Save(_scratch.File("overtaken.png")),
            () => frame.CopyTo(bitmap), () => frame.ToSKBitmap().Dispose(), () => frame.AsSKBitmap().Dispose(),
        ];
        foreach (var look in looks)
        {
            Assert.Contains("frame 1", Assert.Throws<ShmCvOvertakenException>(look).Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(_scratch.File("overtaken.png")));
        Assert.Equal(3, view.Span[0]); // of another frame: the view tells nobody
        view.Dispose();
        Assert.True(frame.Next());
        Assert.Equal(3, frame.Sequence);
        frame.Check();
        Assert.Throws<ShmCvPermissionException>(() => reader.Begin());
    }

    [Fact]
    public void MetadataOfAnOvertakenFrameAreNotGiven()
    {
        using var writer = Create(2);
        using var reader = FrameStream.OpenReadOnly(writer.Name);
        void PutWith(byte metadata)
        {
            using var frame = writer.Begin();
            frame.Image = _image;
            frame.Describe(1, [metadata]);
            frame.Publish();
        }

        PutWith(1);
        using var first = reader.Wait();
        using var same = reader.Wait();
        Assert.Equal([1], first.Metadata.ToArray());
        PutWith(2);
        PutWith(3);
        Assert.Equal([1], first.Metadata.ToArray()); // the copy of the first look
        Assert.Throws<ShmCvOvertakenException>(() => same.Metadata.Length);
    }

    [Fact]
    public async Task AFrameThatIsJudgedWholeIsWhole()
    {
        using var writer = Create(2);
        using var reader = FrameStream.OpenReadOnly(writer.Name);
        var writing = Task.Run(
            () =>
            {
                for (var i = 1; i <= 5000; i++)
                {
                    Put(writer, (byte)i);
                }

                writer.End();
            },
            TestContext.Current.CancellationToken);
        var whole = 0;
        await foreach (var frame in reader.FramesAsync(cancellationToken: TestContext.Current.CancellationToken))
        {
            try
            {
                var differs = frame.AsSpan()[..(int)_image.Size].ContainsAnyExcept((byte)frame.Sequence);
                frame.Check();
                Assert.False(differs);
                whole++;
            }
            catch (ShmCvOvertakenException)
            {
                // The next one, then.
            }
        }

        await writing;
        Assert.True(whole > 0);
    }

    [Fact]
    public void AReaderThatOnlyReadsCannotHoldTheWriterUp()
    {
        using var writer = Create(2, WhenBehind.Block);
        using var reader = FrameStream.OpenReadOnly(writer.Name);
        var refused = Assert.Throws<ShmCvPermissionException>(() => reader.Deliver(Delivery.Every));
        Assert.Contains("0660", refused.Message, StringComparison.Ordinal);
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
        Assert.InRange(frame.TimeNs, 1, FrameClock.NowNs);
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
            Assert.Throws<ShmCvBusyException>(() => stream.Begin());
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
        Assert.Throws<ShmCvBusyException>(() => stream.Begin());
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
        Assert.Contains("one writer", Assert.Throws<ShmCvBusyException>(() => second.Begin()).Message, StringComparison.Ordinal);
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.Begin());
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
            // Frames that were published before the reader opened the stream are not missed.
            Assert.InRange(frame.Missed, last == 0 ? 0 : frame.Sequence - last - 1, frame.Sequence - last - 1);
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
            await foreach (var frame in stream.FramesAsync(cancellationToken: stop.Token))
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
    public async Task ASlowReaderOfEveryFrameGetsEachInOrderWhileTheWriterWaits()
    {
        const int Frames = 200;
        using var writer = Create(slots: 3, WhenBehind.Block);
        using var reader = Reader(writer, Delivery.Every);
        var writing = Task.Run(() =>
        {
            for (var i = 1; i <= Frames; i++)
            {
                Put(writer, (byte)i);
            }

            writer.End();
        });
        var last = 0L;
        foreach (var frame in reader.Frames())
        {
            Assert.Equal((last + 1, 0), (frame.Sequence, frame.Missed));
            Assert.False(frame.AsSpan().ContainsAnyExcept((byte)frame.Sequence));
            last = frame.Sequence;
            await Task.Yield();
        }

        Assert.Equal(Frames, last);
        await writing;
    }

    [Fact]
    public void AReaderThatIsBehindMissesFramesAndIsToldHowMany()
    {
        using var writer = Create(slots: 4);
        using var reader = Reader(writer, Delivery.Every);
        for (byte mark = 1; mark <= 10; mark++)
        {
            Put(writer, mark);
        }

        var seen = 0L;
        for (var last = 0L; last < 10;)
        {
            using var frame = reader.Wait(last);
            Assert.Equal(frame.Sequence - last - 1, frame.Missed);
            last = frame.Sequence;
            seen++;
        }

        Assert.InRange(seen, 2, 4);
        Assert.Equal((WhenBehind.Drop, System.Environment.ProcessId), (reader.Info.WhenBehind, reader.Info.Writer));
    }

    [Fact]
    public void AWriterThatFailsIsToldThatAReaderIsBehind()
    {
        using var writer = Create(slots: 3, WhenBehind.Fail);
        using var reader = Reader(writer, Delivery.Every);
        for (byte mark = 1; mark <= 3; mark++)
        {
            Put(writer, mark);
        }

        Assert.Contains("every frame", Assert.Throws<ShmCvBusyException>(() => writer.Begin()).Message, StringComparison.Ordinal);
        Assert.Throws<ShmCvBusyException>(() => writer.TryBegin(1000));
        reader.Wait().Dispose();
        Assert.Equal(4, Put(writer, 4));
        Assert.Equal(WhenBehind.Fail, writer.Info.WhenBehind);
    }

    [Fact]
    public async Task AnEndedStreamEndsLoopsAndWaitsThrow()
    {
        using var writer = Create();
        using var reader = FrameStream.Open(writer.Name);
        Assert.Equal(0, reader.Info.Writer);
        var waiting = reader.WaitAsync(1);
        Put(writer, 1);
        writer.End();
        await Assert.ThrowsAsync<ShmCvEndedException>(() => waiting);
        Assert.Equal([1], reader.Frames().Select(frame => frame.Sequence));
        var seen = new List<long>();
        await foreach (var frame in reader.FramesAsync())
        {
            seen.Add(frame.Sequence);
        }

        Assert.Equal([1], seen);
        Assert.Equal(ErrorCode.Ended, Assert.Throws<ShmCvEndedException>(() => reader.Wait(1)).Code);
        Assert.Throws<ShmCvEndedException>(() => reader.TryWait(1, 0));
        await Assert.ThrowsAsync<ShmCvEndedException>(() => reader.WaitAsync(1));

        Put(writer, 2);
        using var next = reader.Wait(1);
        Assert.Equal(2, next.Sequence);
        using var begun = writer.Begin();
        Assert.Throws<ShmCvBusyException>(writer.End);
    }

    [Fact]
    public async Task AnEndEndsTheLoopsThatWaitForIt()
    {
        using var writer = Create();
        using var reader = FrameStream.Open(writer.Name);
        Put(writer, 1);
        using var frame = reader.Wait();
        var next = Task.Run(() => frame.Next());
        var loop = Task.Run(() => reader.Frames(1).Count());
        var asynchronous = CountAsync();
        writer.End();
        Assert.False(await next);
        Assert.Equal(0, await loop);
        Assert.Equal(0, await asynchronous);

        async Task<int> CountAsync()
        {
            var count = 0;
            await foreach (var unused in reader.FramesAsync(1))
            {
                count++;
            }

            return count;
        }
    }

    [Fact]
    public void AFramesStoryTravelsWithIt()
    {
        using var writer = Create();
        var captured = FrameClock.NowNs;
        var before = DateTimeOffset.UtcNow;
        using (var frame = writer.Begin())
        {
            frame.Image = _image;
            frame.Describe(7);
            frame.Describe(captured, "a story"u8);
            frame.Publish();
        }

        using (var frame = writer.Wait())
        {
            Assert.Equal(captured, frame.CaptureTimeNs);
            Assert.True(frame.Metadata.SequenceEqual("a story"u8));
            Assert.True(frame.Metadata == frame.Metadata);
            Assert.Equal(writer.Info.UtcOffsetNs, frame.Info.UtcOffsetNs);
            Assert.Equal((captured + writer.Info.UtcOffsetNs) / 100, (writer.Utc(captured) - DateTimeOffset.UnixEpoch).Ticks);
            Assert.InRange(writer.Utc(frame.TimeNs), before.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1)); // if no one sets the clock
            frame.Dispose();
            Assert.Throws<ObjectDisposedException>(() => frame.Metadata.Length);
        }

        Put(writer, 2);
        using (var frame = writer.Wait(1))
        {
            Assert.Equal((0, 0), (frame.CaptureTimeNs, frame.Metadata.Length));
            Assert.Null(frame.MetadataAs(StoryContext.Default.Story));
        }

        using (var frame = writer.Begin())
        {
            Assert.Throws<ShmCvLimitException>(() => frame.Describe(0, new byte[Constants.MaxMetadata + 1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => frame.Describe(-1));
            frame.Dispose();
            Assert.Throws<ObjectDisposedException>(() => frame.Describe(0));
        }
    }

    private sealed record Story(string Camera, double Exposure);

    [JsonSerializable(typeof(Story))]
    private sealed partial class StoryContext : JsonSerializerContext;

    [Fact]
    public void MetadataAreReadAndWrittenAsJson()
    {
        using var stream = Create();
        using (var frame = stream.Begin())
        {
            frame.Image = _image;
            frame.Describe(0, new Story("left", 0.25), StoryContext.Default.Story);
            frame.Publish();
        }

        using (var frame = stream.Wait())
        {
            Assert.Equal(new Story("left", 0.25), frame.MetadataAs(StoryContext.Default.Story));
            Assert.Equal("""{"Camera":"left","Exposure":0.25}""", System.Text.Encoding.UTF8.GetString(frame.Metadata));
        }

        using (var frame = stream.Begin())
        {
            frame.Image = _image;
            frame.Describe(0, [0xff]);
            frame.Publish();
        }

        using var other = stream.Wait(1);
        Assert.Throws<JsonException>(() => other.MetadataAs(StoryContext.Default.Story));
    }

    [Fact]
    public void ALateReaderBeginsAtTheOldestFrameThereIs()
    {
        using var writer = Create(slots: 5);
        for (byte mark = 1; mark <= 3; mark++)
        {
            Put(writer, mark);
        }

        using var reader = Reader(writer, Delivery.Oldest);
        using var every = Reader(writer, Delivery.Every);
        Put(writer, 4);
        writer.End();
        Assert.Equal([1, 2, 3, 4], reader.Frames().Select(frame => frame.Sequence));
        Assert.Equal([4], every.Frames().Select(frame => frame.Sequence));
        Assert.Throws<ShmCvInvalidException>(() => reader.Deliver((Delivery)9));
    }

    [Fact]
    public async Task ABeginEndsWhenItsTimeIsUpItIsCancelledOrTheStreamIsDisposed()
    {
        var writer = Create(slots: 2, WhenBehind.Block);
        using var reader = Reader(writer, Delivery.Every);
        Put(writer, 1);
        while (writer.TryBegin(1) is { } frame)
        {
            using (frame)
            {
                frame.Image = _image;
                frame.Publish();
            }
        }

        Assert.Null(writer.TryBegin(60)); // more than a slice
        Assert.Throws<ShmCvBusyException>(() => writer.TryBegin(0));
        using var stop = new CancellationTokenSource();
        var cancelled = Task.Run(() => writer.Begin(stop.Token));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Throws<OperationCanceledException>(() => writer.Publish(new byte[_image.Size], _image, ColorOrder.Bgra, stop.Token));

        var begun = Task.Run(() => writer.Begin());
        writer.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => begun);
    }

    [Fact]
    public async Task ABeginGoesOnWhenTheReaderHasTakenAFrame()
    {
        using var writer = Create(slots: 2, WhenBehind.Block);
        using var reader = Reader(writer, Delivery.Every);
        var putting = Task.Run(() =>
        {
            for (byte mark = 1; mark <= 20; mark++)
            {
                Put(writer, mark);
            }
        });
        for (var last = 0L; last < 20; last++)
        {
            using var frame = reader.Wait(last);
            Assert.Equal(last + 1, frame.Sequence);
        }

        await putting;
    }

    [Fact]
    public void ASpinIsATimeThatTheLibraryCanCount()
    {
        using var stream = Create();
        stream.Spin(TimeSpan.Zero);
        stream.Spin(TimeSpan.FromMilliseconds(1));
        Assert.Null(stream.TryWait(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Spin(TimeSpan.FromTicks(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Spin(TimeSpan.FromHours(2)));
    }

    [Fact]
    public void OneObjectIsEachFrameInTurn()
    {
        using var writer = Create();
        using var reader = Reader(writer, Delivery.Every);
        for (byte mark = 1; mark <= 3; mark++)
        {
            using var frame = writer.Begin();
            frame.AsSpan().Fill(mark);
            frame.Image = _image;
            frame.Describe(mark, new byte[] { mark, mark });
            frame.Publish();
        }

        writer.End();
        var seen = 0L;
        using (var frame = reader.Wait())
        {
            do
            {
                Assert.Equal((++seen, seen), (frame.Sequence, frame.CaptureTimeNs));
                Assert.False(frame.AsSpan().ContainsAnyExcept((byte)seen));
                Assert.True(frame.Metadata.SequenceEqual([(byte)seen, (byte)seen]));
                Assert.Equal(_image, frame.Image);
            }
            while (frame.Next());

            Assert.Throws<ObjectDisposedException>(() => frame.AsSpan().Length);
            Assert.Throws<ObjectDisposedException>(() => frame.Metadata.Length);
            Assert.False(frame.Next());
            Put(writer, 4);
            Assert.True(frame.Next());
            Assert.Equal((4, 0), (frame.Sequence, frame.Metadata.Length));
            frame.Dispose();
            Assert.Throws<ObjectDisposedException>(() => frame.Next());
            Assert.Throws<ObjectDisposedException>(() => frame.AsSpan().Length);
        }

        Assert.Equal(3, seen);
    }

    [Fact]
    public void AViewKeepsItsFrameWhenTheObjectMovesOn()
    {
        using var stream = Create(slots: 3);
        Put(stream, 1);
        using var frame = stream.Wait();
        var view = frame.View();
        Put(stream, 2);
        Assert.True(frame.Next());
        Put(stream, 3);
        Assert.Throws<ShmCvBusyException>(() => stream.Begin()); // the view, the object and the newest frame have the slots
        Assert.False(view.Span.ContainsAnyExcept((byte)1));
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)2));
        using (var second = frame.View(out _))
        {
            Assert.False(second.Span.ContainsAnyExcept((byte)2));
        }

        view.Dispose();
        Put(stream, 4);
        Assert.True(frame.Next());
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)4));
        using (var third = frame.View(out _))
        {
            Assert.False(third.Span.ContainsAnyExcept((byte)4));
        }

        frame.Dispose();
        Put(stream, 5);
        Put(stream, 6);
    }

    [Fact]
    public async Task TheWaitForTheNextFrameEndsAsOthersDo()
    {
        var stream = Create();
        Put(stream, 1);
        using var frame = stream.Wait();
        using var stop = new CancellationTokenSource();
        var cancelled = Task.Run(() => frame.Next(stop.Token));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Put(stream, 2);
        Assert.True(frame.Next());
        Assert.Equal(2, frame.Sequence);

        var disposed = Task.Run(() => frame.Next());
        frame.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => disposed);

        using var other = stream.Wait();
        var closed = Task.Run(() => other.Next());
        stream.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => closed);
    }

    [Fact]
    public async Task DisposingAFrameThatMovesOnLeavesNoSlotBehind()
    {
        using var stream = Create(slots: 3);
        Put(stream, 1);
        for (var round = 0; round < 100; round++)
        {
            var frame = stream.Wait();
            using var start = new Barrier(2);
            var moving = Task.Run(() =>
            {
                start.SignalAndWait();
                try
                {
                    while (frame.Next())
                    {
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the expected end
                }
            });
            start.SignalAndWait();
            Put(stream, 2);
            frame.Dispose();
            await moving;
            Put(stream, 3); // with three slots, a frame that were still held would leave none for the third
            Put(stream, 4);
            Put(stream, 5);
        }
    }

    [Fact]
    public void ALoopOverFramesAllocatesNothing()
    {
        const int Frames = 500;
        using var writer = Create(slots: Frames + 2);
        using var reader = Reader(writer, Delivery.Every);
        for (var i = 0; i < Frames; i++)
        {
            Put(writer, 1);
        }

        using var frame = reader.Wait();
        Look(Frames / 2); // the first calls may compile code
        var before = GC.GetAllocatedBytesForCurrentThread();
        Look((Frames / 2) - 1);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Look(int frames)
        {
            for (var i = 0; i < frames; i++)
            {
                if (!frame.Next() || frame.AsSpan()[0] != 1)
                {
                    throw new InvalidOperationException($"frame {frame.Sequence}");
                }
            }
        }
    }

    // Writer and reader in turn, each with one object, and with all that a frame brings.
    [Fact]
    public async Task WritingAndReadingFrameAfterFrameAllocatesNothing()
    {
        const int Frames = 10_000;
        using var writer = Create();
        using var reader = FrameStream.Open(writer.Name);
        var pixels = new byte[_image.Size];
        using var filled = writer.Begin();
        Fill(0);
        filled.Publish();
        using var read = reader.Wait();
        await Exchange(Frames); // the first calls may compile code
        var least = long.MaxValue; // of three times, because the runtime may compile code meanwhile
        for (var i = 0; i < 3; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var exchanged = Exchange(Frames);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.True(exchanged.IsCompletedSuccessfully);
        }

        Assert.Equal(0, least);

        async ValueTask Exchange(int frames)
        {
            for (var i = 0; i < frames; i += 4)
            {
                filled.Next();
                Publish(i);
                Look(read.Next(), i);
                await filled.NextAsync();
                Publish(i + 1);
                Look(await read.NextAsync(), i + 1);
                Look(filled.TryNext(0), i + 1);
                Publish(i + 2);
                Look(read.TryNext(0), i + 2);
                writer.Publish(pixels, _image, ColorOrder.Bgra);
                Look(read.Next(), 0);
            }
        }

        void Publish(int i)
        {
            Fill(i);
            filled.Publish();
        }

        void Fill(int i)
        {
            filled.AsSpan()[0] = (byte)i;
            filled.Image = _image;
            filled.Describe(i, [(byte)i]);
        }

        void Look(bool there, int i)
        {
            if (!there || read.AsSpan()[0] != (byte)i || read.Image != _image || read.CaptureTimeNs != i || (i != 0 && read.Metadata[0] != (byte)i))
            {
                throw new InvalidOperationException($"frame {read.Sequence}");
            }
        }
    }

    [Fact]
    public void AFrameToFillBecomesTheNextOne()
    {
        using var stream = Create(slots: 3);
        using var frame = stream.Begin();
        frame.AsSpan().Fill(1);
        frame.Image = _image;
        Assert.Equal(1, frame.Publish());
        Assert.Throws<ObjectDisposedException>(() => frame.AsSpan().Length);
        Assert.Throws<ObjectDisposedException>(() => frame.Publish());
        frame.Next();
        frame.AsSpan().Fill(2);
        frame.Next(); // which nobody ever sees
        Assert.Throws<ShmCvNoImageException>(() => frame.Publish());
        Assert.Throws<ShmCvBusyException>(() => stream.Begin());
        var view = frame.View();
        view.GetSpan().Fill(3);
        frame.Image = _image;
        Assert.Equal(2, frame.Publish());
        Assert.True(frame.TryNext(0));
        frame.AsSpan().Fill(4);
        frame.Image = _image;
        Assert.False(view.GetSpan().ContainsAnyExcept((byte)3)); // memory of the frame before
        view.Dispose();
        using (var read = stream.Wait())
        {
            Assert.Equal(2, read.Sequence);
            Assert.False(read.AsSpan().ContainsAnyExcept((byte)3));
        }

        Assert.Equal(3, frame.Publish());
        frame.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.Next());
        Assert.Equal(4, Put(stream, 5));
    }

    [Fact]
    public void APublishedFrameThatNobodyDisposesOfKeepsNoWriterOut()
    {
        var stream = Create();
        using var next = FrameStream.Open(stream.Name);
        var frame = stream.Begin();
        frame.Image = _image;
        frame.Publish();
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.Next());
        Assert.Equal(2, Put(next, 1));
    }

    [Fact]
    public async Task AWriterThatWaitsForASlotOccupiesNoThreadOfItsCaller()
    {
        using var writer = Create(slots: 3, WhenBehind.Block);
        using var reader = Reader(writer, Delivery.Every);
        Put(writer, 1);
        Put(writer, 2);
        Put(writer, 3);
        var begin = writer.BeginAsync();
        Assert.False(begin.IsCompleted); // the reader has taken none of the three
        reader.Wait().Dispose();
        using var frame = await begin;
        frame.Image = _image;
        Assert.Equal(4, frame.Publish());

        var next = frame.NextAsync().AsTask();
        Assert.False(next.IsCompleted);
        Assert.Throws<InvalidOperationException>(() => frame.Next());
        reader.Wait().Dispose();
        await next;
        frame.Image = _image;
        Assert.Equal(5, frame.Publish());
        Assert.False(frame.TryNext(1));

        using var stop = new CancellationTokenSource();
        var cancelled = new[] { frame.NextAsync(stop.Token).AsTask(), writer.BeginAsync(stop.Token) };
        await stop.CancelAsync();
        foreach (var wait in cancelled)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        }

        Assert.ThrowsAny<OperationCanceledException>(() => writer.TryBegin(-1, stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => frame.TryNext(-1, stop.Token));
        var disposed = frame.NextAsync().AsTask();
        frame.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => disposed);
        var closed = writer.BeginAsync();
        writer.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => closed);
    }

    [Fact]
    public async Task AWriterThatNeedNotWaitIsToldSoByTheTaskToo()
    {
        using var first = Create();
        using var second = FrameStream.Open(first.Name);
        Put(first, 1);
        await Assert.ThrowsAsync<ShmCvBusyException>(() => second.BeginAsync());
        using var frame = await first.BeginAsync();
        await Assert.ThrowsAsync<ShmCvBusyException>(() => first.BeginAsync());
    }

    [Fact]
    public async Task TheNextFrameIsAwaitedAsOthersAre()
    {
        var stream = Create(slots: 3);
        Put(stream, 1);
        using var frame = stream.Wait();
        Assert.False(frame.TryNext(0));
        Assert.Throws<ObjectDisposedException>(() => frame.AsSpan().Length);
        var next = frame.NextAsync();
        Assert.False(next.IsCompleted);
        Put(stream, 2);
        Assert.True(await next);
        Assert.Equal(2, frame.Sequence);
        Assert.False(frame.AsSpan().ContainsAnyExcept((byte)2));

        using var stop = new CancellationTokenSource();
        var cancelled = frame.NextAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.AsTask());
        Assert.ThrowsAny<OperationCanceledException>(() => frame.TryNext(-1, stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => stream.TryWait(2, -1, stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => stream.TryWaitWriter(-1, stop.Token));
        Put(stream, 3);
        Assert.True(frame.TryNext(-1));
        Assert.Equal(3, frame.Sequence);

        var disposed = frame.NextAsync();
        frame.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => disposed.AsTask());
        Assert.Equal(0, Waits.CountOf(stream.Handle));

        using var other = stream.Wait();
        stream.End();
        Assert.Throws<ShmCvEndedException>(() => other.TryNext(-1));
        Assert.False(await other.NextAsync());
        stream.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => other.NextAsync().AsTask());
    }

    [Fact]
    public async Task DisposingAFrameThatIsBegunLeavesNoSlotBehind()
    {
        using var stream = Create(slots: 3);
        for (var round = 0; round < 100; round++)
        {
            var frame = stream.Begin();
            using var start = new Barrier(2);
            var moving = Task.Run(() =>
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                    {
                        frame.Image = _image;
                        frame.Publish();
                        frame.Next();
                    }
                }
                catch (Exception end) when (end is ObjectDisposedException or ShmCvClosedException)
                {
                    // the expected end
                }
            });
            start.SignalAndWait();
            frame.Dispose();
            await moving;
            Put(stream, 3); // a frame that were still begun would refuse another one
        }
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
        using (var guest = Processes.Start(Processes.Guest, ["hold", name]))
        {
            Assert.Equal("held", guest.StandardOutput.ReadLine());
            Segment.Sweep();
            Segment.Open(name).Dispose();
            guest.Kill();
            guest.WaitForExit();
        }

        Assert.True(Host.Current.HasName(name));
        // On Windows the segment has ended by itself. What the sweep removes is a file that stands for nothing any more.
        Assert.True(Segment.Sweep() >= (OperatingSystem.IsWindows() ? 0 : 1));
        Assert.False(Host.Current.HasName(name));
        Assert.Throws<ShmCvNotFoundException>(() => Segment.Open(name));
    }

    [Fact]
    public void ReaderThatHeedsTheWriterIsToldThatThereIsNone()
    {
        var name = _scratch.Name();
        using var reader = FrameStream.Create(name, 4096);
        reader.HeedWriter();
        Assert.Contains("newest frame is 0", Assert.Throws<ShmCvWriterGoneException>(() => reader.Wait()).Message, StringComparison.Ordinal);
        Assert.False(reader.TryWaitWriter(10));
        var image = new ImageInfo(8, 8, ColorOrder.Gray);
        using (var writer = FrameStream.Open(name))
        {
            Assert.Equal(1, writer.Publish(new byte[64], image, ColorOrder.Gray));
            reader.WaitWriter();
            reader.Wait().Dispose();
            Assert.Null(reader.TryWait(1, 1));
        }

        Assert.Throws<ShmCvWriterGoneException>(() => reader.Wait(1));
        reader.HeedWriter(false);
        Assert.Null(reader.TryWait(1, 1));
    }
}
