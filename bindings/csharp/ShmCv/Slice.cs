using System.Diagnostics;

namespace ShmCv;

/// <summary>
/// Blocking waits are made in slices, because the native library knows no cancellation tokens, and because a view can
/// keep the handle of an object open that is disposed of. Tokens and the object are looked at between the slices.
/// </summary>
internal static class Slice
{
    /// <summary>
    /// The length of a slice in milliseconds, and so the longest time in which a cancelled token or a disposed object is
    /// noticed. What users are promised is twice as long.
    /// </summary>
    internal const int Milliseconds = 50;

    /// <summary>
    /// Waits until <paramref name="wait"/> gives something, for a time in milliseconds, without an end if it is negative.
    /// </summary>
    /// <returns>What it gave, or the default value if the time is up.</returns>
    internal static T? Repeat<T>(
        NativeHandle handle,
        int milliseconds,
        Func<ulong, int, (ErrorCode Code, T Value)> wait,
        CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // Rounded up, so that a wait never ends before its time.
            var left = milliseconds < 0
                ? Milliseconds
                : Math.Max(0, Math.Ceiling(milliseconds - Stopwatch.GetElapsedTime(started).TotalMilliseconds));
            var (code, value) = wait(handle.Borrowed, (int)Math.Min(left, Milliseconds));
            if (code != ErrorCode.Timeout)
            {
                handle.Check(code);
                return value;
            }

            if (milliseconds >= 0 && Stopwatch.GetElapsedTime(started).TotalMilliseconds >= milliseconds)
            {
                return default;
            }
        }
    }
}
