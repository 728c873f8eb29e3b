namespace ShmCv;

/// <summary>
/// A segment that is open to be read, and not to be changed. Memory that is written to by means of this object faults.
/// </summary>
/// <remarks>Dispose of the object to end its use of the segment.</remarks>
public sealed class ReadOnlySegment : Pixels
{
    private ReadOnlySegment(string name, ulong segment)
        : base(name, new NativeHandle(segment, NativeMethods.shmcv_close, typeof(ReadOnlySegment)))
    {
    }

    /// <inheritdoc cref="Segment.Sequence"/>
    public long Sequence => Stored.Sequence(Handle);

    /// <summary>
    /// Opens a segment that any process has created, to read it; its size and image come with it. A file that this
    /// process may read is enough, also one of mode 0444 or of another user, who can then end this process by making
    /// the file shorter. Shared memory that another program made has no image here, but its bytes.
    /// </summary>
    /// <param name="name">The segment's name.</param>
    /// <returns>The segment.</returns>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmCvPermissionException">This process may not read the file.</exception>
    /// <exception cref="ShmCvInvalidException">The name breaks the rule, or is that of a stream.</exception>
    /// <exception cref="ShmCvCorruptException">The segment's metadata has been overwritten.</exception>
    /// <exception cref="ShmCvNoSpaceException">There is no memory for all of a file that another program made.
    /// </exception>
    public static ReadOnlySegment Open(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_open_read_only(name, out var segment));
        return new ReadOnlySegment(name, segment);
    }

    /// <inheritdoc cref="Segment.Wait"/>
    /// <remarks>The wait looks every 10 ms if this process may not write to the file.</remarks>
    public long Wait(long newerThan, CancellationToken cancellationToken = default) =>
        Stored.Wait(Handle, newerThan, cancellationToken);

    /// <inheritdoc cref="Segment.TryWait"/>
    public long? TryWait(long newerThan, int milliseconds, CancellationToken cancellationToken = default) =>
        Stored.TryWait(Handle, newerThan, milliseconds, cancellationToken);

    /// <inheritdoc cref="Segment.WaitAsync"/>
    public Task<long> WaitAsync(long newerThan, CancellationToken cancellationToken = default) =>
        Stored.WaitAsync(Handle, newerThan, cancellationToken);
}

/// <summary>What tells of the images that are stored in a segment.</summary>
internal static class Stored
{
    internal static long Sequence(NativeHandle handle)
    {
        using var call = handle.Use();
        Error.Check(NativeMethods.shmcv_sequence(call.Handle, out var sequence));
        return (long)sequence;
    }

    internal static long Wait(NativeHandle handle, long newerThan, CancellationToken cancellationToken) =>
        WaitFor(handle, newerThan, Timeout.Infinite, cancellationToken)!.Value;

    internal static long? TryWait(
        NativeHandle handle, long newerThan, int milliseconds, CancellationToken cancellationToken) =>
        WaitFor(handle, newerThan, milliseconds, cancellationToken);

    internal static async Task<long> WaitAsync(NativeHandle handle, long newerThan, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryWait(handle, newerThan, 0, CancellationToken.None) is { } sequence)
            {
                return sequence;
            }

            await Waits.OnSegment(handle, newerThan, cancellationToken).ConfigureAwait(false);
        }
    }

    private static long? WaitFor(NativeHandle handle, long newerThan, int milliseconds, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newerThan);
        var wait = new ImageWait { NewerThan = (ulong)newerThan };
        return Slice.Repeat(handle, milliseconds, ref wait, cancellationToken) ? (long)wait.Sequence : null;
    }

    private struct ImageWait : Slice.IWait
    {
        internal ulong NewerThan;
        internal ulong Sequence;

        public ErrorCode Try(ulong handle, int milliseconds) =>
            NativeMethods.shmcv_wait(handle, NewerThan, milliseconds, out Sequence);
    }
}
