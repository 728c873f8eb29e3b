namespace ShmCv.Hosting;

/// <summary>What the run asks of its system. Each system has a class of its own.</summary>
internal abstract class Host
{
    public static Host Current { get; } = OperatingSystem.IsWindows() ? new WindowsHost() : new LinuxHost();

    /// <summary>The pressures that this system has, unless the caller chooses.</summary>
    public abstract IEnumerable<string> Modes { get; }

    /// <summary>The path of the library, unless SHMCV_LIBRARY names one.</summary>
    public abstract string LibraryFile { get; }

    /// <summary>A number that no other living thread of this process has.</summary>
    public abstract int ThisThread { get; }

    /// <summary>The signals that this thread blocks; 0 where there are none.</summary>
    public abstract ulong MaskOfThisThread { get; }

    /// <summary>A program that ends at once with 0, and its arguments.</summary>
    public abstract (string Program, string Arguments) Child { get; }

    /// <summary>Keeps signals for the process away from this thread.</summary>
    public abstract void BlockInterrupts();

    /// <summary>Ends this process without any further code of the host.</summary>
    public abstract void End(int status);

    /// <summary>Notes what the library must leave as it is. To be called before the library is loaded.</summary>
    public abstract void Note();

    /// <summary>Returns what has changed since <see cref="Note"/> of what the library's loading could change, in words.</summary>
    public abstract IEnumerable<string> ChangedByLoading();

    /// <summary>Returns what has changed since <see cref="Note"/> in the threads that there were, in words.</summary>
    public abstract IEnumerable<string> ChangedInThreads();
}
