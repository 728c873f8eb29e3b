using System.Drawing;

namespace ShmCv.Tests;

public sealed class OptionsTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Returns the options of the columns flag and options; null for numbers that an int does not hold.</summary>
    private static LoadOptions? Options(string flag, string fields)
    {
        var numbers = fields.Split(',').Select(long.Parse).ToArray();
        if (numbers.Any(number => number > int.MaxValue) || numbers[9] != 0)
        {
            return null;
        }

        var (order, interpolation, region) = ((int)numbers[0], (int)numbers[4], numbers[5..9].Select(number => (int)number).ToArray());
        return new LoadOptions
        {
            Flags = Vectors.Flags(flag),
            Order = order == 0 ? null : (ColorOrder)order,
            Scale = (int)numbers[1],
            Width = (int)numbers[2],
            Height = (int)numbers[3],
            Interpolation = interpolation == 0 ? null : (Interpolation)interpolation,
            Region = region.All(number => number == 0) ? null : new Rectangle(region[0], region[1], region[2], region[3]),
        };
    }

    [Fact]
    public void WhatOptionsSayIsLoadedAsEverywhere() => Vectors.Run("options", row =>
    {
        if (row[3] != "OK" || Options(row[1], row[2]) is not { } options)
        {
            return; // in the next test, or not in this language
        }

        var path = Repository.TestData(row[0]);
        var wanted = new ImageInfo(int.Parse(row[4]), int.Parse(row[5]), Vectors.OrderOf(row[8]), Vectors.DepthOf(row[7]));
        Assert.Equal(wanted, ImageInfo.Probe(path, options));
        using var segment = _scratch.Create(wanted.Size);
        Assert.Equal(wanted, segment.Load(path, options));
        Assert.Equal(row[9], Scratch.Checksum(segment));

        var bytes = File.ReadAllBytes(path);
        segment.AsSpan().Clear();
        Assert.Equal(wanted, ImageInfo.ProbeBytes(bytes, options));
        Assert.Equal(wanted, segment.Decode(bytes, options));
        Assert.Equal(row[9], Scratch.Checksum(segment));

        segment.AsSpan().Clear();
        using var stream = new MemoryStream(bytes);
        Assert.Equal(wanted, segment.DecodeFrom(stream, options));
        Assert.Equal(row[9], Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
    });

    [Fact]
    public void BadOptionsAndFilesLeaveTheOldImage() => Vectors.Run("options", row =>
    {
        if (row[3] == "OK" || Options(row[1], row[2]) is not { } options)
        {
            return;
        }

        using var segment = _scratch.Create(1 << 16);
        segment.Image = new ImageInfo(256, 256, ColorOrder.Gray);
        Scratch.Fill(segment.AsSpan());
        var before = Scratch.Checksum(segment);
        Assert.Equal(Vectors.Code(row[3]), SegmentTests.CodeOf(() => segment.Load(Repository.TestData(row[0]), options)));
        Assert.Equal(new ImageInfo(256, 256, ColorOrder.Gray), segment.Image);
        Assert.Equal(before, Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
    });

    [Fact]
    public void WhatContradictsItselfIsNamed()
    {
        using var segment = _scratch.Create(1 << 16);
        var path = Repository.TestData("small.jpg");
        foreach (var (options, words) in new[]
        {
            (new LoadOptions { Scale = 2, Width = 9 }, "scale 2 and width 9"),
            (new LoadOptions { Scale = 3 }, "scale 3"),
            (new LoadOptions { Flags = LoadFlags.Gray, Order = ColorOrder.Rgb }, "flags 0 and order 4"),
            (new LoadOptions { Interpolation = Interpolation.Area }, "interpolation 3 without width or height"),
            (new LoadOptions { Region = new Rectangle(60, 0, 8, 1) }, "x 60 and region_width 8"),
            (new LoadOptions { Region = new Rectangle(1, 1, 0, 1) }, "region_width 0"),
        })
        {
            var problem = Assert.Throws<ShmCvInvalidException>(() => segment.Load(path, options));
            Assert.Contains(words, problem.Message, StringComparison.Ordinal);
            Assert.Throws<ShmCvInvalidException>(() => ImageInfo.Probe(path, options));
        }
    }

    [Fact]
    public void WhatNoImageHasIsRefusedByItsName()
    {
        var path = Repository.TestData("small.jpg");
        foreach (var (options, property) in new[]
        {
            (new LoadOptions { Width = -1 }, "Width"),
            (new LoadOptions { Height = -1 }, "Height"),
            (new LoadOptions { Scale = -2 }, "Scale"),
            (new LoadOptions { Region = new Rectangle(-1, 0, 5, 5) }, "Region"),
            (new LoadOptions { Region = default(Rectangle) }, "Region"),
            (new LoadOptions { Width = 5, Interpolation = Interpolation.Nearest }, "Interpolation"),
        })
        {
            Assert.Equal(property, Assert.Throws<ArgumentOutOfRangeException>(() => ImageInfo.Probe(path, options)).ParamName);
        }

        Assert.Throws<ArgumentNullException>(() => ImageInfo.Probe(path, null!));
    }

    [Fact]
    public void SegmentsAndTheTutorialsLoaderTakeOptions()
    {
        var options = new LoadOptions { Width = 320, Order = ColorOrder.Bgra };
        using var segment = Segment.FromFile(_scratch.Name(), Repository.TestData("photograph.jpg"), options);
        Assert.Equal(new ImageInfo(320, 180, ColorOrder.Bgra), segment.Image);
        Assert.Equal(320 * 180 * 4, segment.Size);

        using var loader = new ImageLoader();
        Assert.Equal((90, 160, 3), loader.Load(Repository.TestData("photograph.jpg"), segment.Name, new LoadOptions { Height = 90 }));
        Segment.Clear(segment.Name);
    }
}
