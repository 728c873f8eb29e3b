using System.Globalization;

namespace ShmCv.Hosting;

/// <summary>The signals that a thread blocks, as the kernel tells them: bit n-1 is signal n.</summary>
internal static class SignalMask
{
    public static ulong OfThisThread() => Read("/proc/thread-self/status");

    /// <summary>Returns the mask of another thread of this process, or null if the thread has ended.</summary>
    public static ulong? OfThread(int thread)
    {
        try
        {
            return Read($"/proc/self/task/{thread}/status");
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static bool Has(ulong mask, int signal) => (mask >> (signal - 1) & 1) != 0;

    /// <summary>Returns the masks of all threads, with those of the runtime and of the library.</summary>
    public static Dictionary<int, ulong> OfAllThreads()
    {
        var masks = new Dictionary<int, ulong>();
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            int thread = int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
            if (OfThread(thread) is { } mask)
            {
                masks[thread] = mask;
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
