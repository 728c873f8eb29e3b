/* Signals, where a Go guest and its host collide. docs/host-safety.md tells the whole story, with the commands that
 * show each crash and each cure; this file is the cures.
 *
 * Go's runtime, when its library is loaded, changes how the process handles signals:
 *   - it installs its own handlers for SIGSEGV, SIGBUS, SIGFPE, SIGPIPE and SIGURG, and
 *   - it adds SA_ONSTACK to every other handler that the host has;
 * and later, on each thread that calls it for the first time, it unblocks a dozen signals.
 *
 * CoreCLR suspends its threads for a garbage collection by SIGRTMIN, whose handler must run on the interrupted
 * thread's own stack; turns SIGFPE into DivideByZeroException; and leaves its SIGSEGV handler's stack by a jump, to go
 * on elsewhere with what lies on it. */
#include "native.h"

#include <pthread.h>

/* A build for scripts/hosting.sh lacks one of these cures, to show that the hosting test misses it. */
enum cure { ALL = 0, SUSPENSION, ARITHMETIC, OTHERS, FAULT_MASK, CALL_MASK, WIDE_MASK, PREEMPTION };
#ifndef SHMCV_WITHOUT
#define SHMCV_WITHOUT ALL
#endif
static bool with(enum cure cure) { return cure != SHMCV_WITHOUT; }

bool shmcv_masks;
__thread unsigned shmcv_calls;

enum { SIGNALS = 65 };
static struct sigaction before_go[SIGNALS];
static sigset_t loaders_mask, held_back;

static bool is_handler(const struct sigaction *action) {
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* What waits until a call is over: all but what the calling thread itself can cause, and Go's own preemption. */
static void choose_held_back(void) {
    static const int through[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGURG};
    sigfillset(&held_back);
    for (size_t i = 0; i < sizeof through / sizeof *through; i++) sigdelset(&held_back, through[i]);
    if (with(WIDE_MASK)) return;
    sigemptyset(&held_back);
    sigaddset(&held_back, SIGRTMIN);
}

/* Go's runtime starts in an ordinary constructor; the lowest priority that a program may use runs before it. The
 * threads that Go starts inherit this one's mask: with everything blocked, the host's signals find the host's threads. */
__attribute__((constructor(101))) static void before_go_starts(void) {
    for (int signal = 1; signal < SIGNALS; signal++) sigaction(signal, NULL, &before_go[signal]);
    choose_held_back();
    pthread_sigmask(SIG_BLOCK, &held_back, &loaders_mask);
}

static bool go_has_started(void) {
    struct sigaction fault;
    return sigaction(SIGSEGV, NULL, &fault) == 0 && fault.sa_handler != before_go[SIGSEGV].sa_handler;
}

/* Whether a signal becomes again what it was before Go. Go code needs no SIGFPE and no SIGPIPE: it checks divisors, and
 * ours writes to no pipe. SA_ONSTACK goes from all handlers of a host like CoreCLR, where each call holds signals back;
 * in other hosts they keep it, because a goroutine's small stack may be under them.
 *
 * SIGURG, by which Go preempts its threads, may come late, when the thread is in the host's code again, and there it does
 * what any handler with SA_ONSTACK does. Given back, it is ignored, and the kernel drops it; Go then preempts where the
 * code calls a function, which ours does soon. Where the host handles it Go keeps it, or that handler would be called. */
static bool goes_back(int signal) {
    bool handled = is_handler(&before_go[signal]);
    switch (signal) {
    case SIGFPE: return with(ARITHMETIC);
    case SIGPIPE: return true;
    case SIGILL: case SIGTRAP: return handled && with(ARITHMETIC);
    case SIGURG: return !handled && with(PREEMPTION);
    case SIGSEGV: case SIGBUS: return false;
    }
    return handled && is_handler(&before_go[SIGRTMIN]) && with(signal == SIGRTMIN ? SUSPENSION : OTHERS);
}

/* Go keeps SIGSEGV and SIGBUS, turns its own faults into panics, and forwards the others. It does so with the host's
 * mask: its own blocks everything, and CoreCLR would never unblock it. */
static void take_over_mask(int signal) {
    struct sigaction action;
    if (!is_handler(&before_go[signal]) || sigaction(signal, NULL, &action) != 0) return;
    action.sa_mask = before_go[signal].sa_mask;
    sigaction(signal, &action, NULL);
}

/* shmcv_restore_host gives the host back what Go took and does not need, once, when Go has taken it. */
void shmcv_restore_host(void) {
    static bool done;
    if (!go_has_started() || __atomic_exchange_n(&done, true, __ATOMIC_RELAXED)) return;
    for (int signal = 1; signal < SIGNALS; signal++) {
        if (goes_back(signal)) sigaction(signal, &before_go[signal], NULL);
    }
    if (!with(FAULT_MASK)) return;
    take_over_mask(SIGSEGV);
    take_over_mask(SIGBUS);
}

/* As early as it can be: where the linker has put this constructor after Go's, no thread of the host meets Go's
 * dispositions at all. Where it has put it before, host_linux.go's init does the work. */
__attribute__((constructor)) static void after_go_has_started(void) {
    shmcv_restore_host();
    pthread_sigmask(SIG_SETMASK, &loaders_mask, NULL);
}

/* Looked at again and again, because a host may start CoreCLR long after it has loaded this library: Python does, with
 * pythonnet. */
void shmcv_look_at_host(void) {
    struct sigaction suspension;
    bool masks = with(CALL_MASK) && sigaction(SIGRTMIN, NULL, &suspension) == 0 && is_handler(&suspension);
    if (masks != __atomic_load_n(&shmcv_masks, __ATOMIC_RELAXED)) __atomic_store_n(&shmcv_masks, masks, __ATOMIC_RELAXED);
}

/* While a thread is in Go its stack may be a goroutine's, a few KiB of Go's heap, on which a handler without SA_ONSTACK
 * would write: signals wait until the call is over, or find another thread. The mask that is put back is the host's,
 * also where Go has unblocked signals on the thread's first call; but SIGSEGV and SIGBUS stay open, because a fault
 * that is blocked kills. */
void shmcv_mask(shmcv_entry *entry) {
    pthread_sigmask(SIG_BLOCK, &held_back, &entry->mask);
    sigdelset(&entry->mask, SIGSEGV);
    sigdelset(&entry->mask, SIGBUS);
}

void shmcv_unmask(const shmcv_entry *entry) { pthread_sigmask(SIG_SETMASK, &entry->mask, NULL); }
