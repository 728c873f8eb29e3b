/* How a function that waits sleeps: outside Go, and with the host's signal mask. */
#include "host.h"
#include "../shm/internal/ring/system_linux.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's struct futex_waitv, and the number of the call, which older headers do not have. The number is the same
 * on every processor. */
typedef struct futex_word {
    uint64_t value, address;
    uint32_t flags, reserved;
} futex_word;

enum { FUTEX_WAITV = 449, NANOSECONDS = 1000000000 };

_Static_assert(sizeof(futex_word) == sizeof(shmcv_word), "a word is the kernel's struct futex_waitv");

unsigned shmcv_processors = 1;

__attribute__((constructor)) static void count_processors(void) {
    const long found = sysconf(_SC_NPROCESSORS_ONLN);
    if (found > 0) shmcv_processors = (unsigned)found;
}

shmcv_word shmcv_word_of(intptr_t file, uint32_t *address, uint32_t value) {
    enum { OF_32_BITS = 2 }; /* FUTEX2_SIZE_U32, which headers have since Linux 6.7 */
    const bool own = file == SHMCV_NO_FILE;
    const futex_word word = {value, (uintptr_t)address, OF_32_BITS | (own ? FUTEX_PRIVATE_FLAG : 0), 0};
    shmcv_word opaque;
    memcpy(&opaque, &word, sizeof opaque);
    return opaque;
}

uint64_t shmcv_now(void) { return ring_now(); }

static struct timespec time_of(uint64_t nanoseconds) {
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / NANOSECONDS), .tv_nsec = (long)(nanoseconds % NANOSECONDS)};
}

/* Kernels before 5.16 do not have futex_waitv (ENOSYS), and some containers forbid it (EPERM). */
static atomic_bool sleeps_on_one;

/* sleep_on_one sleeps on the first word only, and leaves it soon to look at the other words. The first word of a single
 * wait is the bell, and the second word only tells of a close. The first word of a wait set is its alarm. */
static void sleep_on_one(const shmcv_nap *nap) {
    const futex_word *word = (const futex_word *)nap->words;
    const struct timespec until = time_of(nap->count > 1 && nap->soon < nap->until ? nap->soon : nap->until);
    const int operation = FUTEX_WAIT_BITSET | (int)(word->flags & FUTEX_PRIVATE_FLAG);
    syscall(SYS_futex, word->address, operation, word->value, &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

bool shmcv_sleep(shmcv_nap *nap) {
    if (nap->count == 0) return false;
    /* A wake-up ends the sleep, or the time, a signal, or memory that is gone. In each case the caller looks again. */
    if (!sleeps_on_one) {
        const struct timespec until = time_of(nap->until);
        if (syscall(FUTEX_WAITV, nap->words, nap->count, 0, &until, CLOCK_MONOTONIC) == -1)
            sleeps_on_one = errno == ENOSYS || errno == EPERM;
    }
    if (sleeps_on_one) sleep_on_one(nap);
    nap->count = 0;
    return true;
}
