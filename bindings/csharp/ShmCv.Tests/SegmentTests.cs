using System.Text;

namespace ShmCv.Tests;

[Collection(nameof(OpenSegments))]
public sealed class SegmentTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void WhatOneObjectWritesTheOtherReads()
    {
        using var first = _scratch.Create(100_000);
        using var second = Segment.Open(first.Name);

        Assert.True(second.Size == 100_000);
        Assert.DoesNotContain(second.AsSpan().ToArray(), b => b != 0);
        Scratch.Fill(first.AsSpan());
        Assert.True(first.AsSpan().SequenceEqual(second.AsSpan()));
    }

    [Fact]
    public void PixelsBeginTheFileSoThatOthersFindThem()
    {
        using var segment = _scratch.Create(4096);
        Scratch.Fill(segment.AsSpan());

        Assert.Equal(segment.AsSpan().ToArray(), Host.Current.BytesOf(segment.Name, 4096));
    }

    [Fact]
    public void AReadOnlySegmentHasWhatReads()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgr));
        using var reader = ReadOnlySegment.Open(segment.Name);
        Assert.False(typeof(WritablePixels).IsAssignableFrom(typeof(ReadOnlySegment)));
        Assert.Equal(segment.Image, reader.Image);
        Assert.Equal(segment.Size, reader.Size);
        Assert.Equal(1, reader.Sequence);
        Assert.Equal(1, reader.Wait(0));
        Assert.Null(reader.TryWait(1, 0));
        Assert.True(reader.AsSpan().SequenceEqual(segment.AsSpan()));
        Assert.Equal(segment.AsSpan().ToArray(), reader.Read(out _));
        reader.FlipInto(segment, FlipCode.Vertical);
        Assert.Equal(2, reader.Sequence);

        Assert.True(Host.Current.IsReadOnly(AddressOf(reader)));
        Assert.False(Host.Current.IsReadOnly(AddressOf(segment)));
        Assert.Throws<ShmCvNotFoundException>(() => ReadOnlySegment.Open(_scratch.Name()));
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Sequence);
    }

    [Fact]
    public void ATakenNameIsRefused()
    {
        using var segment = _scratch.Create(1000);
        var problem = Assert.Throws<ShmCvExistsException>(() => Segment.Create(segment.Name, 1000));
        Assert.Equal(ErrorCode.Exists, problem.Code);
        Assert.Contains(segment.Name, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownNameIsNotFound()
    {
        var name = _scratch.Name();
        Assert.Contains(name, Assert.Throws<ShmCvNotFoundException>(() => Segment.Open(name)).Message, StringComparison.Ordinal);
        Assert.Throws<ShmCvNotFoundException>(() => Segment.Clear(name));
    }

    [Fact]
    public void ImpossibleSizesAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Segment.Create(_scratch.Name(), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Segment.Create(_scratch.Name(), -1));
        Assert.Throws<ShmCvNoSpaceException>(() => Segment.Create(_scratch.Name(), 1L << 45));
    }

    [Fact]
    public void NamesFollowTheRule() => Vectors.Run("name", row =>
    {
        var bytes = row[0] == "-" ? [] : Unescape(row[0]);
        var name = Encoding.UTF8.GetString(bytes);
        if (!Encoding.UTF8.GetBytes(name).SequenceEqual(bytes))
        {
            return; // no string holds these bytes
        }

        Assert.Equal(Vectors.Code(row[OperatingSystem.IsWindows() ? 2 : 1]), CodeOf(() =>
        {
            using var segment = Segment.Create(name, 1);
            Segment.Clear(name);
        }));
    });

    [Fact]
    public void ANulInANameIsRefused() =>
        Assert.Throws<ArgumentException>(() => Segment.Create($"{_scratch.Name()}\0more", 10));

    [Fact]
    public void NullsAreRefused()
    {
        using var segment = _scratch.Create(1000);
        Assert.Throws<ArgumentNullException>(() => Segment.Create(null!, 10));
        Assert.Throws<ArgumentNullException>(() => Segment.Open(null!));
        Assert.Throws<ArgumentNullException>(() => ImageInfo.Probe(null!));
        Assert.Throws<ArgumentNullException>(() => Segment.Clear(null!));
        Assert.Throws<ArgumentNullException>(() => segment.Load(null!));
        Assert.Throws<ArgumentNullException>(() => segment.Save(null!));
        Assert.Throws<ArgumentNullException>(() => segment.Show(null!));
        Assert.Throws<ArgumentNullException>(() => segment.FlipInto(null!, FlipCode.Both));
        Assert.Throws<ArgumentNullException>(() => segment.ConvertInto(null!, ColorOrder.Gray));
        Assert.Throws<ArgumentNullException>(() => Window.Show("window", null!));
    }

    [Fact]
    public void AClearedNameIsFreeAtOnceAndTheMemoryStays()
    {
        using var old = _scratch.Create(1000);
        old.AsSpan()[0] = 1;
        Segment.Clear(old.Name);

        using var young = Segment.Create(old.Name, 2000);
        Assert.Equal(1, old.AsSpan()[0]);
        Assert.Equal(0, young.AsSpan()[0]);
        Assert.NotEqual(old.Info.Uuid, young.Info.Uuid);
        young.Clear();
        Assert.Throws<ShmCvNotFoundException>(young.Clear);
        Assert.Equal(0, young.AsSpan()[0]);
    }

    [Fact]
    public void TheErrorOfATakenNameTellsWhoseItIsAndHowToBeRidOfIt()
    {
        using var segment = _scratch.Create(1000);
        var problem = Assert.Throws<ShmCvExistsException>(() => Segment.Create(segment.Name, 1000));
        Assert.Contains($"process {Environment.ProcessId}, which has it open", problem.Message, StringComparison.Ordinal);
        Assert.Contains("sweep", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenOrCreateMakesOneOrOpensWhatFits()
    {
        var name = _scratch.Name();
        using var first = Segment.OpenOrCreate(name, 100);
        using var second = Segment.OpenOrCreate(name, 50);
        Assert.Equal((true, false), (first.Created, second.Created));
        Assert.Equal(100, second.Size);
        var problem = Assert.Throws<ShmCvTooSmallException>(() => Segment.OpenOrCreate(name, 101));
        Assert.Contains("100 bytes", problem.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Segment.OpenOrCreate(name, 0));
        Assert.Throws<ArgumentNullException>(() => Segment.OpenOrCreate(null!, 1));
        first.Clear();

        using var writer = FrameStream.OpenOrCreate(name, 100, slots: 3);
        using var reader = FrameStream.OpenOrCreate(name, 1);
        Assert.Equal((true, false), (writer.Created, reader.Created));
        Assert.Equal(3, reader.Info.Slots);
        Assert.Throws<ShmCvTooSmallException>(() => FrameStream.OpenOrCreate(name, 1, slots: 4));
    }

    [Fact]
    public void ASegmentOfAnImageNeedsNoSize()
    {
        var image = new ImageInfo(20, 10, ColorOrder.Bgra);
        using var segment = Segment.Create(_scratch.Name(), image);
        Assert.Equal((image, image.Size, true), (segment.Image, segment.Size, segment.Created));
    }

    [Fact]
    public void ASegmentOfAFileHoldsItsPicture()
    {
        using var segment = Segment.FromFile(_scratch.Name(), Repository.TestData("small.jpg"), LoadFlags.Gray);
        Assert.Equal(ImageInfo.Probe(Repository.TestData("small.jpg"), LoadFlags.Gray), segment.Image);
        Assert.Equal(segment.Image.Size, segment.Size);
        foreach (var bad in new[] { "missing.png", "truncated.png" })
        {
            var name = _scratch.Name();
            Assert.ThrowsAny<ShmCvException>(() => Segment.FromFile(name, Repository.TestData(bad)));
            Assert.False(Host.Current.HasName(name));
        }
    }

    [Fact]
    public void TheNameIsRemovedByDisposingWhereWanted()
    {
        var name = _scratch.Name();
        foreach (var open in new Func<(IDisposable Opened, Action ClearOnDispose, Action Clear)>[]
        {
            () =>
            {
                var segment = Segment.OpenOrCreate(name, 10);
                return (segment, () => segment.ClearOnDispose = true, segment.Clear);
            },
            () =>
            {
                var stream = FrameStream.OpenOrCreate(name, 10);
                return (stream, () => stream.ClearOnDispose = true, stream.Clear);
            },
        })
        {
            using var holder = open().Opened; // on Windows the name goes with the last object
            open().Opened.Dispose();
            Assert.True(Host.Current.HasName(name));
            var (opened, clearOnDispose, _) = open();
            clearOnDispose();
            opened.Dispose();
            Assert.False(Host.Current.HasName(name));
            opened.Dispose();

            // The name of a newcomer stays.
            (opened, clearOnDispose, var clear) = open();
            clearOnDispose();
            clear();
            using (var newcomer = Segment.Create(name, 10))
            {
                Assert.Throws<ShmCvNotFoundException>(clear);
                opened.Dispose();
                Assert.True(Host.Current.HasName(name));
                newcomer.Clear();
            }
        }
    }

    [Fact]
    public void TheListTellsOfASegment()
    {
        var before = DateTimeOffset.UtcNow;
        using var segment = _scratch.Create(100_000);
        segment.Image = new ImageInfo(20, 10, ColorOrder.Rgb);

        var info = Segment.List().Single(info => info.Name == segment.Name);
        Assert.Equal(info, segment.Info);
        Assert.Equal(100_000, info.Size);
        Assert.Equal(Host.Current.MemoryOf(segment.Name), info.FileSize);
        Assert.Equal(Environment.ProcessId, info.Owner);
        Assert.True(info.OwnerAlive);
        Assert.False(info.Foreign);
        Assert.NotEqual(Guid.Empty, info.Uuid);
        Assert.Equal(new ImageInfo(20, 10, ColorOrder.Rgb), info.Image);
        Assert.NotNull(info.CreatedAt);
        Assert.InRange(info.CreatedAt.Value, before.AddSeconds(-1), DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Fact]
    public void ALongListIsTold()
    {
        var segments = Enumerable.Range(0, 40).Select(_ => _scratch.Create(10)).ToArray();
        Assert.Superset(segments.Select(segment => segment.Name).ToHashSet(), Segment.List().Select(info => info.Name).ToHashSet());
        Array.ForEach(segments, segment => segment.Dispose());
    }

    [Fact]
    public void ForeignMemoryCanBeUsedOnceItIsSaidWhatItIs()
    {
        var name = _scratch.Name();
        var pixels = new byte[5 * 4 * 3];
        Scratch.Fill(pixels);
        using var foreign = Host.Current.MakeForeign(name, pixels);

        using var segment = Segment.Open(name);
        Assert.True(segment.Info.Foreign);
        Assert.Null(segment.Info.CreatedAt);
        Assert.Throws<ShmCvNoImageException>(() => segment.Image);
        Assert.False(segment.TryGetImage(out _));
        segment.Image = new ImageInfo(5, 4, ColorOrder.Bgr);
        segment.Save(_scratch.File("foreign.png"));
        using var saved = _scratch.Create(60);
        saved.Load(_scratch.File("foreign.png"));
        Assert.Equal(pixels, Scratch.Bytes(saved));
    }

    internal static ErrorCode CodeOf(Action action)
    {
        try
        {
            action();
            return ErrorCode.OK;
        }
        catch (ShmCvException problem)
        {
            return problem.Code;
        }
    }

    private static unsafe nint AddressOf(Pixels pixels)
    {
        fixed (byte* first = pixels.AsSpan())
        {
            return (nint)first;
        }
    }

    private static byte[] Unescape(string escaped)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] == '%')
            {
                bytes.Add(Convert.ToByte(escaped.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                bytes.Add((byte)escaped[i]);
            }
        }

        return [.. bytes];
    }
}
