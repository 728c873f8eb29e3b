namespace ShmCv.Hosting;

/// <summary>Linux: signals, and the masks and handlers of them.</summary>
internal sealed class LinuxHost : Host
{
    private Dictionary<int, ulong> masks = [];
    private (nint Handler, uint Flags)[] dispositions = [];

    public override IEnumerable<string> Modes => ["gc", "storm", "urge", "null", "divide", "threads", "first", "signals", "children"];

    public override string LibraryFile => "libshmcv.so";

    public override int ThisThread => Libc.gettid();

    public override ulong MaskOfThisThread => SignalMask.OfThisThread();

    public override (string Program, string Arguments) Child => ("/bin/true", "");

    public override void BlockInterrupts() => Libc.BlockInterrupts();

    public override void End(int status) => Libc._exit(status);

    // A preloaded library has threads of its own, which may be starting at this moment.
    public override void Note()
    {
        bool preloaded = Environment.GetEnvironmentVariable("LD_PRELOAD") is not (null or "");
        masks = preloaded ? [] : SignalMask.OfAllThreads();
        dispositions = Dispositions.Read();
    }

    public override IEnumerable<string> ChangedByLoading() => Dispositions.Changed(dispositions, Dispositions.Read())
        .Select(signal => $"signal {signal} had another handler, or the same on another stack, as soon as the library was loaded");

    public override IEnumerable<string> ChangedInThreads() =>
        from now in SignalMask.OfAllThreads()
        where masks.TryGetValue(now.Key, out ulong before) && before != now.Value
        select $"thread {now.Key}: its signal mask was {masks[now.Key]:x16} before the library was loaded, and is {now.Value:x16} now";
}
