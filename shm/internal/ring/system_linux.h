#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ring_wake wakes who sleeps on a word of a file. */
static inline void ring_wake(intptr_t file, uint32_t *word) {
    (void)file;
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ring_value gives the word's value, on which the caller may sleep from then on. */
static inline uint32_t ring_value(intptr_t file, const uint32_t *word) {
    (void)file;
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline uint64_t ring_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void ring_yield(void) { sched_yield(); }
