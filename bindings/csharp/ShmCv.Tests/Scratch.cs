using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace ShmCv.Tests;

/// <summary>Segments and files of one test, all gone when it ends.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly List<string> _names = [];
    private readonly Lazy<string> _folder = new(() => Directory.CreateTempSubdirectory("shmcv-tests-").FullName);

    /// <summary>A name that nobody has.</summary>
    internal string Name()
    {
        var name = $"shmcv-tests-{Guid.NewGuid():N}";
        _names.Add(name);
        return name;
    }

    internal SharedImage Create(long size) => SharedImage.Create(Name(), size);

    /// <summary>A segment of the size of the image, with the image in it; its bytes are random, but the same every time.</summary>
    internal SharedImage Create(ImageInfo info)
    {
        var image = Create(info.ByteSize);
        image.Info = info;
        Fill(image.AsSpan(), info.Depth);
        return image;
    }

    /// <summary>A segment of just the size that a file needs, with the file in it.</summary>
    internal SharedImage Load(string file, LoadFlags flags = LoadFlags.Color)
    {
        var path = Repository.TestData(file);
        var image = Create(SharedImage.Probe(path, flags).ByteSize);
        image.Load(path, flags);
        return image;
    }

    internal string File(string name) => Path.Combine(_folder.Value, name);

    internal string Folder => _folder.Value;

    public void Dispose()
    {
        foreach (var name in _names)
        {
            try
            {
                Segments.Clear(name);
            }
            catch (ShmCvNotFoundException)
            {
                // the test has cleared it, or never made it
            }
        }

        if (_folder.IsValueCreated)
        {
            Directory.Delete(_folder.Value, recursive: true);
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

    /// <summary>The pixels, rows without gaps.</summary>
    internal static byte[] Pixels(SharedImage image)
    {
        var info = image.Info;
        var all = image.AsSpan();
        var packed = new byte[(long)info.RowBytes * info.Height];
        for (var y = 0; y < info.Height; y++)
        {
            all.Slice(y * info.Stride, info.RowBytes).CopyTo(packed.AsSpan(y * info.RowBytes));
        }

        return packed;
    }

    internal static string Checksum(SharedImage image) => Crc32.HashToUInt32(Pixels(image)).ToString("x8");
}

/// <summary>
/// Tests that look at which segments this process has open run one after the other: looking at one opens it for a moment.
/// </summary>
[CollectionDefinition(nameof(OpenSegments))]
public sealed class OpenSegments;
