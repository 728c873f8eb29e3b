using System.Globalization;

namespace ShmCv.Hosting;

/// <summary>Which signals a thread blocks, as the kernel tells it: bit n-1 is signal n.</summary>
internal static class SignalMask
{
    public static ulong OfThisThread() => Read("/proc/thread-self/status");

    /// <summary>Of all threads, the runtime's own and the library's included.</summary>
    public static Dictionary<int, ulong> OfAllThreads()
    {
        var masks = new Dictionary<int, ulong>();
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                masks[int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture)] = Read(Path.Combine(task, "status"));
            }
            catch (IOException)
            {
                // It has ended since.
            }
        }
        return masks;
    }

    private static ulong Read(string status)
    {
        const string field = "SigBlk:";
        string line = File.ReadLines(status).First(line => line.StartsWith(field, StringComparison.Ordinal));
        return ulong.Parse(line.AsSpan(field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
