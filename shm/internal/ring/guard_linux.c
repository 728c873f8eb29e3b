/* How a bus error becomes a jump. Go forwards a fault in C code to the handler that it has found when it started. This one is
 * put there before Go starts, after export/host_linux.c has looked at the host's. */
#include "guard.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

__thread shmcv_guard *shmcv_guarded;

static struct sigaction before;

static void leave(int signal, siginfo_t *info, void *context) {
    shmcv_guard *guard = shmcv_guarded;
    if (guard != NULL && info->si_code > 0) {
        /* The jump leaves the handler, so the mask that its return would restore is restored here. */
        pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
        _longjmp(guard->jump, 1);
    }
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(signal, info, context);
        return;
    }
    if (before.sa_handler == SIG_DFL) {
        sigaction(signal, &before, NULL); /* the instruction runs again, and the default action follows */
        return;
    }
    if (before.sa_handler != SIG_IGN) before.sa_handler(signal);
}

__attribute__((constructor(102))) static void stand_before_go(void) {
    struct sigaction action = {.sa_sigaction = leave};
    if (sigaction(SIGBUS, NULL, &before) != 0) return;
    action.sa_mask = before.sa_mask;
    action.sa_flags = (before.sa_flags & ~SA_RESETHAND) | SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGBUS, &action, NULL);
}
