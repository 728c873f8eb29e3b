namespace ShmCv.Hosting;

/// <summary>The counts of the events of the run.</summary>
internal static class Counts
{
    public static long Calls, Refusals, Finalized, Suspensions, Urges, NullReferences, DivisionsByZero, Threads, FirstCalls, Methods, Interrupts, Terminations, Children;

    public static string Line() =>
        $"{Calls} calls ({Refusals} refused, {Finalized} by finalizers), {GC.CollectionCount(0)} collections, " +
        $"{Suspensions} SIGRTMIN, {Urges} SIGURG, {NullReferences} null references, {DivisionsByZero} divisions by zero, " +
        $"{Threads} short threads, {FirstCalls} first calls watched, {Methods} methods compiled, {Interrupts} SIGINT, {Terminations} SIGTERM, {Children} children";
}
