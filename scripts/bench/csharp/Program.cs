// The bench's C# peers, one process each. scripts/bench/bench.py writes a line to a peer, which answers with a line.
//
//   dotnet Bench.dll --lib shmcv|opencvsharp|skia|tutorial                     the protocol, on stdin and stdout
//   dotnet Bench.dll --lib LIBRARY once job path=FILE out=FILE                 one work, once
//   dotnet Bench.dll --handover reader|writer shmcv waits asleep|busy NAME COUNT    see frames.py
//
// Each library is named in one class only, and is loaded when that class is first used, so no peer pays for another
// library.

using System.Diagnostics;
using System.Globalization;
using Bench;

if (args is ["--handover", .. var words])
{
    return Handover.Run(words) ? 0 : 2;
}

string library = args is ["--lib", var named, ..] ? named : "";
Func<IPeer>? create = library switch
{
    "shmcv" => () => new ShmCvPeer(),
    "opencvsharp" => () => new OpenCvSharpPeer(),
    "skia" => () => new SkiaPeer(),
#if PYTHONNET
    "tutorial" => () => new TutorialPeer(),
#else
    "tutorial" => () => throw new SkipException("built without pythonnet: SHMCV_BENCH_PYTHONNET named no folder with Python.Runtime.dll"),
#endif
    _ => null,
};
if (create is null || args is not (["--lib", _] or ["--lib", _, "once", _, ..]))
{
    Console.Error.WriteLine("usage: Bench --lib shmcv|opencvsharp|skia|tutorial [once WORK KEY=VALUE...]");
    return 2;
}

if (args is [_, _, _, var once, .. var keys])
{
    IPeer only = create();
    using (Work job = only.Prepare(new Request([once, $"work={once}", .. keys])))
    {
        job.Run();
    }

    (only as IDisposable)?.Dispose();
    return 0;
}

IPeer? peer = null;
Request? prepared = null;
Work? work = null;
while (Console.ReadLine() is { } line)
{
    var request = new Request(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    if (request.Verb == "quit")
    {
        break;
    }

    string answer;
    try
    {
        answer = Answer(request);
    }
    catch (Exception problem)
    {
        // An exception of a static constructor or a loader comes wrapped in one that does not give the reason.
        Exception cause = problem is TypeInitializationException ? problem.GetBaseException() : problem;
        string kind = cause is SkipException or DllNotFoundException ? "skip" : "error";
        answer = $"{kind} {cause.Message.ReplaceLineEndings(" ")}";
    }

    Console.WriteLine(answer);
}

work?.Dispose();
(peer as IDisposable)?.Dispose();
return 0;

string Answer(Request request)
{
    peer ??= create();
    switch (request.Verb)
    {
        case "hello":
            return $"ok name={library} dotnet={Environment.Version} {peer.Versions}";
        case "prepare":
            Interlocked.Exchange(ref work, null)?.Dispose();
            work = peer.Prepare(prepared = request);
            WarmUp(work);
            return work.Inner == 1 ? "ok" : $"ok inner={work.Inner}";
        case "run":
            return Repeat(request.Number("count"), Duration);
        case "faults":
            return Repeat(request.Number("count"), Faults);
        case "verify":
            Verification.Of(Prepared(), prepared!);
            return "ok";
        case "memory":
            return Memory();
        default:
            throw new ArgumentException($"no verb {request.Verb}");
    }
}

Work Prepared() => work ?? throw new InvalidOperationException("nothing is prepared");

// The first calls of so short a work run code that the compiler has not optimised yet. It does so in the background,
// while they go on.
static void WarmUp(Work work)
{
    for (long start = Stopwatch.GetTimestamp(); work.Inner > 1 && Stopwatch.GetElapsedTime(start).TotalSeconds < 0.5;)
    {
        work.Restore?.Invoke();
        work.Run();
    }
}

string Repeat(int count, Func<Work, double> measure)
{
    Work repeated = Prepared();
    double[] measured = new double[count];
    foreach (ref double each in measured.AsSpan())
    {
        repeated.Restore?.Invoke();
        each = measure(repeated);
    }

    return $"ok {string.Join(' ', measured.Select(each => each.ToString("0.###", CultureInfo.InvariantCulture)))}";
}

static double Duration(Work work)
{
    long start = Stopwatch.GetTimestamp();
    work.Run();
    long ticks = Stopwatch.GetTimestamp() - start;
    return ticks * (1e9 / Stopwatch.Frequency) / work.Inner;
}

static double Faults(Work work)
{
    long before = Libc.MinorFaults();
    work.Run();
    return Libc.MinorFaults() - before;
}

static string Memory()
{
    string resident = "", peak = "";
    foreach (string line in File.ReadLines("/proc/self/status"))
    {
        string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        (resident, peak) = words[0] switch
        {
            "VmRSS:" => (words[1], peak),
            "VmHWM:" => (resident, words[1]),
            _ => (resident, peak),
        };
    }

    return $"ok rss_kib={resident} peak_kib={peak}";
}
