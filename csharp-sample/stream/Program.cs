// A producer and a viewer of a stream of pictures. The other program may be in any language.
//
//     dotnet run -c Release --project csharp-sample/stream -- produce [stream] [frames]
//     dotnet run -c Release --project csharp-sample/stream -- view [--headless] [stream] [frames]
//
// Viewers and producers may start and end at any time. Ctrl-C ends them, and Escape or q in the viewer's window.

using ShmCv;
using ShmCv.SkiaSharp;
using SkiaSharp;

var headless = args.Contains("--headless");
var words = args.Where(argument => argument != "--headless").ToArray();
var name = words.ElementAtOrDefault(1) ?? "shmcv-sample";
var frames = long.Parse(words.ElementAtOrDefault(2) ?? "0");

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    switch (words.ElementAtOrDefault(0))
    {
        case "produce":
            await Produce();
            return 0;
        case "view":
            await View();
            return 0;
        default:
            Console.Error.WriteLine("usage: Stream produce|view [--headless] [stream] [frames]");
            return 2;
    }
}
catch (ShmCvException problem) // there is no such stream, another producer has it, there is no display
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

// SkiaSharp draws straight into the shared memory.
async Task Produce()
{
    var image = new ImageInfo(1280, 720, ColorOrder.Bgra);

    // For four viewers. A stream that an earlier producer has made serves too: the frames go on with the next number.
    using var stream = FrameStream.OpenOrCreate(name, image.Size, slots: 6);
    using var paint = new SKPaint { Color = SKColors.Orange, IsAntialias = true };
    var number = 0L;
    for (; (frames == 0 || number < frames) && !stop.IsCancellationRequested; number++)
    {
        // No viewer sees the frame before it is published. If an exception comes first, its slot is given back.
        using var frame = stream.Begin();
        frame.Image = image;
        using (var bitmap = frame.AsSKBitmap())
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.DarkSlateBlue);
            canvas.DrawCircle(640 + (400 * MathF.Sin(number / 20f)), 360 + (200 * MathF.Cos(number / 13f)), 80, paint);
        }

        frame.Publish();
        await Task.Delay(TimeSpan.FromSeconds(1 / 30.0));
    }

    Console.WriteLine($"published {number} frames in stream {name}");
}

async Task View()
{
    using var stream = FrameStream.Open(name);
    var seen = 0L;
    try
    {
        await foreach (var frame in stream.FramesAsync(cancellationToken: stop.Token))
        {
            // The span is the shared memory itself, not a copy. The producer does not write to this slot before the
            // loop asks for the next frame.
            var age = (FrameClock.NowNs - frame.TimeNs) / 1e6;
            Console.Write($"\rframe {frame.Sequence}, {age:F2} ms old, first byte {frame.AsSpan()[0]}  ");
            if (!headless)
            {
                Window.Show(name, frame);
                if (Window.Delay(1) is 'q' or Constants.KeyEscape)
                {
                    break;
                }
            }

            if (++seen == frames)
            {
                break;
            }
        }
    }
    catch (OperationCanceledException)
    {
        // Ctrl-C
    }

    Console.WriteLine($"\nsaw {seen} frames");
}
