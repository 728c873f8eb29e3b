/* Where Go, a guest, and its host collide: signals. docs/host-safety.md tells the whole story, with the commands that
 * show each crash and each cure. This file has the cures.
 *
 * When the library is loaded, Go's runtime changes how the process handles signals:
 *   - it installs its own handlers for SIGSEGV, SIGBUS, SIGFPE, SIGPIPE and SIGURG, and
 *   - it adds SA_ONSTACK to every other handler that the host has.
 * Later, on each thread that calls it for the first time, it unblocks a dozen signals.
 *
 * CoreCLR suspends its threads for a garbage collection by SIGRTMIN. The handler must run on the interrupted thread's
 * own stack. CoreCLR turns SIGFPE into DivideByZeroException. Its SIGSEGV handler leaves its stack by a jump, goes on
 * elsewhere, and still reads what lies on the stack that it has left. */
#include "host.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A build for scripts/hosting.sh lacks one of these cures, to show that the hosting test fails without it. */
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

/* What is in a call's state: the thread's signal mask. */
typedef struct __attribute__((may_alias)) kept_mask {
    sigset_t signals;
} kept_mask;
_Static_assert(sizeof(kept_mask) <= sizeof(shmcv_host_state) && _Alignof(kept_mask) <= _Alignof(shmcv_host_state),
               "shmcv_host_state has no room for a signal mask");

static bool is_handler(const struct sigaction *action) {
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* held_back are the signals that wait until a call is over: all of them, except those that the calling thread itself
 * can cause, and SIGURG, by which Go preempts its threads. */
static void choose_held_back(void) {
    static const int through[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGURG};
    sigfillset(&held_back);
    for (size_t i = 0; i < sizeof through / sizeof *through; i++) sigdelset(&held_back, through[i]);
    if (with(WIDE_MASK)) return;
    sigemptyset(&held_back);
    sigaddset(&held_back, SIGRTMIN);
}

/* Go's poller is an epoll and an eventfd. */
static int reserved[2] = {-1, -1};

void shmcv_free_descriptors(void) {
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (reserved[i] >= 0) close(reserved[i]);
        reserved[i] = -1;
    }
}

bool shmcv_reserve_descriptors(void) {
    if (reserved[0] >= 0) return true;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        reserved[i] = eventfd(0, EFD_CLOEXEC);
        if (reserved[i] >= 0) continue;
        shmcv_free_descriptors();
        return false;
    }
    return true;
}

/* Go starts on a thread of its own, beside the host. When the kept descriptors are freed for the poller, a thread of the host
 * that is opening files could take them, and Go would end the process. So the library is not loaded before Go has started.
 * The wait has an end, because a host may hold what Go's start needs. */
static bool started;

void shmcv_note_start(void) { __atomic_store_n(&started, true, __ATOMIC_RELEASE); }

static void wait_for_start(void) {
    enum { STEP = 20000, STEPS = 5000 }; /* nanoseconds, and at most 0.1 s in all */
    const struct timespec step = {.tv_nsec = STEP};
    for (int i = 0; i < STEPS && !__atomic_load_n(&started, __ATOMIC_ACQUIRE); i++) nanosleep(&step, NULL);
}

/* die_of is what Go's handlers of SIGSEGV and SIGBUS find as the host's, if the host leaves these signals to their default
 * action. Go forwards a fault outside Go code to the host's handler; if there is none, it prints the stacks of its
 * goroutines and ends the process. After die_of the faulting instruction runs again, and the default action follows: the
 * process ends in silence, of the signal, with a core dump that shows the place. */
static void die_of(int signal, siginfo_t *info, void *context) {
    (void)info, (void)context;
    const struct sigaction default_action = {.sa_handler = SIG_DFL};
    sigaction(signal, &default_action, NULL);
}

