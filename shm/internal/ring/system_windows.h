#include "../sys/bell_windows.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static inline void ring_wake(intptr_t file, uint32_t *word) { shmcv_pair_set(shmcv_bell_pair(file, word)); }

static inline uint32_t ring_value(intptr_t file, const uint32_t *word) {
    return shmcv_bell_listen(shmcv_bell_pair(file, word), word);
}

static inline uint64_t ring_now(void) { return shmcv_monotonic(); }

static inline void ring_yield(void) { SwitchToThread(); }
