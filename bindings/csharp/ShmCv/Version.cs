using System.Runtime.InteropServices;

namespace ShmCv;

/// <summary>The native library of this process. It is loaded with the first call, and stays loaded.</summary>
public static unsafe class ShmCvLibrary
{
    /// <summary>The library's version, for example <c>0.2.0</c>.</summary>
    /// <exception cref="ShmCvLibraryException">There is no library, or one that does not fit.</exception>
    public static string Version => Marshal.PtrToStringUTF8((nint)NativeMethods.shmcv_version())!;

    /// <summary>
    /// The version of the library's binary interface. This package needs the major version that it was made for, and
    /// the minor version that it was made for or a later one.
    /// </summary>
    /// <exception cref="ShmCvLibraryException">There is no library, or one that does not fit.</exception>
    public static Version AbiVersion => LibraryResolver.AbiVersionOf(NativeMethods.shmcv_abi_version());
}

/// <summary>
/// The native library was not found, could not be loaded, or is of another version than this package. The message names
/// the places that were searched, and what was found.
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
    // It runs before the first call. The runtime then asks the resolver for the library.
    static NativeMethods() =>
        NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, LibraryResolver.Resolve);
}
