// One party of test_peers.py, which describes what it does.
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
            var info = new ImageInfo(64 + (int)((sequence + 1) % 3), 48, ColorOrder.Gray);
            frame.AsSpan()[..(int)info.Size].Fill((byte)(sequence + 1));
            frame.Image = info;
            sequence = frame.Publish();
        }

        Console.WriteLine(sequence);
    }

    return;
}

foreach (var frame in stream.Frames())
{
    var info = frame.Image;
    var whole = info.Width == 64 + (frame.Sequence % 3) && info.Height == 48
        && !frame.AsSpan()[..(int)info.Size].ContainsAnyExcept((byte)frame.Sequence);
    Console.WriteLine($"{frame.Sequence} {(whole ? "whole" : "torn")}");
    if (frame.Sequence >= long.Parse(args[2]))
    {
        break;
    }
}
