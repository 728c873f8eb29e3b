/* How a function that waits sleeps: outside Go, on events. shm/internal/sys/bell_windows.h tells why on events. */
#include "host.h"

#include "../shm/internal/sys/bell_windows.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <string.h>

_Static_assert(sizeof(shmcv_pair_word) == sizeof(shmcv_word), "a word is a pair of events and a value");

unsigned shmcv_processors = 1;

__attribute__((constructor)) static void count_processors(void) {
    const DWORD found = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    if (found > 0) shmcv_processors = found;
}

/* A word of this process alone may have changed since the caller has read it. Then there is nothing to sleep on, and the sleep
 * ends at once. */
shmcv_word shmcv_word_of(intptr_t file, uint32_t *address, uint32_t value) {
    shmcv_pair_word word = {shmcv_bell_pair(file, address), value, 0};
    if (file == SHMCV_NO_FILE && shmcv_bell_listen(word.pair, address) != value) word = (shmcv_pair_word){SHMCV_NO_PAIR, 0, 0};
    shmcv_word opaque;
    memcpy(&opaque, &word, sizeof opaque);
    return opaque;
}

uint64_t shmcv_now(void) { return shmcv_monotonic(); }

bool shmcv_sleep(shmcv_nap *nap) {
    if (nap->count == 0) return false;
    shmcv_pair_sleep((const shmcv_pair_word *)nap->words, nap->count, nap->until);
    nap->count = 0;
    return true;
}
