using System.Runtime.InteropServices;
using System.Text;

namespace ShmCv;

/// <summary>
/// Something that the native library could not do. The message says what was asked, what was found and what to do;
/// <see cref="Code"/> is for programs. Codes that a program is likely to handle have an exception of their own,
/// derived from this one.
/// </summary>
/// <remarks>
/// Wrong use that C# alone can see is reported the .NET way: <see cref="ArgumentException"/> and its like for
/// arguments, <see cref="ObjectDisposedException"/> for an object that has been disposed, and
/// <see cref="ShmCvLibraryException"/> when there is no native library to call.
/// </remarks>
public class ShmCvException : Exception
{
    /// <summary>Creates an exception with the native library's code and message.</summary>
    /// <param name="code">What went wrong, for programs.</param>
    /// <param name="message">What went wrong, for people.</param>
    public ShmCvException(ErrorCode code, string message)
        : base(message) => Code = code;

    /// <summary>What went wrong.</summary>
    public ErrorCode Code { get; }
}

/// <summary>There is no segment, file or folder of that name (<see cref="ErrorCode.NotFound"/>).</summary>
public sealed class ShmCvNotFoundException(string message) : ShmCvException(ErrorCode.NotFound, message);

/// <summary>A segment of that name is there already (<see cref="ErrorCode.Exists"/>).</summary>
public sealed class ShmCvExistsException(string message) : ShmCvException(ErrorCode.Exists, message);

/// <summary>The shared memory or the disk is full (<see cref="ErrorCode.NoSpace"/>).</summary>
public sealed class ShmCvNoSpaceException(string message) : ShmCvException(ErrorCode.NoSpace, message);

/// <summary>The segment is smaller than what should go into it (<see cref="ErrorCode.TooSmall"/>); the message says how many bytes are needed.</summary>
public sealed class ShmCvTooSmallException(string message) : ShmCvException(ErrorCode.TooSmall, message);

/// <summary>The segment holds no image yet (<see cref="ErrorCode.NoImage"/>).</summary>
public sealed class ShmCvNoImageException(string message) : ShmCvException(ErrorCode.NoImage, message);

/// <summary>The system or the library refuses access to the segment, file or folder (<see cref="ErrorCode.Permission"/>).</summary>
public sealed class ShmCvPermissionException(string message) : ShmCvException(ErrorCode.Permission, message);

/// <summary>The file is not a whole image (<see cref="ErrorCode.Decode"/>); the segment keeps the image that it had.</summary>
public sealed class ShmCvDecodeException(string message) : ShmCvException(ErrorCode.Decode, message);

/// <summary>There is no display to show a window on (<see cref="ErrorCode.NoDisplay"/>).</summary>
public sealed class ShmCvNoDisplayException(string message) : ShmCvException(ErrorCode.NoDisplay, message);

/// <summary>From the native library's codes to exceptions; nothing else in this assembly does it.</summary>
internal static unsafe class Error
{
    /// <summary>Throws what a native call has answered, unless it worked. To be called on the thread that made the call.</summary>
    internal static void Check(ErrorCode code)
    {
        if (code != ErrorCode.OK)
        {
            throw Of(code, LastMessage());
        }
    }

    internal static ShmCvException Of(ErrorCode code, string message) => code switch
    {
        ErrorCode.NotFound => new ShmCvNotFoundException(message),
        ErrorCode.Exists => new ShmCvExistsException(message),
        ErrorCode.NoSpace => new ShmCvNoSpaceException(message),
        ErrorCode.TooSmall => new ShmCvTooSmallException(message),
        ErrorCode.NoImage => new ShmCvNoImageException(message),
        ErrorCode.Permission => new ShmCvPermissionException(message),
        ErrorCode.Decode => new ShmCvDecodeException(message),
        ErrorCode.NoDisplay => new ShmCvNoDisplayException(message),
        _ => new ShmCvException(code, message),
    };

    private static string LastMessage()
    {
        const int Capacity = 1024; // always suffices, says shmcv_last_error
        var buffer = stackalloc byte[Capacity];
        NativeMethods.shmcv_last_error(buffer, Capacity);
        return Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer));
    }
}
