namespace ShmCv;

/// <summary>
/// The native library knows no cancellation tokens, so waits are made in slices, and the token is looked at between
/// them.
/// </summary>
internal static class Slice
{
    /// <summary>The length of a slice, and so the longest time in which a cancelled token is noticed.</summary>
    internal const int Milliseconds = 100;
}
