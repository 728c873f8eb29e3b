using System.Diagnostics;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmCv.Hosting;

/// <summary>
/// The work of a busy .NET process beside calls of the library. Each pressure goes on until the run is over.
/// </summary>
internal static class Pressures
{
    private const int ShortStack = 256 * 1024;

    private static object? sink;

    private static readonly SemaphoreSlim Handled = new(0);
    private static PosixSignalRegistration? interrupt, terminate;

    /// <summary>Allocates memory, and computes in managed code, where only SIGRTMIN can stop a thread.</summary>
    public static void Allocate(Run run)
    {
        while (!run.Over)
        {
            Churn(2000);
        }
    }

    /// <summary>Makes the runtime stop all threads, again and again.</summary>
    public static void Collect(Run run)
    {
        for (int i = 0; !run.Over; i++)
        {
            GC.Collect(i % 3, GCCollectionMode.Forced, blocking: true);
            Thread.Yield();
        }
    }

    /// <summary>
    /// Sends the signal of the suspension at moments that the runtime would not choose. The runtime ignores such
    /// signals.
    /// </summary>
    public static void Storm(Run run)
    {
        var random = new Random(1);
        while (!run.Over)
        {
            for (int i = 0; i < 32; i++)
            {
                run.Suspend(random);
                Interlocked.Increment(ref Counts.Suspensions);
                Thread.SpinWait(50);
            }
            Thread.Yield();
        }
    }

    /// <summary>
    /// Sends the signal that Go's runtime sends to its threads, sometimes too late, when they have left Go.
    /// </summary>
    public static void Urge(Run run)
    {
        var random = new Random(3);
        while (!run.Over)
        {
            for (int i = 0; i < 8; i++)
            {
                run.Urge(random);
                Interlocked.Increment(ref Counts.Urges);
            }
            Thread.Yield();
        }
    }

    /// <summary>Causes NullReferenceExceptions, each of which is a SIGSEGV that the runtime survives.</summary>
    public static void DereferenceNull(Run run)
    {
        for (int i = 0; !run.Over; i++)
        {
            NullReference(depth: i % 2 * 60);
            Guest.Touch();
            Churn(20);
        }
    }

    /// <summary>
    /// Causes DivideByZeroExceptions, each of which is a SIGFPE that the runtime survives, also right after a SIGSEGV.
    /// </summary>
    public static void DivideByZero(Run run)
    {
        for (int i = 0; !run.Over; i++)
        {
            if (i % 4 == 0)
            {
                NullReference(depth: 3);
            }
            DivisionByZero(depth: i % 2 * 60);
            Guest.Touch();
            Churn(20);
        }
    }

    /// <summary>Starts threads with a small stack, whose first call into the library is one of their last.</summary>
    public static void StartShortThreads(Run run)
    {
        while (!run.Over)
        {
            var thread = new Thread(() => run.AsFaultingThread("short thread", ShortLife), ShortStack);
            thread.Start();
            thread.Join();
            Interlocked.Increment(ref Counts.Threads);
        }
    }

    private static void ShortLife()
    {
        Guest.Touch();
        NullReference(depth: 20);
        DivisionByZero(depth: 20);
        Guest.Touch();
        Churn(20);
    }

