// A busy .NET host with the library in it; docs/host-safety.md tells its purpose.
//
//   SHMCV_LIBRARY=build/libshmcv.so dotnet ShmCv.Hosting.dll [--seconds N] [--callers N] [--exposed true] [--mode gc,storm]
//
// Exits with 0 and a line of counts if the process has lived through the run, and its signal masks, exceptions and
// handlers are as they were before. The program is there to find a SIGSEGV, or Go's "fatal error".

using System.Globalization;
using ShmCv.Hosting;

var pressures = new Dictionary<string, Action<Run>[]>
{
    ["gc"] = [Pressures.Allocate, Pressures.Allocate, Pressures.Collect],
    ["storm"] = [Pressures.Storm],
    ["urge"] = [Pressures.Urge],
    ["null"] = [Pressures.DereferenceNull],
    ["divide"] = [Pressures.DivideByZero],
    ["threads"] = [Pressures.StartShortThreads],
    ["first"] = [Pressures.WatchFirstCalls],
    ["signals"] = [Pressures.Interrupt],
    ["children"] = [Pressures.StartChildren],
    ["dynamic"] = [Pressures.CompileMethods],
    ["targeted"] = [Pressures.InterruptCallers],
};

double seconds = 60;
int callers = 5;
string[] faulting = ["null", "divide", "threads"];
string[] modes = [.. Host.Current.Modes];
bool exposed = false;
for (int i = 0; i < args.Length; i++)
{
    string value = i + 1 < args.Length ? args[i + 1] : "";
    switch (args[i++])
    {
        case "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out seconds): break;
        case "--callers" when int.TryParse(value, CultureInfo.InvariantCulture, out callers): break;
        case "--exposed" when bool.TryParse(value, out exposed): break;
        case "--mode" when value.Split(',').All(pressures.ContainsKey): modes = value.Split(','); break;
        default:
            Console.Error.WriteLine($"usage: [--seconds N] [--callers N] [--exposed true] [--mode {string.Join(',', pressures.Keys)}]");
            return 2;
    }
}

// The library is loaded with the first call, unless it was preloaded.
Host.Current.Note();
string folder = Directory.CreateTempSubdirectory("shmcv-hosting-").FullName;
try
{
    var run = new Run(TimeSpan.FromSeconds(seconds), exposed);
    Guest.Draw(folder);
    string[] changed = [.. Host.Current.ChangedByLoading()];
    Pressures.HandleInterrupts();
    foreach (string mode in modes)
    {
        foreach (Action<Run> pressure in pressures[mode])
        {
            Action<string, Action> start = faulting.Contains(mode) ? run.StartFaulting : run.Start;
            start(mode, () => pressure(run));
        }
    }
    for (int i = 0; i < callers; i++)
    {
        var guest = new Guest(folder, $"caller{i}");
        run.StartCaller($"caller {i}", () => Pressures.CallLibrary(run, guest));
    }
    run.Wait();
    run.AsHostThread("main", () => Pressures.DivisionByZero(depth: 0));
    foreach (string change in changed)
    {
        run.Fail(change);
    }
    GC.Collect();
    GC.WaitForPendingFinalizers(); // the finalizer thread calls the library too, and must have left it when the masks are read
    foreach (string change in Host.Current.ChangedInThreads())
    {
        run.Fail(change);
    }
    if (modes.Contains("signals") && (Counts.Interrupts == 0 || Counts.Terminations == 0))
    {
        run.Fail("no handler of SIGINT or SIGTERM has run");
    }
    Console.WriteLine($"hosting: {seconds} s, {callers} callers: {Counts.Line()}");
    return run.Succeeded ? 0 : 1;
}
finally
{
    _ = Library.shmcv_clear_all();
    Directory.Delete(folder, recursive: true);
}
