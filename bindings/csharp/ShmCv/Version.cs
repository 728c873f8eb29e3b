using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>The native library that this process works with. It is loaded with the first call, and stays.</summary>
public static unsafe class ShmCvLibrary
{
    /// <summary>The library's version, for example <c>0.1.0</c>.</summary>
    /// <exception cref="ShmCvLibraryException">There is no library, or one that does not fit.</exception>
    public static string Version => Marshal.PtrToStringUTF8((nint)NativeMethods.shmcv_version())!;

    /// <summary>The version of its binary interface. This package needs the same major version, and its own minor version or a later one.</summary>
    /// <exception cref="ShmCvLibraryException">There is no library, or one that does not fit.</exception>
    public static Version AbiVersion => LibraryResolver.AbiVersionOf(NativeMethods.shmcv_abi_version());
}

/// <summary>
/// The native library was not found, could not be loaded, or is of another version than this package; the message says
/// where it was looked for and what was found.
/// </summary>
public sealed class ShmCvLibraryException : DllNotFoundException
{
    internal ShmCvLibraryException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

internal static partial class NativeMethods
{
    // Runs before the first call: from there on the runtime asks the resolver for the library.
    static NativeMethods() => NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, LibraryResolver.Resolve);
}
