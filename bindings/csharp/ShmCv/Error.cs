using System.Runtime.InteropServices;
using System.Text;

namespace ShmCv;

/// <summary>
/// A failure that the native library has reported. The message says what was asked, what was found and what to do.
/// <see cref="Code"/> is for programs. Each code has an exception of its own, which derives from this class.
/// </summary>
/// <remarks>
/// Wrong use that C# alone can see is reported the .NET way: <see cref="ArgumentException"/> and its derived classes
/// for arguments, <see cref="ObjectDisposedException"/> for an object that is disposed, and
/// <see cref="ShmCvLibraryException"/> if there is no native library to call.
/// </remarks>
public class ShmCvException : Exception
{
    /// <summary>Creates an exception with the native library's code and message.</summary>
    /// <param name="code">The reason, for programs.</param>
    /// <param name="message">The reason, for people.</param>
    public ShmCvException(ErrorCode code, string message)
        : base(message) => Code = code;

    /// <summary>The reason of the failure.</summary>
    public ErrorCode Code { get; }
}

/// <summary>Turns the native library's codes into exceptions. No other code in this assembly does.</summary>
internal static unsafe partial class Error
{
    /// <summary>
    /// Throws the exception of a code, unless the code is <see cref="ErrorCode.OK"/>. It must be called on the thread
    /// that made the native call, because the native library keeps a message for each thread.
    /// </summary>
    internal static void Check(ErrorCode code)
    {
        if (code != ErrorCode.OK)
        {
            throw Of(code, LastMessage());
        }
    }

    private static string LastMessage()
    {
        var buffer = stackalloc byte[Constants.MessageSize];
        NativeMethods.shmcv_last_error(buffer, Constants.MessageSize);
        return Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer));
    }
}
