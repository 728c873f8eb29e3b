/* Which allocations fail: for scarce_memory.c and scarce_windows.c, which make them fail. */
#ifndef SHMCV_TEST_CHANCE_H
#define SHMCV_TEST_CHANCE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static uint64_t state;
static size_t least;
static uint32_t rate, failures;

/* chance_begin does what scarce_begin in scarce.h says. */
static inline void chance_begin(uint32_t seed, uint32_t one_in, size_t from) {
    __atomic_store_n(&least, from, __ATOMIC_RELAXED);
    __atomic_store_n(&state, (uint64_t)seed << 32, __ATOMIC_RELAXED);
    __atomic_store_n(&rate, one_in, __ATOMIC_RELAXED);
}

static inline uint32_t chance_failures(void) { return __atomic_load_n(&failures, __ATOMIC_RELAXED); }

/* chance_fails takes the next number of the generator splitmix64, and sets errno if the allocation is to fail. */
static inline bool chance_fails(size_t size) {
    const uint32_t one_in = __atomic_load_n(&rate, __ATOMIC_RELAXED);
    if (one_in == 0 || size < __atomic_load_n(&least, __ATOMIC_RELAXED)) return false;
    uint64_t n = __atomic_add_fetch(&state, 0x9E3779B97F4A7C15, __ATOMIC_RELAXED);
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9;
    n = (n ^ n >> 27) * 0x94D049BB133111EB;
    if ((n ^ n >> 31) % one_in != 0) return false;
    __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return true;
}

#endif
