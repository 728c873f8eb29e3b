using System.Diagnostics;

namespace ShmCv.Tests;

/// <summary>Times of frames, compared with what .NET's clock gives.</summary>
public sealed class FrameClockTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void FrameIsPublishedBetweenTwoLooksAtTheClock()
    {
        using var stream = FrameStream.Create(_scratch.Name(), 64);
        var (before, earlier) = (FrameClock.NowNs, Stopwatch.GetTimestamp());
        stream.Publish(new byte[64], new ImageInfo(8, 8, ColorOrder.Gray), ColorOrder.Gray);
        var (later, after) = (Stopwatch.GetTimestamp(), FrameClock.NowNs);
        using var frame = stream.Wait();
        Assert.InRange(frame.TimeNs, before, after);
        Assert.InRange(FrameClock.ToTimestamp(frame.TimeNs), earlier, later);
        Assert.InRange(Stopwatch.GetElapsedTime(FrameClock.ToTimestamp(frame.TimeNs)), TimeSpan.Zero, TimeSpan.FromHours(1));
    }

    [Fact]
    public void TimestampThatGoesThereAndBackIsTheSame()
    {
        var now = Stopwatch.GetTimestamp();
        Assert.Equal(now, FrameClock.ToTimestamp(FrameClock.FromTimestamp(now)));
    }

    // The frequencies of Linux, of Windows, of a processor's counter and of the timer of old machines; and a year of uptime.
    [Theory]
    [InlineData(1_000_000_000)]
    [InlineData(10_000_000)]
    [InlineData(24_000_000)]
    [InlineData(3_579_545)]
    public void EveryFrequencyIsConvertedWithoutLossAndWithoutOverflow(long frequency)
    {
        const long Year = 365 * 24 * 3600;
        foreach (var timestamp in new[] { 0, 1, 2, 3, 12_345_679, (Year * frequency) + frequency - 1 })
        {
            var time = FrameClock.FromTimestamp(timestamp, frequency);
            Assert.Equal((Int128)timestamp * 1_000_000_000 / frequency, time);
            Assert.Equal(timestamp, FrameClock.ToTimestamp(time, frequency));
        }
    }
}
