namespace ShmCv.Tests;

/// <summary>A stream's descriptor, on which a program's own loop waits.</summary>
public sealed class DescriptorTests : IDisposable
{
    private const int Minute = 60000;

    private static readonly ImageInfo _image = new(8, 8, ColorOrder.Gray);

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void DescriptorIsReadableWhenThereIsSomethingForTheReader()
    {
        using var stream = FrameStream.Create(_scratch.Name(), 4096);
        Assert.Equal(stream.Descriptor, stream.Descriptor);
        Assert.Equal([0], WhichAreReadable(0, stream)); // nobody has looked yet
        Assert.Null(stream.TryWait(0, 0));
        Assert.Empty(WhichAreReadable(0, stream));
        stream.Publish(new byte[64], _image, ColorOrder.Gray);
        Assert.Equal([0], WhichAreReadable(Minute, stream));
        stream.TryWait(0, 0)!.Dispose();
        Assert.Null(stream.TryWait(1, 0));
        Assert.Empty(WhichAreReadable(0, stream));
        stream.End();
        Assert.Equal([0], WhichAreReadable(Minute, stream));
        Assert.Throws<ShmCvEndedException>(() => stream.TryWait(1, 0));
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stream.Descriptor);
    }

    [Fact]
    public void OnePollWaitsForManyStreams()
    {
        var streams = Enumerable.Range(0, 10).Select(_ => FrameStream.Create(_scratch.Name(), 4096)).ToArray();
        _ = WhichAreReadable(0, streams);
        Assert.All(streams, stream => Assert.Null(stream.TryWait(0, 0)));
        for (var i = 0; i < streams.Length; i++)
        {
            streams[i].Publish(new byte[64], _image, ColorOrder.Gray);
            Assert.Equal([i], WhichAreReadable(Minute, streams));
            Assert.Null(streams[i].TryWait(1, 0));
        }

        Assert.All(streams, stream => stream.Dispose());
    }

    private static int[] WhichAreReadable(int milliseconds, params FrameStream[] streams) =>
        Host.Current.WhichAreReadable(milliseconds, Array.ConvertAll(streams, stream => stream.Descriptor));
}
