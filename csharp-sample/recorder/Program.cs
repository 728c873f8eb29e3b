// Saves every frame of a stream as a PNG file, with what has travelled with it in a JSON file beside it, until Ctrl-C.
//
//     dotnet run -c Release --project csharp-sample/recorder -- [stream] [folder]
//
// c-sample/camera.c captures the pictures, and python-sample/overlay.py draws on them. Each of the three may start first,
// and may end, be killed and start again at any time.

using System.Text.Json.Nodes;
using ShmCv;

var name = args.ElementAtOrDefault(0) ?? "overlay";
var folder = Directory.CreateDirectory(args.ElementAtOrDefault(1) ?? "recorded").FullName;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

var (saved, missed, last, longest) = (0L, 0L, 0.0, 0.0);
try
{
    Console.WriteLine($"the recorder saves every frame of {name} in {folder}, until Ctrl-C");
    using var stream = await FrameStream.OpenAsync(name, stop.Token);

    // From the oldest frame that the stream still has, every frame is wanted: it keeps those of a second, if this program is
    // behind or begins again. If that is too little, they are counted.
    stream.Deliver(Delivery.Oldest);
    foreach (var frame in stream.Frames(follow: true, cancellationToken: stop.Token)) // also of the next overlay's stream
    {
        // The time is the camera's, so the files are in the order of capture, and a frame that is saved again is one file.
        var captured = frame.CaptureTimeNs > 0 ? frame.CaptureTimeNs : frame.TimeNs; // of a writer that does not tell
        var path = Path.Combine(folder, $"{frame.Stream.Utc(captured):yyyyMMdd-HHmmss-ffffff}");
        frame.Save(path + ".png");
        last = (FrameClock.NowNs - captured) / 1e6; // both are nanoseconds of one clock, on each system

        // The camera's words, and the overlay's.
        var story = frame.Metadata.IsEmpty ? [] : JsonNode.Parse(frame.Metadata)!.AsObject();
        story["recorder"] = new JsonObject
        {
            ["sequence"] = frame.Sequence,
            ["capture_time_ns"] = captured,
            ["latency_ms"] = Math.Round(last, 3),
            ["missed"] = frame.Missed,
        };
        File.WriteAllText(path + ".part", story.ToJsonString());
        File.Move(path + ".part", path + ".json", overwrite: true); // the file is there when it is whole

        (saved, missed, longest) = (saved + 1, missed + frame.Missed, Math.Max(longest, last));
        Console.Write($"\rframe {frame.Sequence}, saved {last:F1} ms after its capture, {missed} missed  ");
    }
}
catch (OperationCanceledException)
{
    // Ctrl-C
}
catch (ShmCvException problem) // there is another kind of stream, or the disk is full
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

Console.WriteLine($"\nthe recorder has saved {saved} frames, the slowest {longest:F1} ms after its capture, and missed {missed}");
return 0;
