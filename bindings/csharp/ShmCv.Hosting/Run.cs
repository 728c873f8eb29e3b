using System.Diagnostics;

namespace ShmCv.Hosting;

/// <summary>One run: the threads of the host, how long they go on, and what went wrong.</summary>
internal sealed class Run(TimeSpan length, bool exposed)
{
    /// <summary>How long what has to happen may take.</summary>
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

    /// <summary>Starts one that does little but call the library.</summary>
    public void StartCaller(string name, Action body) =>
        StartThread(name, () => AsHostThread(name, () => AsTarget(callers, body)));

    /// <summary>
    /// Starts one that dereferences null. It blocks what the process is sent, unless the run is exposed: a signal that comes
    /// while CoreCLR handles a SIGSEGV may overflow its alternate stack, which has 12 KiB, with no Go near.
    /// </summary>
    public void StartFaulting(string name, Action body) => StartThread(name, () => AsFaultingThread(name, body));

    public void AsFaultingThread(string name, Action body)
    {
        if (!exposed)
        {
            Libc.BlockInterrupts();
        }
        AsHostThread(name, body);
    }

    /// <summary>Runs a body as every thread of the host does: a target of the storm, left with the signal mask it had.</summary>
    public void AsHostThread(string name, Action body)
    {
        ulong before = SignalMask.OfThisThread();
        try
        {
            AsTarget(targets, body);
        }
        catch (Exception unexpected)
        {
            Fail($"{name}: {unexpected}");
        }
        ulong after = SignalMask.OfThisThread();
        if (after != before)
        {
            Fail($"{name}: its signal mask was {before:x16} before it called the library, and is {after:x16} now");
        }
    }

    /// <summary>Sends SIGRTMIN to one of the host's threads, whatever it is doing.</summary>
    public void Suspend(Random random) => Send(Libc.SIGRTMIN, targets, random);

    /// <summary>Sends any of them SIGURG, which a .NET process ignores.</summary>
    public void Urge(Random random) => Send(Libc.SIGURG, targets, random);

    /// <summary>Sends a signal to a thread that calls the library.</summary>
    public void Interrupt(int signal, Random random) => Send(signal, callers, random);

    /// <summary>Waits for the end of the run. A host that hangs is ended here: its threads cannot be.</summary>
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

    // A thread is in the list while it lives, and signals are sent under the list's lock: its number is never another's.
    private static void AsTarget(List<int> list, Action body)
    {
        int thread = Libc.gettid();
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
        Libc._exit(3);
    }
}
