namespace ShmCv.Tests;

/// <summary>Streams whose name another stream gets, and waiting for a stream to appear.</summary>
public sealed class ReplacedTests : IDisposable
{
    private static readonly ImageInfo _image = new(8, 8, ColorOrder.Gray);

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private static FrameStream Make(string name) => FrameStream.Create(name, 4096);

    private static long Put(FrameStream stream, byte mark)
    {
        var pixels = new byte[_image.Size];
        Array.Fill(pixels, mark);
        return stream.Publish(pixels, _image, ColorOrder.Gray);
    }

    [Fact]
    public async Task ReaderOfAReplacedStreamIsToldAndFollows()
    {
        var name = _scratch.Name();
        using var old = Make(name);
        using var reader = FrameStream.Open(name);
        reader.Deliver(Delivery.Every);
        Assert.Null(reader.TryFollow(0));
        Assert.Null(reader.TryFollow(10));
        Put(old, 1);
        old.Clear();
        Put(old, 2);
        using var made = Make(name);
        Assert.Equal([1, 2], reader.Frames().Take(2).Select(frame => frame.Sequence));
        Assert.Contains("frame 2 was the last", Assert.Throws<ShmCvReplacedException>(() => reader.Wait()).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ShmCvReplacedException>(() => reader.WaitAsync(0, TestContext.Current.CancellationToken));
        Assert.Throws<ShmCvReplacedException>(() => reader.Frames().Count());
        Assert.Throws<ShmCvReplacedException>(() => old.Begin());
        old.Dispose();
        Assert.Throws<ShmCvReplacedException>(() => reader.WaitWriter());
        Put(made, 3);
        Put(made, 4);
        using var follower = reader.Follow();
        Assert.Equal([1, 2], follower.Frames().Take(2).Select(frame => frame.Sequence));
        using var another = await reader.FollowAsync(TestContext.Current.CancellationToken);
        Assert.Equal(made.Info.Uuid, another.Info.Uuid);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LoopGoesOnWithTheNewStream(bool asynchronous)
    {
        const int generations = 4, each = 3;
        var name = _scratch.Name();
        using var seen = new SemaphoreSlim(0);
        var told = new List<(long, byte)>();
        var streams = new List<FrameStream>();
        var writer = Task.Run(() =>
        {
            for (var generation = 0; generation < generations; generation++)
            {
                using var stream = Make(name);
                for (var n = 0; n < each; n++)
                {
                    Put(stream, (byte)((10 * generation) + n));
                    Assert.True(seen.Wait(TimeSpan.FromMinutes(1)));
                }

                if (generation < generations - 1)
                {
                    Segment.Clear(name);
                }
                else
                {
                    stream.End();
                }
            }
        });

        using var reader = FrameStream.TryOpen(name, 60000, TestContext.Current.CancellationToken)!;
        if (asynchronous)
        {
            await foreach (var frame in reader.FramesAsync(follow: true))
            {
                Note(frame);
            }
        }
        else
        {
            foreach (var frame in reader.Frames(follow: true))
            {
                Note(frame);
            }
        }

        await writer;
        var all = from g in Enumerable.Range(0, generations) from n in Enumerable.Range(0, each) select ((long)n + 1, (byte)((10 * g) + n));
        Assert.Equal(all, told);
        Assert.Equal(generations, streams.Count);
        Assert.All(streams.Skip(1), stream => Assert.Throws<ObjectDisposedException>(() => stream.Info));

        void Note(Frame frame)
        {
            told.Add((frame.Sequence, frame.AsSpan()[0]));
            if (streams.Count == 0 || streams[^1] != frame.Stream)
            {
                streams.Add(frame.Stream);
            }

            seen.Release();
        }
    }

    [Fact]
    public void DisposingOfTheFirstStreamEndsALoopThatHasFollowed()
    {
        var name = _scratch.Name();
        using var old = Make(name);
        using var reader = FrameStream.Open(name);
        old.Clear();
        using var made = Make(name);
        Put(made, 1);
        var frames = 0;
        Assert.Throws<ObjectDisposedException>(() =>
        {
            foreach (var frame in reader.Frames(follow: true))
            {
                frames++;
                Assert.NotSame(reader, frame.Stream);
                _ = Task.Run(reader.Dispose);
            }
        });
        Assert.Equal(1, frames);
    }

    [Fact]
    public async Task OpenWaitsForTheStream()
    {
        var name = _scratch.Name();
        Assert.Throws<ShmCvNotFoundException>(() => FrameStream.Open(name));
        Assert.Null(FrameStream.TryOpen(name, 0));
        Assert.Null(FrameStream.TryOpen(name, 10));
        Assert.Throws<ShmCvInvalidException>(() => FrameStream.TryOpen("not/plain", -1));
        using var stop = new CancellationTokenSource(50);
        Assert.Throws<OperationCanceledException>(() => FrameStream.TryOpen(name, -1, stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FrameStream.OpenAsync(name, stop.Token));
        var opening = FrameStream.OpenAsync(name, TestContext.Current.CancellationToken);
        var blocking = Task.Run(() => FrameStream.TryOpen(name, -1));
        using var made = Make(name);
        using var opened = await opening;
        using var another = await blocking;
        Assert.Equal((made.Info.Uuid, made.Info.Uuid), (opened.Info.Uuid, another!.Info.Uuid));
    }
}
