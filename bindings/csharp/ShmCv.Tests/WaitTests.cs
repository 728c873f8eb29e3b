using System.Collections.Concurrent;
using System.Reflection;

namespace ShmCv.Tests;

/// <summary>Waiting: who waits occupies no thread, can be stopped at any time, and keeps no other work waiting.</summary>
public sealed class WaitTests : IDisposable
{
    private static readonly ImageInfo _image = new(16, 16, ColorOrder.Gray);
    private static readonly byte[] _pixels = new byte[16 * 16];

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private FrameStream Create(int slots = 0) => FrameStream.Create(_scratch.Name(), _image.Size, slots);

    private static long Put(FrameStream stream) => stream.Publish(_pixels, _image, ColorOrder.Gray);

    [Fact]
    public async Task AllAsynchronousWaitsTakeOneThread()
    {
        const int Each = 300;
        var streams = Enumerable.Range(0, 20).Select(_ => Create()).ToArray();
        using var segment = _scratch.Create(_image.Size);
        var frames = Enumerable.Range(0, Each).Select(i => streams[i % streams.Length].WaitAsync()).ToArray();
        var images = Enumerable.Range(0, Each).Select(_ => segment.WaitAsync(0)).ToArray();
        Assert.Equal(Each, Waits.CountOf(segment.Handle));
        Assert.Single(Host.Current.ThreadNames, name => name == "shmcv waits");
        foreach (var stream in streams)
        {
            Assert.Equal(1, Put(stream));
        }

        segment.Image = _image;
        Assert.All(await Task.WhenAll(images), sequence => Assert.Equal(1, sequence));
        foreach (var frame in await Task.WhenAll(frames))
        {
            Assert.Equal(1, frame.Sequence);
            frame.Dispose();
        }

        Array.ForEach(streams, stream => stream.Dispose());
    }

