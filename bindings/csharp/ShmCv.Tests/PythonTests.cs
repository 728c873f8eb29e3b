using System.Text.Json;
using ShmCv.SkiaSharp;
using SkiaSharp;

namespace ShmCv.Tests;

/// <summary>C# and Python on one segment, in two processes, and a comparison of saved pictures with cv2.</summary>
public sealed class PythonTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void PythonFlipsWhatCSharpHasLoaded()
    {
        using var segment = _scratch.Load("small-bgr.png");
        Python("""
            import shmcv, sys
            with shmcv.Segment.open(sys.argv[1]) as segment:
                segment.flip(shmcv.FlipCode.HORIZONTAL)
            """, segment.Name);
        var wanted = Vectors.Rows("flip").Single(row => row is ["small-bgr.png", "color", "1", _])[3];
        Assert.Equal(wanted, Scratch.Checksum(segment));
    }

    [Fact]
    public void CSharpFlipsWhatPythonHasLoaded()
    {
        var name = _scratch.Name();
        Python("""
            import shmcv, sys
            with shmcv.Segment.create(sys.argv[1], 67 * 43 * 3) as segment:
                segment.load(sys.argv[2])
            """, name, Repository.TestData("small-bgr.png"));
        using var segment = Segment.Open(name);
        Assert.Equal(new ImageInfo(67, 43, ColorOrder.Bgr), segment.Image);
        Assert.False(segment.Info.OwnerAlive);
        segment.Flip(FlipCode.Horizontal);
        var wanted = Vectors.Rows("flip").Single(row => row is ["small-bgr.png", "color", "1", _])[3];
        Assert.Equal(wanted, Scratch.Checksum(segment));
    }

    [Fact]
    public void WhatOneWritesTheOtherSeesAtOnce()
    {
        using var segment = _scratch.Create(new ImageInfo(7, 5, ColorOrder.Bgra));
        using var python = Processes.Start(Interpreter, ["-c", """
            import shmcv, sys
            with shmcv.Segment.open(sys.argv[1]) as segment:
                for line in sys.stdin:
                    y, x = map(int, line.split())
                    print(*segment.array[y, x], flush=True)
                    segment.array[y, x] = 255 - segment.array[y, x]
                    print("inverted", flush=True)
            """, segment.Name], Variables);
        for (var i = 0; i < 5; i++)
        {
            var at = (i * segment.Image.Stride) + (i * 4);
            var before = segment.AsSpan().Slice(at, 4).ToArray();
            python.StandardInput.WriteLine($"{i} {i}");
            python.StandardInput.Flush();
            Assert.Equal(string.Join(' ', before), python.StandardOutput.ReadLine());
            Assert.Equal("inverted", python.StandardOutput.ReadLine());
            Assert.Equal(before.Select(b => (byte)(255 - b)), segment.AsSpan().Slice(at, 4).ToArray());
        }

        python.StandardInput.Close();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, python.StandardError.ReadToEnd());
    }

    // The colours of the patches are known. Every way from the segment to a file and back must keep them.
    [Theory]
    [InlineData(LoadFlags.Color)]
    [InlineData(LoadFlags.Bgra)]
    public void PatchesLookTheSameSavedBySkiaByCv2AndByShmcv(LoadFlags flags)
    {
        using var segment = _scratch.Load("patches.png", flags);
        var rows = Vectors.Rows("pixel").Where(row => row[0] == "patches.png" && row[1] == "color").ToList();
        Assert.Equal(8, rows.Count);

        segment.Save(_scratch.File("shmcv.png"));
        using (var copy = segment.ToSKBitmap())
        {
            Encode(copy, _scratch.File("skia.png"));
        }

        if (segment.Image.HasAlpha)
        {
            using var view = segment.AsSKBitmap();
            Encode(view, _scratch.File("skia-view.png"));
        }

        Python("""
            import cv2, shmcv, sys
            with shmcv.Segment.open(sys.argv[1]) as segment:
                cv2.imwrite(sys.argv[2], segment.array)
            """, segment.Name, _scratch.File("cv2.png"));

        foreach (var path in Directory.GetFiles(_scratch.Folder))
        {
            var points = rows.Select(row => new[] { int.Parse(row[2]), int.Parse(row[3]) }).ToArray();
            var cv2 = JsonSerializer.Deserialize<int[][]>(Python("""
                import cv2, json, sys
                image = cv2.imread(sys.argv[1])
                print(json.dumps([image[y, x].tolist() for x, y in json.loads(sys.argv[2])]))
                """, path, JsonSerializer.Serialize(points)))!;
            using var skia = SKBitmap.Decode(path);
            using var shmcv = _scratch.Create(segment.Size);
            shmcv.Load(path);
            for (var i = 0; i < rows.Count; i++)
            {
                var (x, y) = (points[i][0], points[i][1]);
                var wanted = rows[i][4].Split(',').Select(int.Parse).ToArray();
                var color = skia.GetPixel(x, y);
                var stored = shmcv.AsSpan().Slice((y * shmcv.Image.Stride) + (x * 3), 3);
                Assert.Equal(wanted, cv2[i]);
                Assert.Equal(wanted, new int[] { color.Blue, color.Green, color.Red });
                Assert.Equal(wanted, new int[] { stored[0], stored[1], stored[2] });
            }
        }

        Assert.Equal(segment.Image.HasAlpha ? 4 : 3, Directory.GetFiles(_scratch.Folder).Length);
    }

    [Fact]
    public void APhotographIsTheSameToSkiaAndToCv2()
    {
        var path = Repository.TestData("patches.jpg");
        using var bitmap = SKBitmap.Decode(path);
        using var segment = _scratch.Create(240 * 120 * 4);
        segment.CopyFrom(bitmap, ColorOrder.Bgr);
        foreach (var row in Vectors.Rows("pixel").Where(row => row[0] == "patches.jpg" && row[1] == "color"))
        {
            var wanted = row[4].Split(',').Select(int.Parse).ToArray();
            var found = segment.AsSpan().Slice((int.Parse(row[3]) * segment.Image.Stride) + (int.Parse(row[2]) * 3), 3);
            for (var i = 0; i < 3; i++)
            {
                Assert.InRange(found[i], wanted[i] - 3, wanted[i] + 3);
            }
        }
    }

    private static string Interpreter
    {
        get
        {
            Host.OnLinuxBecause("the tests of C# beside Python are the Python suite's on Windows");
            var path = Path.Combine(Repository.Root, "build", "venv", "bin", "python");
            if (!File.Exists(path))
            {
                Assert.Skip($"there is no {path} (./build.sh test python makes it)");
            }

            return path;
        }
    }

    private static Dictionary<string, string?> Variables => new()
    {
        ["PYTHONPATH"] = Path.Combine(Repository.Root, "bindings", "python", "src"),
        ["SHMCV_LIBRARY"] = Host.Current.Library,
    };

    private static string Python(string program, params string[] arguments)
    {
        var result = Processes.Run(Interpreter, ["-c", program, .. arguments], Variables);
        Assert.True(result.ExitCode == 0, result.All);
        return result.Output;
    }

    private static void Encode(SKBitmap bitmap, string path)
    {
        using var file = File.Create(path);
        Assert.True(bitmap.Encode(file, SKEncodedImageFormat.Png, 100));
    }
}
