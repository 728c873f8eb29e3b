using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>
/// This process's use of a segment: a counted reference that ends with the last of its holders, or with the garbage
/// collector when nobody has disposed of it.
/// </summary>
internal sealed class SegmentHandle : SafeHandle
{
    private SegmentHandle(ulong segment)
        : base(0, ownsHandle: true) => SetHandle(unchecked((nint)segment)); // the library is for 64-bit systems

    public override bool IsInvalid => handle == 0;

    /// <summary>Takes over a handle that the native library has just given out.</summary>
    internal static SegmentHandle Own(ulong segment) => new(segment);

    /// <summary>Holds the segment open for a call, whoever disposes of it meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    internal Call Use()
    {
        ObjectDisposedException.ThrowIf(IsClosed, typeof(SharedImage));
        var held = false;
        DangerousAddRef(ref held);
        return new Call(this);
    }

    protected override bool ReleaseHandle() => NativeMethods.shmcv_close(unchecked((ulong)handle)) == ErrorCode.OK;

    internal readonly ref struct Call(SegmentHandle owner)
    {
        internal ulong Segment => unchecked((ulong)owner.handle);

        public void Dispose() => owner.DangerousRelease();
    }
}
