using System.Runtime.CompilerServices;
using ShmCv.SkiaSharp;
using SkiaSharp;

namespace ShmCv.Tests;

[Collection(nameof(OpenSegments))]
public sealed class ViewTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void AViewIsASliceOfTheWhole() => Vectors.Run("view", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        using var cropped = _scratch.Create(segment.Size);
        using (var view = segment.View(int.Parse(row[2]), int.Parse(row[3]), int.Parse(row[4]), int.Parse(row[5])))
        {
            Assert.Equal(row[6], Scratch.Checksum(view));
            view.CopyInto(cropped);
        }

        Assert.Equal(row[6], Scratch.Checksum(cropped));
        Segment.Clear(segment.Name);
        Segment.Clear(cropped.Name);
    });

    [Fact]
    public void AViewIsADestination() => Vectors.Run("paste", row =>
    {
        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        using var target = _scratch.Load(row[0], Vectors.Flags(row[1]));
        var (width, height) = (int.Parse(row[4]), int.Parse(row[5]));
        using (var view = target.View(int.Parse(row[2]), int.Parse(row[3]), width, height))
        {
            segment.ResizeInto(view, width, height, (Interpolation)int.Parse(row[6]));
        }

        Assert.Equal(row[7], Scratch.Checksum(target));
        Segment.Clear(segment.Name);
        Segment.Clear(target.Name);
    });

    [Fact]
    public void RegionsAreChecked() => Vectors.Run("region", row =>
    {
        var numbers = row[..6].Select(number => (int)Math.Min(long.Parse(number), int.MaxValue)).ToArray();
        using var segment = _scratch.Create(new ImageInfo(numbers[0], numbers[1], ColorOrder.Gray));
        var code = ErrorCode.OK;
        try
        {
            segment.View(numbers[2], numbers[3], numbers[4], numbers[5]).Dispose();
        }
        catch (ShmCvException problem)
        {
            code = problem.Code;
        }

        Assert.Equal(Vectors.Code(row[6]), code);
        Segment.Clear(segment.Name);
    });

    [Fact]
    public void NegativeNumbersAreRefusedByTheirNames()
    {
        using var segment = _scratch.Create(new ImageInfo(4, 4, ColorOrder.Gray));
        Assert.Equal("x", Assert.Throws<ArgumentOutOfRangeException>(() => segment.View(-1, 0, 1, 1)).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentOutOfRangeException>(() => segment.View(0, -1, 1, 1)).ParamName);
        Assert.Equal("width", Assert.Throws<ArgumentOutOfRangeException>(() => segment.View(0, 0, -1, 1)).ParamName);
        Assert.Equal("height", Assert.Throws<ArgumentOutOfRangeException>(() => segment.View(0, 0, 1, int.MinValue)).ParamName);
    }

    [Fact]
    public void WhatIsStoredInAViewChangesItsPixelsAlone()
    {
        using var small = _scratch.Load("small.jpg");
        using var whole = _scratch.Create(new ImageInfo(100, 80, ColorOrder.Bgr));
        var wanted = whole.AsSpan().ToArray();
        for (var y = 0; y < 43; y++)
        {
            small.Row(y).CopyTo(wanted.AsSpan(((30 + y) * 300) + 60));
        }

        using var view = whole.View(20, 30, 67, 43);
        foreach (var store in new Action[]
                 {
                     () => view.Load(Repository.TestData("small.jpg")),
                     () => view.Decode(File.ReadAllBytes(Repository.TestData("small.jpg"))),
                     () => view.Write(small.AsSpan(), small.Image, ColorOrder.Bgr),
                     () => small.CopyInto(view),
                     () => small.ConvertInto(view, ColorOrder.Bgr),
                     () => CopyRows(small, view),
                 })
        {
            Clear(view);
            store();
            Assert.Equal(wanted, whole.AsSpan().ToArray());
        }

        Assert.Equal(new ImageInfo(100, 80, ColorOrder.Bgr), whole.Image);
        Assert.Equal(new ImageInfo(67, 43, ColorOrder.Bgr, stride: 300), view.Image);
        Assert.Equal(view.AsSpan().Length, view.Size);
    }

    private static void Clear(WritablePixels view)
    {
        for (var y = 0; y < view.Image.Height; y++)
        {
            view.Row(y).Clear();
        }
    }

    private static void CopyRows(Segment from, WritableView to)
    {
        for (var y = 0; y < from.Image.Height; y++)
        {
            from.Row(y).CopyTo(to.Row(y));
        }
    }

    [Fact]
    public void AnotherSizeOrKindChangesNothing()
    {
        using var gray = _scratch.Create(new ImageInfo(10, 5, ColorOrder.Gray));
        using var whole = _scratch.Create(new ImageInfo(100, 80, ColorOrder.Bgr));
        using var view = whole.View(20, 30, 10, 5);
        var before = whole.AsSpan().ToArray();
        foreach (var store in new Action[]
                 {
                     () => view.Load(Repository.TestData("small.jpg")),
                     () => view.Decode(File.ReadAllBytes(Repository.TestData("one-pixel.png"))),
                     () => view.Write(new byte[165], new ImageInfo(11, 5, ColorOrder.Bgr), ColorOrder.Bgr),
                     () => gray.CopyInto(view),
                     () => whole.ResizeInto(view, 5, 10),
                     () => view.Rotate(RotateCode.Rotate90Clockwise),
                     () => view.Image = new ImageInfo(10, 5, ColorOrder.Bgr),
                 })
        {
            Assert.Throws<ShmCvInvalidException>(store);
            Assert.Equal(before, whole.AsSpan().ToArray());
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => view.Row(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => view.Row(-1));
    }

    [Fact]
    public void AViewOfAnImageThatIsNoMoreIsRefused()
    {
        using var segment = _scratch.Create(new ImageInfo(10, 8, ColorOrder.Bgr));
        using var view = segment.View(1, 2, 3, 4);
        segment.Image = new ImageInfo(8, 10, ColorOrder.Bgr);
        foreach (var use in new Action[] { () => view.Flip(FlipCode.Both), () => _ = view.Image, () => view.AsSpan(), () => view.Encode(".png") })
        {
            var message = Assert.Throws<ShmCvInvalidException>(use).Message;
            Assert.Contains("of an image of 10 x 8", message, StringComparison.Ordinal);
            Assert.Contains("holds one of 8 x 10", message, StringComparison.Ordinal);
        }

        segment.Image = new ImageInfo(10, 8, ColorOrder.Bgr);
        view.Flip(FlipCode.Both);
    }

    [Fact]
    public void AViewKeepsItsSegmentOpen()
    {
        var segment = _scratch.Create(new ImageInfo(10, 8, ColorOrder.Bgr));
        var pixel = segment.AsSpan()[(4 * 30) + 9];
        var outer = segment.View(2, 3, 5, 4);
        using var inner = outer.View(1, 1, 2, 3);
        outer.Dispose();
        segment.Dispose();
        Assert.Equal(pixel, inner.AsSpan()[0]);
        Assert.Throws<ObjectDisposedException>(() => outer.AsSpan());
        Assert.Throws<ObjectDisposedException>(() => segment.View(0, 0, 1, 1));
    }

    [Fact]
    public void AViewThatNobodyDisposesOfIsCollected()
    {
        using var segment = _scratch.Create(new ImageInfo(10, 8, ColorOrder.Bgr));
        var forgotten = Forget(segment);
        for (var i = 0; i < 50 && forgotten.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(forgotten.IsAlive);
        segment.Flip(FlipCode.Both);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Forget(Segment segment) => new(segment.View(1, 1, 2, 2).View(0, 0, 1, 1));

    [Fact]
    public void AViewOfAReadOnlySegmentIsReadOnly()
    {
        using var segment = _scratch.Create(new ImageInfo(10, 8, ColorOrder.Bgr));
        using var reader = ReadOnlySegment.Open(segment.Name);
        using View view = reader.View(1, 2, 3, 4);
        using var target = segment.View(5, 3, 3, 4);
        view.CopyInto(target);
        Assert.Equal(Scratch.Checksum(view), Scratch.Checksum(target));
    }

    [Fact]
    public void AWriterPastesAndAReaderCrops()
    {
        using var picture = _scratch.Create(new ImageInfo(40, 30, ColorOrder.Bgr));
        using var target = _scratch.Create(picture.Size);
        using var stream = FrameStream.Create(_scratch.Name(), 100 * 80 * 3, 3);
        using var frame = stream.Begin();
        for (var number = 1; number <= 3; number++)
        {
            frame.Image = new ImageInfo(100, 80, ColorOrder.Bgr);
            using var place = frame.View(50, 40, 40, 30);
            picture.CopyInto(place);
            using var small = frame.View(0, 0, 20, 15);
            picture.ResizeInto(small, 20, 15, Interpolation.Area);
            frame.Publish();
            Assert.Throws<ShmCvClosedException>(() => picture.CopyInto(place));
            using (var got = stream.Wait(number - 1))
            {
                using var view = got.View(50, 40, 40, 30);
                got.Dispose();
                view.CopyInto(target); // it keeps the slot
            }

            Assert.Equal(Scratch.Bytes(picture), Scratch.Bytes(target));
            frame.Next();
        }
    }

    [Fact]
    public void AViewOfAFrameThatWasPublishedIsClosed()
    {
        using var stream = FrameStream.Create(_scratch.Name(), 300);
        using var frame = stream.Begin();
        frame.Image = new ImageInfo(10, 10, ColorOrder.Bgr);
        using var view = frame.View(1, 1, 2, 2);
        frame.Publish();
        Assert.Throws<ShmCvClosedException>(() => view.Flip(FlipCode.Both));
        Assert.Throws<ShmCvClosedException>(() => view.AsSpan());
    }

    [Theory]
    [InlineData(ColorOrder.Gray)]
    [InlineData(ColorOrder.Bgra)]
    [InlineData(ColorOrder.Rgba)]
    public void SkiaSharesAViewWithoutACopy(ColorOrder order)
    {
        using var segment = _scratch.Create(new ImageInfo(40, 30, order));
        var size = segment.Image.PixelSize;
        using var view = segment.View(7, 5, 20, 10);
        using var bitmap = view.AsSKBitmap();
        Assert.Equal(segment.Image.Stride, bitmap.RowBytes);
        for (var y = 0; y < 10; y++)
        {
            Assert.Equal(view.Row(y).ToArray(), bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, 20 * size).ToArray());
        }

        var before = segment.AsSpan().ToArray();
        bitmap.Erase(new SKColor(1, 2, 3, 255));
        Assert.Equal(before[..(((5 * 40) + 7) * size)], segment.AsSpan()[..(((5 * 40) + 7) * size)].ToArray());
        Assert.NotEqual(before, segment.AsSpan().ToArray());
        Assert.Equal(before[((((5 * 40) + 27) * size))..(((6 * 40) + 7) * size)], segment.AsSpan()[(((5 * 40) + 27) * size)..(((6 * 40) + 7) * size)].ToArray());

        using var picture = view.AsSKImage();
        using var copied = view.ToSKBitmap();
        using var other = segment.View(0, 20, 20, 10);
        other.CopyFrom(copied, order);
        Assert.Equal(Scratch.Bytes(view), Scratch.Bytes(other));
        view.CopyTo(copied);
        Assert.Equal((20, 10), (picture.Width, picture.Height));
        Assert.Throws<ShmCvInvalidException>(() => segment.View(0, 0, 5, 5).CopyFrom(copied, order));
    }
}
