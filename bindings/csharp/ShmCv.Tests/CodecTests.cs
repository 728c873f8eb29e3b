namespace ShmCv.Tests;

public sealed class CodecTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void FilesAreLoadedAsEverywhere() => Vectors.Run("load", row =>
    {
        using var image = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var wanted = new ImageInfo(int.Parse(row[2]), int.Parse(row[3]), Vectors.OrderOf(row[6]), Vectors.DepthOf(row[5]));
        Assert.Equal(wanted, image.Info);
        Assert.Equal(int.Parse(row[4]), image.Info.Channels);
        Assert.Equal(row[7], Scratch.Checksum(image));
        Segments.Clear(image.Name);
    });

    [Fact]
    public void PixelsHaveTheColoursOfTheFile() => Vectors.Run("pixel", row =>
    {
        using var image = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var wanted = row[4].Split(',').Select(int.Parse).ToArray();
        var found = image.AsSpan().Slice((int.Parse(row[3]) * image.Info.Stride) + (int.Parse(row[2]) * image.Info.BytesPerPixel), wanted.Length);
        for (var i = 0; i < wanted.Length; i++)
        {
            Assert.InRange(found[i], wanted[i] - int.Parse(row[5]), wanted[i] + int.Parse(row[5]));
        }
    });

    [Fact]
    public void WhatIsSavedIsWhatWasThere() => Vectors.Run("save", row =>
    {
        using var image = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var folder = Directory.CreateDirectory(_scratch.File(Guid.NewGuid().ToString())).FullName;
        var path = Path.Combine(folder, $"saved{(row[2] == "-" ? "" : row[2])}");
        Assert.Equal(Vectors.Code(row[4]), SegmentTests.CodeOf(() => image.Save(path, int.Parse(row[3]))));
        if (row[4] != "OK")
        {
            Assert.Empty(Directory.GetFileSystemEntries(folder));
            return;
        }

        using var saved = _scratch.Create(image.Size * 2);
        Assert.Equal(
            new ImageInfo(int.Parse(row[5]), int.Parse(row[6]), Vectors.OrderOf(row[9]), Vectors.DepthOf(row[8])),
            saved.Load(path, LoadFlags.Unchanged));
        Assert.Equal(row[10], Scratch.Checksum(saved));
        Segments.Clear(image.Name);
        Segments.Clear(saved.Name);
    });

    [Fact]
    public void ABadFileLeavesTheOldImage() => Vectors.Run("error", row =>
    {
        using var image = _scratch.Create(long.Parse(row[2]));
        image.Info = new ImageInfo(7, 1, ColorOrder.Gray);
        Scratch.Fill(image.AsSpan());
        var before = Scratch.Checksum(image);
        var problem = Assert.ThrowsAny<ShmCvException>(() => image.Load(Repository.TestData(row[0]), Vectors.Flags(row[1])));
        Assert.Equal(Vectors.Code(row[3]), problem.Code);
        Assert.Equal(new ImageInfo(7, 1, ColorOrder.Gray), image.Info);
        Assert.Equal(before, Scratch.Checksum(image));
        Segments.Clear(image.Name);
    });

    [Fact]
    public void TooSmallASegmentIsToldHowMuchIsNeeded()
    {
        using var image = _scratch.Create(100);
        var needed = SharedImage.Probe(Repository.TestData("small.jpg")).ByteSize;
        var problem = Assert.Throws<ShmCvTooSmallException>(() => image.Load(Repository.TestData("small.jpg")));
        Assert.Contains($"{needed}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyFileNameWorks()
    {
        using var image = _scratch.Load("ünï code 猫.png");
        image.Save(_scratch.File("猫 ünï.png"));
        Assert.True(File.Exists(_scratch.File("猫 ünï.png")));
        Assert.Throws<ArgumentException>(() => image.Save(_scratch.File("a\0b.png")));
    }

    [Fact]
    public void SavingWithoutAnImageIsAnError()
    {
        using var image = _scratch.Create(100);
        Assert.Throws<ShmCvNoImageException>(() => image.Save(_scratch.File("nothing.png")));
    }
}
