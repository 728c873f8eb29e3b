using SkiaSharp;

namespace Bench;

/// <summary>
/// SkiaSharp's own decoder, canvas and encoder. Skia's pixels have four bytes or one, and it flips by drawing.
/// </summary>
internal sealed class SkiaPeer : IPeer
{
    private const int Quality = 95; // OpenCV's default; Skia has none

    public string Versions => $"skiasharp={Package.VersionOf(typeof(SKBitmap))}";

    public Work Prepare(Request request) => request["work"] switch
    {
        "load" => Load(request["path"], request["into"] == "fresh"),
        "flip" when request["channels"] == "4" && request["depth"] == "8" && request["where"] == "apart" => Flip(
            new SKImageInfo(request.Number("width"), request.Number("height"), SKColorType.Bgra8888, SKAlphaType.Opaque),
            request.Number("code")),
        "save" => Save(request["source"], request["path"], request["format"] == "png" ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg),
        "job" => Job(request["path"], request["out"]),
        var other => throw new SkipException($"Skia has no such {other}"),
    };

    internal static Pixels PixelsOf(SKBitmap bitmap) => new(bitmap.GetPixels(), bitmap.Width, bitmap.Height, bitmap.BytesPerPixel);

    private static Work Load(string path, bool fresh)
    {
        var block = new SharedBlock(SharedBlock.Room);
        Pixels result = default;
        return new Work(() =>
        {
            using SKBitmap bitmap = Decode(path);
            result = Copy(bitmap, block);
        })
        {
            Restore = !fresh ? null : () =>
            {
                block.Dispose();
                block = new SharedBlock(SharedBlock.Room);
            },
            Result = () => result,
            Release = () => block.Dispose(),
        };
    }

    private static Work Flip(SKImageInfo info, int code)
    {
        SharedBlock from = new(info.BytesSize64), to = new(info.BytesSize64);
        SKBitmap source = Over(from, info), target = Over(to, info);
        PixelsOf(source).Fill();
        return new Work(() => Draw(source, target, code))
        {
            Source = () => PixelsOf(source),
            Result = () => PixelsOf(target),
            Release = () => { source.Dispose(); target.Dispose(); from.Dispose(); to.Dispose(); },
        };
    }

    private static Work Save(string source, string path, SKEncodedImageFormat format)
    {
        var block = new SharedBlock(SharedBlock.Room);
        using SKBitmap loaded = Decode(source);
        Copy(loaded, block);
        SKBitmap bitmap = Over(block, loaded.Info);
        return new Work(() => Encode(bitmap, path, format)) { Release = () => { bitmap.Dispose(); block.Dispose(); } };
    }

    private static Work Job(string path, string output)
    {
        SharedBlock photograph = new(SharedBlock.Room), mirrored = new(SharedBlock.Room);
        return new Work(() =>
        {
            using SKBitmap source = Decode(path);
            Copy(source, photograph);
            using SKBitmap target = Over(mirrored, source.Info);
            Draw(source, target, code: 1);
            Encode(target, output, SKEncodedImageFormat.Jpeg);
        })
        { Release = () => { photograph.Dispose(); mirrored.Dispose(); } };
    }

    /// <summary>Decodes as OpenCV does: alpha is not multiplied into the colours.</summary>
    private static SKBitmap Decode(string path)
    {
        using SKCodec codec = SKCodec.Create(path) ?? throw new IOException($"Skia does not read {path}");
        SKImageInfo info = codec.Info;
        return SKBitmap.Decode(codec, info.IsOpaque ? info : info.WithAlphaType(SKAlphaType.Unpremul));
    }

    private static void Draw(SKBitmap source, SKBitmap target, int code)
    {
        using var canvas = new SKCanvas(target);
        using var paint = new SKPaint { BlendMode = SKBlendMode.Src };
        using SKImage image = SKImage.FromPixels(source.PeekPixels()); // DrawBitmap would copy the pixels first
        canvas.Scale(code == 0 ? 1 : -1, code == 1 ? 1 : -1, target.Width / 2f, target.Height / 2f);
        canvas.DrawImage(image, 0, 0, SKSamplingOptions.Default, paint);
    }

    private static void Encode(SKBitmap bitmap, string path, SKEncodedImageFormat format)
    {
        using var file = new SKFileWStream(path);
        bitmap.Encode(file, format, Quality);
    }

    private static SKBitmap Over(SharedBlock block, SKImageInfo info)
    {
        var bitmap = new SKBitmap();
        bitmap.InstallPixels(info, block.Address);
        return bitmap;
    }

    private static Pixels Copy(SKBitmap bitmap, SharedBlock block)
    {
        Pixels pixels = PixelsOf(bitmap);
        pixels.CopyTo(block.Address);
        return pixels with { Address = block.Address };
    }
}
