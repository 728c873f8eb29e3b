using System.Buffers;
using System.Runtime.CompilerServices;

namespace ShmCv.Tests;

/// <summary>
/// A segment that this process created is open here as long as its description says that the owner is alive.
/// </summary>
[Collection(nameof(OpenSegments))]
public sealed class LifetimeTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ADisposedImageSaysSo()
    {
        var segment = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Gray));
        using var other = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Gray));
        segment.Dispose();
        segment.Dispose();

        Assert.False(IsOpen(segment.Name));
        Action[] uses =
        [
            () => _ = segment.Image,
            () => segment.Image = default,
            () => _ = segment.Size,
            () => _ = segment.Info,
            () => segment.TryGetImage(out _),
            () => segment.AsSpan(),
            () => segment.View(),
            () => segment.View(out _),
            () => segment.Load(Repository.TestData("small.jpg")),
            () => segment.Save(_scratch.File("x.png")),
            () => segment.Flip(FlipCode.Both),
            () => segment.FlipInto(other, FlipCode.Both),
            () => other.FlipInto(segment, FlipCode.Both),
            () => segment.ConvertInto(other, ColorOrder.Bgr),
            () => other.ConvertInto(segment, ColorOrder.Bgr),
            () => segment.Show("window"),
            () => segment.Read(new byte[16], new ImageInfo(4, 4, ColorOrder.Gray)),
            () => segment.Write(new byte[16], new ImageInfo(4, 4, ColorOrder.Gray), ColorOrder.Gray),
        ];
        Assert.All(uses, use => Assert.Contains(nameof(Segment), Assert.Throws<ObjectDisposedException>(use).ObjectName, StringComparison.Ordinal));
    }

    [Fact]
    public void AForgottenImageIsClosedByTheCollector()
    {
        var name = Forget(segment => segment.Image = new ImageInfo(3, 3, ColorOrder.Gray));
        CollectUntil(() => !IsOpen(name));
    }

    [Fact]
    public void AForgottenImageWhoseSpanIsOutStaysOpen()
    {
        var canary = Forget(_ => { });
        var name = Forget(segment => segment.AsSpan()[5] = 55);
        CollectUntil(() => !IsOpen(canary));

        Assert.True(IsOpen(name));
    }

    [Fact]
    public void AForgottenViewStaysOpen()
    {
        var canary = Forget(_ => { });
        var name = Forget(segment => segment.View().GetSpan()[5] = 55);
        CollectUntil(() => !IsOpen(canary));

        Assert.True(IsOpen(name));
    }

    // With 2 slots, a frame that is held leaves the writer no slot after the next one.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AForgottenFrameIsGivenBackAndItsSpanStaysReadable(bool throughAView)
    {
        var stream = FrameStream.Create(_scratch.Name(), 64 * 64, slots: 2);
        var pixels = new byte[64 * 64];
        var image = new ImageInfo(64, 64, ColorOrder.Gray);
        stream.Publish(pixels, image, ColorOrder.Gray);
        var span = Forget();
        stream.Publish(pixels, image, ColorOrder.Gray);
        CollectUntil(() =>
        {
            try
            {
                stream.Begin().Dispose();
                return true;
            }
            catch (ShmCvBusyException)
            {
                return false;
            }
        });

        stream.Dispose();
        Assert.Equal(0, span[^1]); // the process would end here if the memory had gone

        [MethodImpl(MethodImplOptions.NoInlining)]
        ReadOnlySpan<byte> Forget()
        {
            var frame = stream.Wait();
            return throughAView ? frame.View().Span : frame.AsSpan();
        }
    }

    [Fact]
    public void AForgottenStreamIsClosedByTheCollector()
    {
        var name = _scratch.Name();
        Forget();
        CollectUntil(() => !IsOpen(name));

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Forget()
        {
            var stream = FrameStream.Create(name, 100);
            stream.Publish(new byte[100], new ImageInfo(10, 10, ColorOrder.Gray), ColorOrder.Gray);
            _ = stream.Wait();
        }
    }

    // A view of a frame to fill may be used after the frame has been published and its stream disposed of.
    [Fact]
    public void AForgottenViewOfAPublishedFrameStaysMapped()
    {
        var name = _scratch.Name();
        var span = Forget();
        var canary = this.Forget(_ => { });
        CollectUntil(() => !IsOpen(canary));
        Assert.Equal(7, span[5]);

        [MethodImpl(MethodImplOptions.NoInlining)]
        Span<byte> Forget()
        {
            using var stream = FrameStream.Create(name, 100);
            using var frame = stream.Begin();
            var span = frame.View().GetSpan();
            span.Fill(7);
            frame.Image = new ImageInfo(10, 10, ColorOrder.Gray);
            frame.Publish();
            return span;
        }
    }

    [Fact]
    public void ASpanTakenDuringDisposalHoldsNothing()
    {
        for (var round = 0; round < 1000; round++)
        {
            var segment = _scratch.Create(1000);
            using var start = new Barrier(2);
            var user = Task.Run(() =>
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                    {
                        segment.AsSpan();
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the expected end
                }
            });
            start.SignalAndWait();
            segment.Dispose();
            user.Wait();
            Assert.False(IsOpen(segment.Name), $"round {round}");
            Scratch.Clear(segment.Name);
        }
    }

    [Fact]
    public void DisposingEndsASpansHold()
    {
        var segment = _scratch.Create(1000);
        Assert.True(segment.AsSpan() == segment.AsSpan());
        segment.Dispose();
        Assert.False(IsOpen(segment.Name));
    }

    [Fact]
    public void AViewOutlivesItsImage()
    {
        var segment = _scratch.Create(1000);
        var view = segment.View();
        segment.Dispose();

        view.GetSpan()[999] = 99;
        Assert.True(IsOpen(segment.Name));
        view.Dispose();
        view.Dispose();
        Assert.False(IsOpen(segment.Name));
        Assert.Throws<ObjectDisposedException>(() => view.GetSpan().Length);
        Assert.Throws<ObjectDisposedException>(() => view.Pin());
    }

    [Fact]
    public unsafe void APinOutlivesItsView()
    {
        var segment = _scratch.Create(1000);
        using (var writer = Segment.Open(segment.Name))
        {
            writer.AsSpan()[7] = 77;
        }

        MemoryHandle pin;
        using (segment)
        using (var view = segment.View())
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => view.Pin(-1));
            Assert.Throws<ArgumentOutOfRangeException>(() => view.Pin(1001));
            pin = view.Memory[7..].Pin();
        }

        Assert.True(IsOpen(segment.Name));
        Assert.Equal(77, *(byte*)pin.Pointer);
        pin.Dispose();
        Assert.False(IsOpen(segment.Name));
    }

    [Fact]
    public void DisposingDuringUseHarmsNobody()
    {
        for (var round = 0; round < 50; round++)
        {
            var segment = _scratch.Load("small-bgr.png");
            using var start = new Barrier(3);
            var users = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                    {
                        segment.Flip(FlipCode.Both);
                        using var view = segment.View();
                        view.GetSpan()[0]++;
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the expected end
                }
            })).ToArray();
            start.SignalAndWait();
            segment.Dispose();
            Task.WaitAll(users);
            Assert.False(IsOpen(segment.Name));
            Scratch.Clear(segment.Name);
        }
    }

    // On Windows, a segment that nobody has open is gone.
    internal static bool IsOpen(string name) => Segment.List().SingleOrDefault(info => info.Name == name) is { OwnerAlive: true };

    /// <summary>
    /// Collects garbage until something has happened, and fails after more collections than any collector could need.
    /// </summary>
    internal static void CollectUntil(Func<bool> happened)
    {
        for (var collection = 0; collection < 100 && !happened(); collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.True(happened(), "it has not been collected");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private string Forget(Action<Segment> use)
    {
        var segment = _scratch.Create(1000);
        use(segment);
        return segment.Name;
    }
}
