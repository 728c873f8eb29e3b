/* How a function that waits sleeps: outside Go, and with the host's signal mask. */
#include "host.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

bool shmcv_sleep(shmcv_nap *nap) {
    if (nap->word == NULL) return false;
    enum { SECOND = 1000000000 };
    const struct timespec until = {.tv_sec = (time_t)(nap->until / SECOND), .tv_nsec = (long)(nap->until % SECOND)};
    /* A wake-up ends the sleep, or the time, a signal, or memory that is gone. In each case the caller looks again. */
    syscall(SYS_futex, nap->word, FUTEX_WAIT_BITSET, nap->value, &until, NULL, FUTEX_BITSET_MATCH_ANY);
    nap->word = NULL;
    return true;
}
