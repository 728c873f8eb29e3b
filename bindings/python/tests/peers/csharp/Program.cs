// One party of test_peers.py: see there.
using ShmCv;

using var stream = FrameStream.Open(args[1]);
Console.WriteLine("ready");
if (args[0] == "produce")
{
    var sequence = 0L;
    while (Console.ReadLine() is { } line)
    {
        for (var count = int.Parse(line); count > 0; count--)
        {
            using var frame = stream.Begin();
            var image = new ImageInfo(64 + (int)((sequence + 1) % 3), 48, ColorOrder.Gray);
            frame.AsSpan()[..(int)image.Size].Fill((byte)(sequence + 1));
            frame.Image = image;
            sequence = frame.Publish();
        }

        Console.WriteLine(sequence);
    }

    return;
}

foreach (var frame in stream.Frames())
{
    var image = frame.Image;
    var whole = image.Width == 64 + (frame.Sequence % 3) && image.Height == 48
        && !frame.AsSpan()[..(int)image.Size].ContainsAnyExcept((byte)frame.Sequence);
    Console.WriteLine($"{frame.Sequence} {(whole ? "whole" : "torn")}");
    if (frame.Sequence >= long.Parse(args[2]))
    {
        break;
    }
}
