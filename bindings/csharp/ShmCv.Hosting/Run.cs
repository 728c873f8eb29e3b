using System.Diagnostics;

namespace ShmCv.Hosting;

/// <summary>One run: the threads of the host, its length, and its failures.</summary>
internal sealed class Run(TimeSpan length, bool exposed)
{
    /// <summary>The longest time that an expected event may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly List<Thread> threads = [];
    private readonly List<int> targets = [], callers = [];
    private volatile bool failed;

    public bool Succeeded => !failed;

    public bool Over => failed || clock.Elapsed >= length;

    public void Fail(string what)
    {
        failed = true;
        Console.Error.WriteLine($"hosting: {what}");
    }

    /// <summary>Starts a thread of the host that lasts for the run.</summary>
    public void Start(string name, Action body) => StartThread(name, () => AsHostThread(name, body));

    /// <summary>Starts a thread that does little except call the library.</summary>
    public void StartCaller(string name, Action body) =>
        StartThread(name, () => AsHostThread(name, () => AsTarget(callers, body)));

    /// <summary>
    /// Starts a thread that dereferences null. It blocks the signals that are sent to the process, unless the run is
    /// exposed: a signal that comes while CoreCLR handles a SIGSEGV may overflow the alternate stack of 12 KiB, even
    /// without Go.
    /// </summary>
    public void StartFaulting(string name, Action body) => StartThread(name, () => AsFaultingThread(name, body));

    public void AsFaultingThread(string name, Action body)
    {
        if (!exposed)
        {
            Host.Current.BlockInterrupts();
        }
        AsHostThread(name, body);
    }

    /// <summary>
    /// Runs a body as every thread of the host does: it is a target of the storm, and must end with the signal mask
    /// that it had.
    /// </summary>
    public void AsHostThread(string name, Action body)
    {
        ulong before = Host.Current.MaskOfThisThread;
        try
        {
            AsTarget(targets, body);
        }
        catch (Exception unexpected)
        {
            Fail($"{name}: {unexpected}");
        }
        ulong after = Host.Current.MaskOfThisThread;
        if (after != before)
        {
            Fail($"{name}: its signal mask was {before:x16} before it called the library, and is {after:x16} now");
        }
    }

    /// <summary>Sends SIGRTMIN to one of the host's threads, at any moment.</summary>
    public void Suspend(Random random) => Send(Libc.SIGRTMIN, targets, random);

    /// <summary>Sends SIGURG, which a .NET process ignores, to one of the threads of the host.</summary>
    public void Urge(Random random) => Send(Libc.SIGURG, targets, random);

    /// <summary>Sends a signal to a thread that calls the library.</summary>
    public void Interrupt(int signal, Random random) => Send(signal, callers, random);

    /// <summary>
    /// Waits for the end of the run. It ends the process if a thread hangs, because a thread cannot be ended.
    /// </summary>
    public void Wait()
    {
        long calls = 0;
        var progress = Stopwatch.StartNew();
        while (!Over)
        {
            Thread.Sleep(200);
            if (calls != (calls = Interlocked.Read(ref Counts.Calls)))
            {
                progress.Restart();
            }
            else if (progress.Elapsed > Patience)
            {
                Hung($"no call has returned for {Patience.TotalSeconds} s");
            }
        }
        foreach (Thread thread in threads)
        {
            if (!thread.Join(Patience))
            {
                Hung($"the thread '{thread.Name}' does not end");
            }
        }
    }

    private void StartThread(string name, ThreadStart body)
    {
        var thread = new Thread(body) { Name = name };
        threads.Add(thread);
        thread.Start();
    }

    // A thread is in the list while it lives, and signals are sent under the list's lock. So no signal goes to a later
    // thread that has got the same number.
    private static void AsTarget(List<int> list, Action body)
    {
        int thread = Host.Current.ThisThread;
        lock (list)
        {
            list.Add(thread);
        }
        try
        {
            body();
        }
        finally
        {
            lock (list)
            {
                list.Remove(thread);
            }
        }
    }

    private static void Send(int signal, List<int> list, Random random)
    {
        lock (list)
        {
            if (list.Count != 0)
            {
                _ = Libc.tgkill(Environment.ProcessId, list[random.Next(list.Count)], signal);
            }
        }
    }

    private static void Hung(string what)
    {
        Console.Error.WriteLine($"hosting: {what}");
        Host.Current.End(3);
    }
}