static void let_die_in_silence(int signal) {
    struct sigaction action = {.sa_sigaction = die_of, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (before_go[signal].sa_handler == SIG_DFL) sigaction(signal, &action, NULL);
}

/* Go's runtime starts in an ordinary constructor. A constructor of priority 101, the lowest that a program may use,
 * runs before it. The threads that Go starts inherit this thread's mask: the host's signals, which are blocked in
 * it, then find threads of the host. */
__attribute__((constructor(101))) static void before_go_starts(void) {
    for (int signal = 1; signal < SIGNALS; signal++) sigaction(signal, NULL, &before_go[signal]);
    let_die_in_silence(SIGSEGV);
    let_die_in_silence(SIGBUS);
    choose_held_back();
    shmcv_reserve_descriptors(); /* Go's init, on a thread of its own, may come after the return of dlopen */
    pthread_sigmask(SIG_BLOCK, &held_back, &loaders_mask);
}

static bool go_has_started(void) {
    struct sigaction fault;
    return sigaction(SIGSEGV, NULL, &fault) == 0 && fault.sa_handler != before_go[SIGSEGV].sa_handler &&
           fault.sa_sigaction != die_of;
}

/* goes_back returns true if a signal's disposition becomes again what it was before Go. Go code needs neither SIGFPE
 * nor SIGPIPE: it checks divisors itself, and this library writes to no pipe. In a host like CoreCLR all handlers
 * lose SA_ONSTACK, because each call holds signals back there. In other hosts they keep it, because a goroutine's
 * small stack may be under them.
 *
 * A SIGURG of Go's may arrive late, when the thread is in the host's code again. There it does the harm of any
 * handler with SA_ONSTACK. Given back, the signal is ignored, and the kernel drops it. Go then preempts a thread
 * where its code calls a function, which this library's code soon does. If the host handles SIGURG, Go keeps it,
 * because the host's handler would be called otherwise. */
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

/* take_over_mask gives Go's handler of a signal the mask of the host's handler. Go keeps SIGSEGV and SIGBUS: it
 * turns its own faults into panics, and forwards the host's. The mask of Go's own handler blocks everything, and
 * CoreCLR, which does not return from a fault, would never unblock it. */
static void take_over_mask(int signal) {
    struct sigaction action;
    if (!is_handler(&before_go[signal]) || sigaction(signal, NULL, &action) != 0) return;
    action.sa_mask = before_go[signal].sa_mask;
    sigaction(signal, &action, NULL);
}

/* A SIGSEGV or SIGBUS that was sent, by kill() or by raise(), is no fault of Go code either. Go does not forward it. So
 * if the host leaves the signal to its default action, sort_out stands before Go's handler. A host's handler that was
 * installed later, as Python's faulthandler, comes first; it ends by giving the signal back and raising it. In a forked child
 * that handler gives the signal back to this one, behind which there is no Go any more. */
static struct sigaction gos[SIGNALS];
static void (*gos_handler)(int, siginfo_t *, void *);

static void sort_out(int signal, siginfo_t *info, void *context) {
    if (info->si_code > 0 && !shmcv_forked) {
        gos[signal].sa_sigaction(signal, info, context);
        return;
    }
    die_of(signal, info, context);
    if (info->si_code <= 0) raise(signal); /* when this handler has returned */
}

static void stand_before_go(int signal) {
    if (before_go[signal].sa_handler != SIG_DFL || sigaction(signal, NULL, &gos[signal]) != 0) return;
    struct sigaction action = gos[signal];
    action.sa_sigaction = sort_out;
    sigaction(signal, &action, NULL);
}

/* Go's handlers, which are all the same function, and sort_out in front of them have nothing to do in a forked child: each
 * signal is the host's again, as it was before Go started. What the host has installed since then stays. */
void shmcv_give_back_signals(void) {
    static const int kept[] = {SIGSEGV, SIGBUS, SIGURG};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        struct sigaction now;
        if (gos_handler == NULL || sigaction(kept[i], NULL, &now) != 0) continue;
        if (now.sa_sigaction != sort_out && now.sa_sigaction != gos_handler) continue;
        sigaction(kept[i], &before_go[kept[i]], NULL);
    }
}

/* shmcv_restore_host does nothing before Go has started. */
void shmcv_restore_host(void) {
    static bool done;
    if (!go_has_started() || __atomic_exchange_n(&done, true, __ATOMIC_RELAXED)) return;
    struct sigaction fault;
    if (sigaction(SIGSEGV, NULL, &fault) == 0) gos_handler = fault.sa_sigaction;
    for (int signal = 1; signal < SIGNALS; signal++) {
        if (goes_back(signal)) sigaction(signal, &before_go[signal], NULL);
    }
    stand_before_go(SIGSEGV);
    stand_before_go(SIGBUS);
    if (!with(FAULT_MASK)) return;
    take_over_mask(SIGSEGV);
    take_over_mask(SIGBUS);
}

/* If the linker has put this constructor after Go's, as it usually does, no thread of the host ever meets Go's
 * dispositions. If the linker has put it before Go's, the init of host_linux.go restores the host. */
__attribute__((constructor)) static void after_go_has_started(void) {
    shmcv_restore_host();
    if (go_has_started()) wait_for_start();
    pthread_sigmask(SIG_SETMASK, &loaders_mask, NULL);
}

/* shmcv_look_at_host is called again and again, because a host may start CoreCLR long after it has loaded this library.
 * Python does so, with pythonnet. */
void shmcv_look_at_host(void) {
    struct sigaction suspension;
    bool masks = with(CALL_MASK) && sigaction(SIGRTMIN, NULL, &suspension) == 0 && is_handler(&suspension);
    if (masks != __atomic_load_n(&shmcv_masks, __ATOMIC_RELAXED)) __atomic_store_n(&shmcv_masks, masks, __ATOMIC_RELAXED);
}

/* While a thread is in Go, its stack may be a goroutine's: a few KiB in Go's heap, on which a handler without
 * SA_ONSTACK would write. So signals wait until the call is over, or find another thread. The mask that is put back
 * is the host's, even if Go has unblocked signals on the thread's first call. But SIGSEGV and SIGBUS stay unblocked,
 * because a fault that is blocked ends the process. */
void shmcv_mask(shmcv_host_state *state) {
    kept_mask *mask = (kept_mask *)state->storage;
    pthread_sigmask(SIG_BLOCK, &held_back, &mask->signals);
    sigdelset(&mask->signals, SIGSEGV);
    sigdelset(&mask->signals, SIGBUS);
}

void shmcv_unmask(const shmcv_host_state *state) {
    pthread_sigmask(SIG_SETMASK, &((const kept_mask *)state->storage)->signals, NULL);
}
