using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace ShmCv.Tests;

/// <summary>The segments and files of one test. Disposing of it removes them all.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly List<string> _names = [];
    private readonly Lazy<string> _folder = new(() => Directory.CreateTempSubdirectory("shmcv-tests-").FullName);

    /// <summary>Returns a name that no segment has.</summary>
    internal string Name()
    {
        var name = $"shmcv-tests-{Guid.NewGuid():N}";
        _names.Add(name);
        return name;
    }

    internal Segment Create(long size) => Segment.Create(Name(), size);

    /// <summary>
    /// Makes a segment of the size of the image, with the image in it. The bytes are random, and the same every time.
    /// </summary>
    internal Segment Create(ImageInfo image)
    {
        var segment = Create(image.Size);
        segment.Image = image;
        Fill(segment.AsSpan(), image.Depth);
        return segment;
    }

    /// <summary>Makes a segment of exactly the size that a file needs, and loads the file into it.</summary>
    internal Segment Load(string file, LoadFlags flags = LoadFlags.Color)
    {
        var path = Repository.TestData(file);
        var segment = Create(ImageInfo.Probe(path, flags).Size);
        segment.Load(path, flags);
        return segment;
    }

    /// <summary>
    /// Stores two images in turn, each of one value: see <see cref="MarkOf"/>. They have different sizes.
    /// </summary>
    internal static void StoreLargeAndSmall(Segment segment, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var image = i % 2 == 0 ? new ImageInfo(640, 480, ColorOrder.Gray) : new ImageInfo(200, 100, ColorOrder.Gray);
            var pixels = new byte[image.Size];
            pixels.AsSpan().Fill(MarkOf(image.Width));
            segment.Write(pixels, image, ColorOrder.Gray);
        }
    }

    /// <summary>Returns the value of all bytes of an image of <see cref="StoreLargeAndSmall"/>.</summary>
    internal static byte MarkOf(int width) => width == 640 ? (byte)1 : (byte)2;

    internal string File(string name) => Path.Combine(_folder.Value, name);

    internal string Folder => _folder.Value;

    public void Dispose()
    {
        foreach (var name in _names)
        {
            Clear(name);
        }

        if (_folder.IsValueCreated)
        {
            Directory.Delete(_folder.Value, recursive: true);
        }
    }

    /// <summary>Removes a name, if it is there.</summary>
    internal static void Clear(string name)
    {
        try
        {
            Segment.Clear(name);
        }
        catch (ShmCvNotFoundException)
        {
            // the test has cleared the name, or has not used it, or on Windows the segment has ended
        }
    }

    internal static void Fill(Span<byte> bytes, Depth depth = Depth.U8)
    {
        var random = new Random(20);
        if (depth != Depth.F32)
        {
            random.NextBytes(bytes);
            return;
        }

        foreach (ref var sample in MemoryMarshal.Cast<byte, float>(bytes))
        {
            sample = random.NextSingle();
        }
    }

    /// <summary>Returns the bytes of the image, rows without gaps.</summary>
    internal static byte[] Bytes(Pixels pixels)
    {
        var image = pixels.Image;
        var all = pixels.AsSpan();
        var packed = new byte[(long)image.RowSize * image.Height];
        for (var y = 0; y < image.Height; y++)
        {
            all.Slice(y * image.Stride, image.RowSize).CopyTo(packed.AsSpan(y * image.RowSize));
        }

        return packed;
    }

    internal static string Checksum(Pixels pixels) => Crc32.HashToUInt32(Bytes(pixels)).ToString("x8");
}

/// <summary>
/// The tests of this collection look at the list of segments that this process has open. They run one after the other,
/// because to look at a segment is to open it for a moment.
/// </summary>
[CollectionDefinition(nameof(OpenSegments))]
public sealed class OpenSegments;
