using System.Buffers;
using System.Runtime.CompilerServices;

namespace ShmCv.Tests;

/// <summary>Whether a segment is open in this process shows in its creator being alive.</summary>
[Collection(nameof(OpenSegments))]
public sealed class LifetimeTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ADisposedImageSaysSo()
    {
        var image = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Gray));
        using var other = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Gray));
        image.Dispose();
        image.Dispose();

        Assert.False(IsOpen(image.Name));
        Action[] uses =
        [
            () => _ = image.Info,
            () => image.Info = default,
            () => _ = image.Size,
            () => _ = image.SegmentInfo,
            () => image.TryGetInfo(out _),
            () => image.AsSpan(),
            () => image.View(),
            () => image.View(out _),
            () => image.Load(Repository.TestData("small.jpg")),
            () => image.Save(_scratch.File("x.png")),
            () => image.Flip(FlipCode.Both),
            () => image.FlipInto(other, FlipCode.Both),
            () => other.FlipInto(image, FlipCode.Both),
            () => image.ConvertInto(other, ColorOrder.Bgr),
            () => other.ConvertInto(image, ColorOrder.Bgr),
            () => image.Show("window"),
            () => image.ReadPixels(new byte[16], new ImageInfo(4, 4, ColorOrder.Gray)),
            () => image.WritePixels(new byte[16], new ImageInfo(4, 4, ColorOrder.Gray), ColorOrder.Gray),
        ];
        Assert.All(uses, use => Assert.Contains(nameof(SharedImage), Assert.Throws<ObjectDisposedException>(use).ObjectName, StringComparison.Ordinal));
    }

    [Fact]
    public void AForgottenImageIsClosedByTheCollector()
    {
        var name = Forget(image => image.Info = new ImageInfo(3, 3, ColorOrder.Gray));
        CollectUntil(() => !IsOpen(name));
    }

    [Fact]
    public void AForgottenImageWhoseSpanIsOutStaysOpen()
    {
        var canary = Forget(_ => { });
        var name = Forget(image => image.AsSpan()[5] = 55);
        CollectUntil(() => !IsOpen(canary));

        Assert.True(IsOpen(name));
    }

    [Fact]
    public void AForgottenViewStaysOpen()
    {
        var canary = Forget(_ => { });
        var name = Forget(image => image.View().GetSpan()[5] = 55);
        CollectUntil(() => !IsOpen(canary));

        Assert.True(IsOpen(name));
    }

    [Fact]
    public void DisposingEndsASpansHold()
    {
        var image = _scratch.Create(1000);
        Assert.True(image.AsSpan() == image.AsSpan());
        image.Dispose();
        Assert.False(IsOpen(image.Name));
    }

    [Fact]
    public void AViewOutlivesItsImage()
    {
        var image = _scratch.Create(1000);
        var view = image.View();
        image.Dispose();

        view.GetSpan()[999] = 99;
        Assert.True(IsOpen(image.Name));
        view.Dispose();
        view.Dispose();
        Assert.False(IsOpen(image.Name));
        Assert.Throws<ObjectDisposedException>(() => view.GetSpan().Length);
        Assert.Throws<ObjectDisposedException>(() => view.Pin());
    }

    [Fact]
    public unsafe void APinOutlivesItsView()
    {
        var image = _scratch.Create(1000);
        using (var writer = SharedImage.Open(image.Name))
        {
            writer.AsSpan()[7] = 77;
        }

        MemoryHandle pin;
        using (image)
        using (var view = image.View())
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => view.Pin(-1));
            Assert.Throws<ArgumentOutOfRangeException>(() => view.Pin(1001));
            pin = view.Memory[7..].Pin();
        }

        Assert.True(IsOpen(image.Name));
        Assert.Equal(77, *(byte*)pin.Pointer);
        pin.Dispose();
        Assert.False(IsOpen(image.Name));
    }

    [Fact]
    public void DisposingDuringUseHarmsNobody()
    {
        for (var round = 0; round < 50; round++)
        {
            var image = _scratch.Load("small-bgr.png");
            using var start = new Barrier(3);
            var users = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                    {
                        image.Flip(FlipCode.Both);
                        using var view = image.View();
                        view.GetSpan()[0]++;
                    }
                }
                catch (ObjectDisposedException)
                {
                    // as it should be
                }
            })).ToArray();
            start.SignalAndWait();
            image.Dispose();
            Task.WaitAll(users);
            Assert.False(IsOpen(image.Name));
            Segments.Clear(image.Name);
        }
    }

    internal static bool IsOpen(string name) => Segments.List().Single(info => info.Name == name).OwnerIsAlive;

    /// <summary>Collects until something has happened, as often as any collector could need.</summary>
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
    private string Forget(Action<SharedImage> use)
    {
        var image = _scratch.Create(1000);
        use(image);
        return image.Name;
    }
}
