using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmCv;

namespace Bench;

/// <summary>
/// Measures how long a frame takes from one C# process to another. scripts/bench/frames.py starts a reader and a writer,
/// and tells what they have to do.
/// </summary>
internal static class Handover
{
    private const int Width = 3840, Height = 2160, PauseMs = 3;

    public static bool Run(ReadOnlySpan<string> words)
    {
        if (words is not [var side, "shmcv", "waits", "asleep" or "busy", var name, var number] || !ulong.TryParse(number, out ulong count))
        {
            return false;
        }

        if (side == "reader")
        {
            Read(name, count);
        }
        else
        {
            Write(name, words[3] == "busy", count);
        }

        return true;
    }

    private static void Read(string name, ulong count)
    {
        var times = new List<long>((int)count);
        using var stream = FrameStream.Create(name, (long)Width * Height * 3);
        stream.ClearOnDispose = true;
        Console.WriteLine("ready");
        using Frame frame = stream.Wait();
        while (true)
        {
            ReadOnlySpan<byte> pixels = frame.AsSpan();
            long here = Now();
            Stamp stamp = MemoryMarshal.Read<Stamp>(pixels);
            times.Add(here - stamp.SentAt);
            if (stamp.Number >= count)
            {
                break;
            }

            frame.Next();
        }

        Console.WriteLine($"times {string.Join(' ', times)}");
    }

    private static void Write(string name, bool busy, ulong count)
    {
        using var stream = FrameStream.Open(name);
        var image = new ImageInfo(Width, Height, ColorOrder.Bgr);
        using NewFrame frame = stream.Begin();
        for (ulong number = 1; number <= count; number++)
        {
            if (number > 1)
            {
                frame.Next();
            }

            Pause(busy);
            frame.Image = image;
            var stamp = new Stamp { Number = number, SentAt = Now() };
            MemoryMarshal.Write(frame.AsSpan(), in stamp);
            frame.Publish();
        }

        Console.In.ReadToEnd(); // the reader may still read the last frame
    }

    private static void Pause(bool busy)
    {
        if (!busy)
        {
            Thread.Sleep(PauseMs);
            return;
        }

        for (long end = Now() + (PauseMs * 1_000_000); Now() < end;)
        {
        }
    }

    /// <summary>The nanoseconds of CLOCK_MONOTONIC.</summary>
    private static long Now() => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    /// <summary>The first 64 bytes of a frame's pixels.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Stamp
    {
        public long SentAt;
        public ulong Number;
    }
}