    /// <summary>
    /// Handles Ctrl-C and SIGTERM from now on until the process ends, because a signal may still be on its way to a
    /// thread.
    /// </summary>
    public static void HandleInterrupts()
    {
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Handle(context, ref Counts.Interrupts));
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, ref Counts.Terminations));
    }

    private static void Handle(PosixSignalContext context, ref long count)
    {
        context.Cancel = true;
        Interlocked.Increment(ref count);
        Handled.Release();
    }

    /// <summary>
    /// Watches the first call of a thread, in which Go's runtime unblocks signals. Only the library holds back SIGUSR1,
    /// so a mask with SIGUSR1 in it and without the signal of the suspension shows a fault, without any luck.
    /// </summary>
    public static void WatchFirstCalls(Run run)
    {
        for (int i = 0; !run.Over; i++)
        {
            int caller = 0;
            bool odd = i % 2 == 1;
            var thread = new Thread(() => run.AsHostThread("first call", () =>
            {
                Volatile.Write(ref caller, Libc.gettid());
                Guest.Work(odd);
                Volatile.Write(ref caller, 0);
            }));
            thread.Start();
            while (thread.IsAlive)
            {
                int watched = Volatile.Read(ref caller);
                ulong mask = watched == 0 ? 0 : SignalMask.OfThread(watched) ?? 0;
                if (SignalMask.Has(mask, Libc.SIGUSR1) && !SignalMask.Has(mask, Libc.SIGRTMIN))
                {
                    run.Fail($"in its first call a thread has the signal mask {mask:x16}: a suspension could hit Go's stack");
                    break;
                }
            }
            thread.Join();
            Interlocked.Increment(ref Counts.FirstCalls);
        }
    }

    /// <summary>Sends Ctrl-C and SIGTERM to the process, and checks that they reach their handlers each time.</summary>
    public static void Interrupt(Run run)
    {
        for (int i = 0; !run.Over; i++)
        {
            while (Handled.Wait(0))
            {
                // These are answers to signals of InterruptCallers.
            }
            int signal = Interruption(i);
            _ = Libc.kill(Environment.ProcessId, signal);
            if (!Handled.Wait(Run.Patience))
            {
                run.Fail($"signal {signal} was sent to the process, and its handler has not run for {Run.Patience.TotalSeconds} s");
            }
            Guest.Touch();
        }
    }

    /// <summary>
    /// Sends Ctrl-C and SIGTERM to the threads that call the library. The kernel may give such signals to any thread,
    /// and prefers the main one. This is not part of the default mix: so many signals keep .NET from noticing the end
    /// of its children.
    /// </summary>
    public static void InterruptCallers(Run run)
    {
        var random = new Random(2);
        for (int i = 0; !run.Over; i++)
        {
            run.Interrupt(Interruption(i / 8), random);
            Thread.SpinWait(1000);
            Thread.Yield();
        }
    }

    private static int Interruption(int i) => i % 2 == 0 ? Libc.SIGINT : Libc.SIGTERM;

    /// <summary>Starts children. Each ends with a SIGCHLD, for which the runtime waits.</summary>
    public static void StartChildren(Run run)
    {
        while (!run.Over)
        {
            using Process child = Process.Start(new ProcessStartInfo(Host.Current.Child.Program, Host.Current.Child.Arguments))!;
            if (!child.WaitForExit(Run.Patience))
            {
                run.Fail($"a child was started, and its end has not been noticed for {Run.Patience.TotalSeconds} s");
            }
            else if (child.ExitCode != 0)
            {
                run.Fail($"a child ended with {child.ExitCode}");
            }
            Interlocked.Increment(ref Counts.Children);
            Guest.Touch();
            Thread.Sleep(100);
        }
    }

    /// <summary>Has the runtime compile methods, and calls each once: code appears, and goes with the method.</summary>
    public static void CompileMethods(Run run)
    {
        for (int i = 0; !run.Over; i++)
        {
            var method = new DynamicMethod("", typeof(int), [typeof(int)]);
            ILGenerator code = method.GetILGenerator();
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldc_I4, i);
            code.Emit(OpCodes.Add);
            code.Emit(OpCodes.Ret);
            if (method.CreateDelegate<Func<int, int>>()(1) != i + 1)
            {
                run.Fail($"a method that was just compiled does not add 1 and {i}");
            }
            Interlocked.Increment(ref Counts.Methods);
            Guest.Touch();
        }
    }

    /// <summary>Calls the library and runs managed code in turns.</summary>
    public static void CallLibrary(Run run, Guest guest)
    {
        while (!run.Over)
        {
            guest.Round();
            Churn(100);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void DivisionByZero(int depth)
    {
        try
        {
            _ = Deep(depth, () => 1 / Zero());
            throw new InvalidOperationException("1/0 went through");
        }
        catch (DivideByZeroException)
        {
            Interlocked.Increment(ref Counts.DivisionsByZero);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void NullReference(int depth)
    {
        try
        {
            _ = Deep(depth, () => Nothing()!.Length);
            throw new InvalidOperationException("null had a length");
        }
        catch (NullReferenceException)
        {
            Interlocked.Increment(ref Counts.NullReferences);
        }
    }

    // These are calls, so that the compiler does not know the divisor and the reference.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Zero() => 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string? Nothing() => null;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Deep(int depth, Func<int> fault) => depth == 0 ? fault() : Deep(depth - 1, fault) + 1;

    private static void Churn(int rounds)
    {
        uint sum = 0;
        for (int i = 0; i < rounds; i++)
        {
            byte[] garbage = new byte[64 + (i & 1023)];
            for (int j = 0; j < garbage.Length; j += 8)
            {
                sum = sum * 31 + garbage[j] + (uint)j;
            }
            if (sum % 16 == 0)
            {
                sink = garbage;
            }
        }
        GC.KeepAlive(sink);
    }
}
