namespace ShmCv.Tests;

public sealed class CodecTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void FilesAreLoadedAsEverywhere() => Vectors.Run("load", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var wanted = new ImageInfo(int.Parse(row[2]), int.Parse(row[3]), Vectors.OrderOf(row[6]), Vectors.DepthOf(row[5]));
        Assert.Equal(wanted, segment.Image);
        Assert.Equal(int.Parse(row[4]), segment.Image.Channels);
        Assert.Equal(row[7], Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
    });

    [Fact]
    public void PixelsHaveTheColoursOfTheFile() => Vectors.Run("pixel", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var wanted = row[4].Split(',').Select(int.Parse).ToArray();
        var found = segment.AsSpan().Slice((int.Parse(row[3]) * segment.Image.Stride) + (int.Parse(row[2]) * segment.Image.PixelSize), wanted.Length);
        for (var i = 0; i < wanted.Length; i++)
        {
            Assert.InRange(found[i], wanted[i] - int.Parse(row[5]), wanted[i] + int.Parse(row[5]));
        }
    });

    [Fact]
    public void WhatIsSavedIsWhatWasThere() => Vectors.Run("save", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var folder = Directory.CreateDirectory(_scratch.File(Guid.NewGuid().ToString())).FullName;
        var path = Path.Combine(folder, $"saved{(row[2] == "-" ? "" : row[2])}");
        Assert.Equal(Vectors.Code(row[4]), SegmentTests.CodeOf(() => segment.Save(path, int.Parse(row[3]))));
        if (row[4] != "OK")
        {
            Assert.Empty(Directory.GetFileSystemEntries(folder));
            return;
        }

        using var saved = _scratch.Create(segment.Size * 2);
        Assert.Equal(
            new ImageInfo(int.Parse(row[5]), int.Parse(row[6]), Vectors.OrderOf(row[9]), Vectors.DepthOf(row[8])),
            saved.Load(path, LoadFlags.Unchanged));
        Assert.Equal(row[10], Scratch.Checksum(saved));
        Segment.Clear(segment.Name);
        Segment.Clear(saved.Name);
    });

    [Fact]
    public void ABadFileLeavesTheOldImage() => Vectors.Run("error", row =>
    {
        using var segment = _scratch.Create(long.Parse(row[2]));
        segment.Image = new ImageInfo(7, 1, ColorOrder.Gray);
        Scratch.Fill(segment.AsSpan());
        var before = Scratch.Checksum(segment);
        var problem = Assert.ThrowsAny<ShmCvException>(() => segment.Load(Repository.TestData(row[0]), Vectors.Flags(row[1])));
        Assert.Equal(Vectors.Code(row[3]), problem.Code);
        Assert.Equal(new ImageInfo(7, 1, ColorOrder.Gray), segment.Image);
        Assert.Equal(before, Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
    });

    [Fact]
    public void TooSmallASegmentIsToldHowMuchIsNeeded()
    {
        using var segment = _scratch.Create(100);
        var needed = ImageInfo.Probe(Repository.TestData("small.jpg")).Size;
        var problem = Assert.Throws<ShmCvTooSmallException>(() => segment.Load(Repository.TestData("small.jpg")));
        Assert.Contains($"{needed}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyFileNameWorks()
    {
        using var segment = _scratch.Load("ünï code 猫.png");
        segment.Save(_scratch.File("猫 ünï.png"));
        Assert.True(File.Exists(_scratch.File("猫 ünï.png")));
        Assert.Throws<ArgumentException>(() => segment.Save(_scratch.File("a\0b.png")));
    }

    [Fact]
    public void SavingWithoutAnImageIsAnError()
    {
        using var segment = _scratch.Create(100);
        Assert.Throws<ShmCvNoImageException>(() => segment.Save(_scratch.File("nothing.png")));
    }
}
