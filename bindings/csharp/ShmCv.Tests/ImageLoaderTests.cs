namespace ShmCv.Tests;

[Collection(nameof(OpenSegments))]
public sealed class ImageLoaderTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ImageLoader _loader = new();

    public void Dispose()
    {
        _loader.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public void TheTutorialsProgramWorks()
    {
        var (source, destination) = (_scratch.Name(), _scratch.Name());
        _loader.CreateShareMemory(source, 3840 * 2160 * 3);
        _loader.CreateShareMemory(destination, 3840 * 2160 * 3);
        var (height, width, channels) = _loader.Load(Repository.TestData("photograph.jpg"), source);
        Assert.Equal((2160, 3840, 3), (height, width, channels));
        _loader.Flip(source, destination, 1, height, width, channels);
        _loader.SaveImage(_scratch.File("flipped.png"), destination, height, width, channels);
        Assert.Equal(-1, _loader.Delay(1));
        _loader.CloseWindows();

        using (var saved = _scratch.Create(3840 * 2160 * 3))
        {
            saved.Load(_scratch.File("flipped.png"));
            var wanted = Vectors.Rows("flip").Single(row => row is ["photograph.jpg", "color", "1", _])[3];
            Assert.Equal(wanted, Scratch.Checksum(saved));
        }

        _loader.ClearShareMemory(source);
        _loader.ClearShareMemory(destination);
        Assert.Throws<ShmCvNotFoundException>(() => _loader.ClearShareMemory(source));
        Assert.Throws<ShmCvNotFoundException>(() => _loader.Load(Repository.TestData("small.jpg"), source));
    }

    [Fact]
    public void PixelsWithoutADescriptionAreWhatTheArgumentsSay()
    {
        var name = _scratch.Name();
        var pixels = new byte[6 * 5 * 4];
        Scratch.Fill(pixels);
        using var foreign = Host.Current.MakeForeign(name, pixels);

        _loader.SaveImage(_scratch.File("bgra.png"), name, 5, 6, 4);
        using var saved = _scratch.Create(pixels.Length);
        Assert.Equal(new ImageInfo(6, 5, ColorOrder.Bgra), saved.Load(_scratch.File("bgra.png"), LoadFlags.Unchanged));
        Assert.Equal(pixels, Scratch.Bytes(saved));
        Assert.Throws<ArgumentOutOfRangeException>(() => _loader.SaveImage(_scratch.File("x.png"), name, 5, 6, 2));
        Assert.Throws<ShmCvTooSmallException>(() => _loader.SaveImage(_scratch.File("x.png"), name, 50, 60, 3));
    }

    [Fact]
    public void AnImageOfThatSizeStaysAsItIs()
    {
        using var segment = _scratch.Create(new ImageInfo(6, 5, ColorOrder.Rgb, stride: 20));
        using var opened = _loader.Open(segment.Name, 5, 6, 3);
        Assert.Equal(new ImageInfo(6, 5, ColorOrder.Rgb, stride: 20), opened.Image);
    }

    [Fact]
    public void ANameThatMeansAnotherSegmentByNowIsThatOne()
    {
        var name = _scratch.Name();
        _loader.CreateShareMemory(name, 10_000);
        _loader.Load(Repository.TestData("small.jpg"), name);
        Segment.Clear(name);
        using var young = Segment.Create(name, 10_000);
        _loader.Load(Repository.TestData("small-gray.jpg"), name);
        using var expected = _scratch.Load("small-gray.jpg");
        Assert.Equal(Scratch.Checksum(expected), Scratch.Checksum(young));
    }

    [Fact]
    public void ADisposedLoaderSaysSoAndHoldsNothing()
    {
        var name = _scratch.Name();
        _loader.CreateShareMemory(name, 10_000);
        _loader.Load(Repository.TestData("small.jpg"), name);
        _loader.Dispose();
        Assert.False(LifetimeTests.IsOpen(name));
        Assert.Throws<ObjectDisposedException>(() => _loader.Load(Repository.TestData("small.jpg"), name));
    }
}