    [Fact]
    public async Task ATokenIsHonouredBeforeEachFrameAlsoIfFramesAreAlwaysReady()
    {
        using var stream = Create();
        using var stop = new CancellationTokenSource();
        Put(stream);
        var seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var frame in stream.FramesAsync(cancellationToken: stop.Token))
            {
                Put(stream);
                if (++seen == 7)
                {
                    stop.Cancel();
                }
            }
        });
        Assert.Equal(7, seen);
        Assert.Throws<OperationCanceledException>(() => stream.Wait(0, stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.WaitAsync(0, stop.Token));
    }

    // With 2 slots, a frame that a cancelled wait had taken would keep the writer from its third frame.
    [Fact]
    public async Task ACancelledWaitLeavesNothing()
    {
        using var stream = Create(slots: 2);
        using var segment = _scratch.Create(_image.Size);
        for (var round = 0; round < 200; round++)
        {
            using var stop = new CancellationTokenSource();
            var waits = new Task[] { stream.WaitAsync(1000, stop.Token), segment.WaitAsync(1000, stop.Token) };
            Put(stream);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits[0]);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits[1]);
        }

        Assert.Equal((0, 0), (Waits.CountOf(stream.Handle), Waits.CountOf(segment.Handle)));
    }

    [Fact]
    public void ALoopOverFramesThatAreAlwaysReadyLeavesOtherWorkOfItsThreadATurn()
    {
        using var stream = Create();
        Put(stream);
        var (frames, others, inARow, most) = (0, 0, 0, 0);
        using var thread = new SingleThread();
        thread.Run(async () =>
        {
            var home = Environment.CurrentManagedThreadId;
            void Other(object? state)
            {
                (others, inARow) = (others + 1, 0);
                thread.Post(Other, null);
            }

            thread.Post(Other, null);
            await foreach (var frame in stream.FramesAsync())
            {
                Assert.Equal(home, Environment.CurrentManagedThreadId);
                most = Math.Max(most, ++inARow);
                Put(stream);
                if (++frames == 500)
                {
                    break;
                }
            }
        });
        Assert.InRange(most, 1, 2);
        Assert.InRange(others, 200, int.MaxValue);
    }

    [Fact]
    public void AWaitContinuesInTheContextOfItsCaller()
    {
        using var stream = Create();
        using var segment = _scratch.Create(_image.Size);
        using var thread = new SingleThread();
        thread.Run(async () =>
        {
            var home = Environment.CurrentManagedThreadId;
            var (frame, image) = (stream.WaitAsync(), segment.WaitAsync(0));
            await Task.Run(() => Put(stream));
            (await frame).Dispose();
            Assert.Equal(home, Environment.CurrentManagedThreadId);
            await Task.Run(() => segment.Image = _image);
            await image;
            Assert.Equal(home, Environment.CurrentManagedThreadId);
        });
    }

    public static TheoryData<string> WaysToWait => ["TryWait", "Wait", "WaitAsync", "Frames", "FramesAsync"];

    [Theory]
    [MemberData(nameof(WaysToWait))]
    public async Task DisposingOfAStreamEndsEveryWait(string way)
    {
        for (var round = 0; round < 20; round++)
        {
            var stream = Create();
            Func<Task> wait = way switch
            {
                "TryWait" => () => Task.Run(() => stream.TryWait(0, -1)),
                "Wait" => () => Task.Run(() => stream.Wait()),
                "WaitAsync" => () => stream.WaitAsync(),
                "Frames" => () => Task.Run(() => stream.Frames().First()),
                _ => Loop,
            };
            var waits = Enumerable.Range(0, 3).Select(_ => wait()).ToArray();
            stream.Dispose();
            foreach (var ended in waits)
            {
                var problem = await Assert.ThrowsAsync<ObjectDisposedException>(() => ended);
                Assert.Contains(nameof(FrameStream), problem.ObjectName, StringComparison.Ordinal);
            }

            async Task Loop()
            {
                await foreach (var frame in stream.FramesAsync())
                {
                    frame.Dispose();
                }
            }
        }
    }

    // The view keeps the native handle open.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisposingOfASegmentEndsEveryWait(bool viewed)
    {
        var segment = _scratch.Create(_image.Size);
        using var view = viewed ? segment.View() : null;
        Task[] waits = [Task.Run(() => segment.TryWait(0, -1)), Task.Run(() => segment.Wait(0)), segment.WaitAsync(0)];
        segment.Dispose();
        foreach (var ended in waits)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => ended);
        }
    }

    [Fact]
    public async Task DisposingEndsTheWaitsOfThatObjectAlone()
    {
        using var stream = Create();
        var other = FrameStream.Open(stream.Name);
        var (kept, ended) = (stream.WaitAsync(), other.WaitAsync());
        other.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ended);
        Assert.False(kept.IsCompleted);
        Put(stream);
        (await kept).Dispose();
    }

    [Fact]
    public async Task AWaitOnWhatCannotBeWaitedForFailsAtOnce()
    {
        var name = _scratch.Name();
        using var memory = Host.Current.MakeForeign(name, new byte[100]);
        using var foreign = Segment.Open(name);
        await Assert.ThrowsAsync<ShmCvUnsupportedException>(() => foreign.WaitAsync(0));
        foreign.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => foreign.WaitAsync(0));
    }

    [Fact]
    public void ANegativeTimeWaitsWithoutAnEnd()
    {
        using var stream = Create();
        var writer = Task.Run(() => Put(stream));
        using var frame = stream.TryWait(0, -1);
        Assert.Equal(1, frame!.Sequence);
        writer.Wait();
        Assert.Null(stream.TryWait(1, 120)); // longer than a slice
    }

    [Fact]
    public void AFrameToReadGivesNothingThatWrites()
    {
        var results = typeof(Frame).GetMembers(BindingFlags.Public | BindingFlags.Instance).Select(member => member switch
        {
            MethodInfo method => method.ReturnType,
            PropertyInfo property => property.PropertyType,
            _ => typeof(void),
        });
        Type[] writing = [typeof(Span<byte>), typeof(Memory<byte>), typeof(PixelView), typeof(byte*)];
        Assert.DoesNotContain(results, writing.Contains);
    }

    [Fact]
    public void AViewToReadHasTheBytesAndKeepsThem()
    {
        using var stream = Create(slots: 2);
        Put(stream);
        ReadOnlyPixelView view;
        using (var frame = stream.Wait())
        {
            view = frame.View();
        }

        Put(stream);
        Assert.Throws<ShmCvBusyException>(() => stream.Begin());
        Assert.Equal(_pixels, view.Memory[.._pixels.Length].ToArray());
        view.Pin(5).Dispose();
        var memory = view.Memory;
        view.Dispose();
        view.Dispose();
        Assert.Throws<ObjectDisposedException>(() => view.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => view.Pin());
        stream.Begin().Dispose();
    }

    /// <summary>A thread with a queue of work, as a user interface has it.</summary>
    private sealed class SingleThread : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Work, object? State)> _queue = [];

        public override void Post(SendOrPostCallback d, object? state) => _queue.Add((d, state));

        public void Dispose() => _queue.Dispose();

        public void Run(Func<Task> work)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                var task = work();
                while (!task.IsCompleted)
                {
                    if (_queue.TryTake(out var next, TimeSpan.FromSeconds(60)))
                    {
                        next.Work(next.State);
                    }
                    else
                    {
                        Assert.Fail("nothing happens any more");
                    }
                }

                task.GetAwaiter().GetResult();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }
}
