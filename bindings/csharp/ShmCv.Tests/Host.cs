namespace ShmCv.Tests;

/// <summary>What the tests ask of the system that they run on. Each system has a class of its own.</summary>
internal abstract class Host
{
    internal static Host Current { get; } = OperatingSystem.IsWindows() ? new WindowsHost() : new LinuxHost();

    /// <summary>The portable name of the system and the processor, as packages have it.</summary>
    internal abstract string Rid { get; }

    /// <summary>The name of the native library's file.</summary>
    internal abstract string LibraryFile { get; }

    /// <summary>The native library in the folder that ./build.sh build writes to.</summary>
    internal abstract string Library { get; }

    /// <summary>The folder of plain names.</summary>
    internal abstract string Folder { get; }

    /// <summary>The bytes of shared memory that are free.</summary>
    internal abstract long FreeMemory { get; }

    /// <summary>The names of this process's threads that have one.</summary>
    internal abstract IEnumerable<string> ThreadNames { get; }

    /// <summary>Skips the test on other systems than Linux.</summary>
    internal static void OnLinuxBecause(string reason) => Assert.SkipUnless(OperatingSystem.IsLinux(), reason);

    /// <summary>Returns the file of a program.</summary>
    internal abstract string Program(string path);

    /// <summary>
    /// Returns a sample as a program that can be started, or skips the test if none can be had. It is compiled ahead of time
    /// where that is possible.
    /// </summary>
    /// <param name="project">The project's path in csharp-sample.</param>
    /// <param name="name">The program's name.</param>
    /// <param name="folder">A folder for the program, which is empty.</param>
    /// <param name="ahead">True if the program is to be compiled ahead of time.</param>
    internal abstract string Sample(string project, string name, string folder, bool ahead = false);

    /// <summary>
    /// Returns the program of an example in a document, made as its reader would make it, or null if the test is to make it.
    /// </summary>
    internal abstract string? Example(string file, int number);

    /// <summary>
    /// Returns a library with the functions of other.c, or skips the test if none can be had. Its binary interface has that
    /// version, or none.
    /// </summary>
    internal abstract string OtherLibrary(string version, string folder);

    /// <summary>Returns true if a segment, a stream or another program's memory has that name.</summary>
    internal abstract bool HasName(string name);

    /// <summary>Returns the first bytes of a segment, as a program reads them that does not use this library.</summary>
    internal abstract byte[] BytesOf(string name, int count);

    /// <summary>Returns the bytes of shared memory that a segment takes.</summary>
    internal abstract long MemoryOf(string name);

    /// <summary>Makes shared memory with these bytes, as a program does that does not use this library.</summary>
    /// <returns>What keeps the memory there.</returns>
    internal abstract IDisposable MakeForeign(string name, byte[] bytes);

    /// <summary>Returns true if the memory at an address can be read, and not be written to.</summary>
    internal abstract bool IsReadOnly(nint address);

    /// <summary>
    /// Waits for a time in milliseconds until one of the descriptors is readable, and returns the places of all that are.
    /// </summary>
    internal abstract int[] WhichAreReadable(int milliseconds, nint[] descriptors);
}
