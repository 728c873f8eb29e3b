// Flips a photograph in shared memory, writes on it with SkiaSharp, and looks at both.
//
//     dotnet run -c Release -- [--headless] [photograph] [output]
//
// Meanwhile any program of this user can open the segments by their names, in C#, Python, C or C++.

using ShmCv;
using ShmCv.SkiaSharp;
using SkiaSharp;

var headless = args.Contains("--headless");
var paths = args.Where(argument => argument != "--headless").ToArray();
if (paths.Length > 2 || paths.Any(path => path.StartsWith('-')))
{
    Console.Error.WriteLine("usage: Flip [--headless] [photograph] [output]");
    return 2;
}

var photographPath = paths.ElementAtOrDefault(0) ?? Path.Combine("testdata", "photograph.jpg");
var outputPath = paths.ElementAtOrDefault(1) ?? "flipped-csharp.png";

try
{
    // All processes share the names, so these are unique. The size is that of a 4K picture with three channels of one
    // byte; the picture that is loaded may be smaller.
    const long Size = 3840 * 2160 * 3;
    using var photograph = Segment.Create(Guid.NewGuid().ToString(), Size);
    using var flipped = Segment.Create(Guid.NewGuid().ToString(), Size);

    // The file is decoded straight into the shared memory: 8-bit BGR, as cv2.imread gives it.
    var image = photograph.Load(photographPath);
    Console.WriteLine($"loaded {photographPath}: {image.Width} x {image.Height}, {image.Channels} channels");
    Console.WriteLine($"  in segment {photograph.Name}");

    // The image goes from one segment into the other. photograph.Flip(...) would flip it in place.
    photograph.FlipInto(flipped, FlipCode.Horizontal);
    Console.WriteLine($"flipped it horizontally into segment {flipped.Name}");

    // The span is the shared memory itself, and no copy. Every process sees what this program writes there.
    var first = flipped.AsSpan()[..image.PixelSize];
    Console.WriteLine($"its first pixel is {string.Join(' ', first.ToArray())} (blue, green, red)");

    if (headless)
    {
        Console.WriteLine("showed nothing: --headless");
    }
    else
    {
        LookAt(photograph, flipped);
    }

    // The extension chooses the format. The file appears when it is whole.
    flipped.Save(outputPath);
    Console.WriteLine($"saved it as {Path.GetFullPath(outputPath)}");

    // Skia draws on pixels of four bytes, so the caption goes onto a BGRA copy in a third segment.
    using var captioned = Segment.Create(Guid.NewGuid().ToString(), (long)image.Width * image.Height * 4);
    flipped.ConvertInto(captioned, ColorOrder.Bgra);
    WriteOn(captioned, $"{image.Width} x {image.Height}, flipped by shmcv");
    var captionedPath = Path.Combine(
        Path.GetDirectoryName(outputPath) ?? "", $"{Path.GetFileNameWithoutExtension(outputPath)}-caption{Path.GetExtension(outputPath)}");
    captioned.Save(captionedPath);
    Console.WriteLine($"wrote a caption on it with Skia, in shared memory, and saved that as {Path.GetFullPath(captionedPath)}");

    // A bitmap that Skia has made goes into a segment, in the colour order that the program asks for.
    using (var bitmap = captioned.ToSKBitmap())
    {
        flipped.CopyFrom(bitmap, ColorOrder.Bgr);
    }

    Console.WriteLine($"copied Skia's bitmap into segment {flipped.Name}: {flipped.Image}");
    return 0;
}
catch (ShmCvException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
finally
{
    // The names, and the memory behind them, stay until they are cleared.
    Window.CloseAll();
    Segment.ClearAll();
}

// Shows both for 3 seconds, or until a key is pressed. Without a display it says so, and the program goes on.
static void LookAt(Segment photograph, Segment flipped)
{
    try
    {
        photograph.Show("photograph");
        Window.Delay(1); // windows are drawn during the delay
        flipped.Show("flipped");
        Window.Delay(3000);
        Console.WriteLine("showed both");
    }
    catch (ShmCvNoDisplayException reason)
    {
        Console.WriteLine($"showed nothing: {reason.Message}");
    }
}

// Draws a caption on the image. The bitmap is the segment's own memory, so the caption is in the segment at once.
static void WriteOn(Segment segment, string caption)
{
    if (SKTypeface.Default.GlyphCount == 0)
    {
        Console.WriteLine("no fonts are installed here: the caption is a bar without words");
    }

    using var bitmap = segment.AsSKBitmap();
    using var canvas = new SKCanvas(bitmap);
    using var font = new SKFont(SKTypeface.Default, bitmap.Height / 24f);
    using var shade = new SKPaint { Color = SKColors.Black.WithAlpha(160) };
    using var ink = new SKPaint { Color = SKColors.White, IsAntialias = true };
    canvas.DrawRect(0, bitmap.Height * 0.92f, bitmap.Width, bitmap.Height, shade);
    canvas.DrawText(caption, bitmap.Height / 48f, bitmap.Height * 0.975f, SKTextAlign.Left, font, ink);
}
