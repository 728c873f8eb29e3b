using System.Runtime.InteropServices;

namespace ShmCv.Tests;

/// <summary>A stream's descriptor, on which a program's own loop waits.</summary>
public sealed partial class DescriptorTests : IDisposable
{
    private const int Minute = 60000;
    private const short Readable = 1; // POLLIN

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

    [LibraryImport("libc")]
    private static unsafe partial int poll(Polled* descriptors, nuint count, int milliseconds);

    private static unsafe int[] WhichAreReadable(int milliseconds, params FrameStream[] streams)
    {
        var polled = streams.Select(stream => new Polled { Descriptor = (int)stream.Descriptor, Events = Readable }).ToArray();
        fixed (Polled* first = polled)
        {
            _ = poll(first, (nuint)polled.Length, milliseconds);
        }

        return [.. from i in Enumerable.Range(0, polled.Length) where polled[i].Found == Readable select i];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Polled
    {
        internal int Descriptor;
        internal short Events;
        internal short Found;
    }
}
