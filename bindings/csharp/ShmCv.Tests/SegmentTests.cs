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
        using var second = SharedImage.Open(first.Name);

        Assert.True(second.Size == 100_000);
        Assert.DoesNotContain(second.AsSpan().ToArray(), b => b != 0);
        Scratch.Fill(first.AsSpan());
        Assert.True(first.AsSpan().SequenceEqual(second.AsSpan()));
    }

    [Fact]
    public void PixelsBeginTheFileSoThatOthersFindThem()
    {
        using var image = _scratch.Create(4096);
        Scratch.Fill(image.AsSpan());

        using var file = File.OpenRead($"/dev/shm/{image.Name}");
        var bytes = new byte[4096];
        file.ReadExactly(bytes);
        Assert.Equal(bytes, image.AsSpan().ToArray());
    }

    [Fact]
    public void ATakenNameIsRefused()
    {
        using var image = _scratch.Create(1000);
        var problem = Assert.Throws<ShmCvExistsException>(() => SharedImage.Create(image.Name, 1000));
        Assert.Equal(ErrorCode.Exists, problem.Code);
        Assert.Contains(image.Name, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownNameIsNotFound()
    {
        var name = _scratch.Name();
        Assert.Contains(name, Assert.Throws<ShmCvNotFoundException>(() => SharedImage.Open(name)).Message, StringComparison.Ordinal);
        Assert.Throws<ShmCvNotFoundException>(() => Segments.Clear(name));
    }

    [Fact]
    public void SizesThatMakeNoSenseAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SharedImage.Create(_scratch.Name(), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => SharedImage.Create(_scratch.Name(), -1));
        Assert.Throws<ShmCvNoSpaceException>(() => SharedImage.Create(_scratch.Name(), 1L << 45));
    }

    [Fact]
    public void NamesFollowTheRule() => Vectors.Run("name", row =>
    {
        var bytes = row[0] == "-" ? [] : Unescape(row[0]);
        var name = Encoding.UTF8.GetString(bytes);
        if (!Encoding.UTF8.GetBytes(name).SequenceEqual(bytes))
        {
            return; // no string holds it
        }

        Assert.Equal(Vectors.Code(row[1]), CodeOf(() =>
        {
            SharedImage.Create(name, 1).Dispose();
            Segments.Clear(name);
        }));
    });

    [Fact]
    public void ANulInANameIsRefusedNotCutOff() =>
        Assert.Throws<ArgumentException>(() => SharedImage.Create($"{_scratch.Name()}\0more", 10));

    [Fact]
    public void NullsAreRefused()
    {
        using var image = _scratch.Create(1000);
        Assert.Throws<ArgumentNullException>(() => SharedImage.Create(null!, 10));
        Assert.Throws<ArgumentNullException>(() => SharedImage.Open(null!));
        Assert.Throws<ArgumentNullException>(() => SharedImage.Probe(null!));
        Assert.Throws<ArgumentNullException>(() => Segments.Clear(null!));
        Assert.Throws<ArgumentNullException>(() => image.Load(null!));
        Assert.Throws<ArgumentNullException>(() => image.Save(null!));
        Assert.Throws<ArgumentNullException>(() => image.Show(null!));
        Assert.Throws<ArgumentNullException>(() => image.FlipInto(null!, FlipCode.Both));
        Assert.Throws<ArgumentNullException>(() => image.ConvertInto(null!, ColorOrder.Gray));
        Assert.Throws<ArgumentNullException>(() => Window.Show("window", null!));
    }

    [Fact]
    public void AClearedNameIsFreeAtOnceAndTheMemoryStays()
    {
        using var old = _scratch.Create(1000);
        old.AsSpan()[0] = 1;
        Segments.Clear(old.Name);

        using var young = SharedImage.Create(old.Name, 2000);
        Assert.Equal(1, old.AsSpan()[0]);
        Assert.Equal(0, young.AsSpan()[0]);
        Assert.NotEqual(old.SegmentInfo.Id, young.SegmentInfo.Id);
    }

    [Fact]
    public void TheListTellsOfASegment()
    {
        var before = DateTimeOffset.UtcNow;
        using var image = _scratch.Create(100_000);
        image.Info = new ImageInfo(20, 10, ColorOrder.Rgb);

        var info = Segments.List().Single(info => info.Name == image.Name);
        Assert.Equal(info, image.SegmentInfo);
        Assert.Equal(100_000, info.Size);
        Assert.Equal(new FileInfo($"/dev/shm/{image.Name}").Length, info.FileSize);
        Assert.Equal(Environment.ProcessId, info.OwnerProcessId);
        Assert.True(info.OwnerIsAlive);
        Assert.False(info.IsForeign);
        Assert.NotEqual(Guid.Empty, info.Id);
        Assert.Equal(new ImageInfo(20, 10, ColorOrder.Rgb), info.Image);
        Assert.NotNull(info.CreatedAt);
        Assert.InRange(info.CreatedAt.Value, before.AddSeconds(-1), DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Fact]
    public void ALongListIsTold()
    {
        var names = Enumerable.Range(0, 40).Select(_ => _scratch.Name()).ToArray();
        foreach (var name in names)
        {
            SharedImage.Create(name, 10).Dispose();
        }

        Assert.Superset(names.ToHashSet(), Segments.List().Select(info => info.Name).ToHashSet());
    }

    [Fact]
    public void ForeignMemoryCanBeUsedOnceItIsSaidWhatItIs()
    {
        var name = _scratch.Name();
        var pixels = new byte[5 * 4 * 3];
        Scratch.Fill(pixels);
        File.WriteAllBytes($"/dev/shm/{name}", pixels);

        using var image = SharedImage.Open(name);
        Assert.True(image.SegmentInfo.IsForeign);
        Assert.Null(image.SegmentInfo.CreatedAt);
        Assert.Throws<ShmCvNoImageException>(() => image.Info);
        Assert.False(image.TryGetInfo(out _));
        image.Info = new ImageInfo(5, 4, ColorOrder.Bgr);
        image.Save(_scratch.File("foreign.png"));
        using var saved = _scratch.Create(60);
        saved.Load(_scratch.File("foreign.png"));
        Assert.Equal(pixels, Scratch.Pixels(saved));
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
