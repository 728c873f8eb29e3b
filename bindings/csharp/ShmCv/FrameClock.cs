using System.Diagnostics;

namespace ShmCv;

/// <summary>
/// The clock of <see cref="Frame.TimeNs"/> and <see cref="Frame.CaptureTimeNs"/>, in nanoseconds: CLOCK_MONOTONIC on Linux,
/// QueryPerformanceCounter on Windows. All processes of a machine share it.
/// </summary>
/// <remarks>
/// <see cref="Stopwatch"/> reads the same clock, and counts it in ticks of its own: of a nanosecond on Linux, of 100 ns on
/// Windows (<see cref="Stopwatch.Frequency"/>).
/// </remarks>
/// <example>
/// <code>
/// var captured = FrameClock.NowNs;                                      // a camera, before it takes the picture
/// frame.Describe(captured);
///
/// var age = (FrameClock.NowNs - frame.CaptureTimeNs) / 1e6;             // a reader, in milliseconds
/// var timestamp = FrameClock.ToTimestamp(frame.TimeNs);                 // or with a Stopwatch
/// TimeSpan sincePublished = Stopwatch.GetElapsedTime(timestamp);
/// </code>
/// </example>
public static class FrameClock
{
    private const long Second = 1_000_000_000;

    /// <summary>The time now, in nanoseconds.</summary>
    public static long NowNs => FromTimestamp(Stopwatch.GetTimestamp());

    /// <summary>Returns the time of a timestamp of <see cref="Stopwatch"/>, in nanoseconds.</summary>
    /// <param name="timestamp">The timestamp, as <see cref="Stopwatch.GetTimestamp"/> gives it.</param>
    /// <returns>The time: what the native library makes of the same count of the clock.</returns>
    public static long FromTimestamp(long timestamp) => FromTimestamp(timestamp, Stopwatch.Frequency);

    /// <summary>Returns the timestamp of <see cref="Stopwatch"/> for a time.</summary>
    /// <param name="timeNs">The time, in nanoseconds, such as <see cref="Frame.TimeNs"/>.</param>
    /// <returns>The timestamp, for <see cref="Stopwatch.GetElapsedTime(long)"/>.</returns>
    public static long ToTimestamp(long timeNs) => ToTimestamp(timeNs, Stopwatch.Frequency);

    // Seconds and the rest are converted apart, because all of it times a billion would be too large.
    internal static long FromTimestamp(long timestamp, long frequency)
    {
        var (seconds, rest) = Math.DivRem(timestamp, frequency);
        return (seconds * Second) + (rest * Second / frequency);
    }

    // Rounded up, as the other way is rounded down: a timestamp that went there and back is the same.
    internal static long ToTimestamp(long timeNs, long frequency)
    {
        var (seconds, rest) = Math.DivRem(timeNs, Second);
        return (seconds * frequency) + (((rest * frequency) + Second - 1) / Second);
    }
}
