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

    /// <summary>A wait of the native library. It is a structure, so that no wait allocates memory.</summary>
    internal interface IWait
    {
        /// <summary>Waits for a time in milliseconds, which is a slice at most, and keeps what it is given.</summary>
        ErrorCode Try(ulong handle, int milliseconds);
    }

    /// <summary>
    /// Waits until <paramref name="wait"/> is given something, for a time in milliseconds, without an end if it is
    /// negative. The handle is null for a wait on a name.
    /// </summary>
    /// <returns>False if the time is up.</returns>
    internal static bool Repeat<TWait>(
        NativeHandle? handle, int milliseconds, ref TWait wait, CancellationToken cancellationToken)
        where TWait : struct, IWait
    {
        var started = milliseconds > 0 ? Stopwatch.GetTimestamp() : 0;
        var left = milliseconds;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var code = wait.Try(handle?.Borrowed ?? 0, left is >= 0 and < Milliseconds ? left : Milliseconds);
            if (code != ErrorCode.Timeout)
            {
                if (handle is null)
                {
                    Error.Check(code);
                }
                else
                {
                    handle.Check(code);
                }

                return true;
            }

            if (milliseconds > 0)
            {
                // Rounded up, so that a wait never ends before its time.
                left = (int)Math.Ceiling(milliseconds - Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            if (milliseconds >= 0 && left <= 0)
            {
                return false;
            }
        }
    }
}
