namespace ShmCv.Hosting;

/// <summary>
/// The disposition of each signal: the handler, and the flags that choose the stack of the handler.
/// </summary>
internal static unsafe class Dispositions
{
    private const int Signals = 64, Bus = 7, Segv = 11, Cancel = 32, SetXid = 33;
    private const uint Restorer = 0x04000000; // libc sets it in every action that passes through libc

    // glibc's struct sigaction: the handler, a mask of 128 bytes, the flags, the restorer.
    private const int Size = 152, FlagsAt = 136;

    public static (nint Handler, uint Flags)[] Read()
    {
        var found = new (nint, uint)[Signals + 1];
        byte* action = stackalloc byte[Size];
        for (int signal = 1; signal <= Signals; signal++)
        {
            if (signal is not (Cancel or SetXid) && Libc.sigaction(signal, null, action) == 0)
            {
                found[signal] = (*(nint*)action, *(uint*)(action + FlagsAt) & ~Restorer);
            }
        }
        return found;
    }

    /// <summary>Returns the signals whose disposition differs, without those that a Go library needs itself.</summary>
    public static IEnumerable<int> Changed((nint, uint)[] before, (nint, uint)[] after) =>
        Enumerable.Range(1, Signals).Where(signal => signal is not (Bus or Segv) && before[signal] != after[signal]);
}
