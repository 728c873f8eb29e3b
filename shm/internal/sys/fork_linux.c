#include "fork_linux.h"

#include <pthread.h>
#include <unistd.h>

uint64_t shmcv_descriptors[SHMCV_DESCRIPTORS / 64];
uint32_t shmcv_descriptor_words;
uint32_t shmcv_forks_begun, shmcv_forks_over;

static void begin(void) { __atomic_fetch_add(&shmcv_forks_begun, 1, __ATOMIC_SEQ_CST); }

static void end_in_parent(void) { __atomic_fetch_add(&shmcv_forks_over, 1, __ATOMIC_SEQ_CST); }

/* The child has one thread. Its bits are taken away, because the numbers will be those of other files. The memory stays
 * mapped: the child may hold arrays of it. */
static void end_in_child(void) {
    for (uint32_t i = 0; i < shmcv_descriptor_words; i++) {
        for (uint64_t left = shmcv_descriptors[i]; left != 0; left &= left - 1)
            close((int)(64 * i) + __builtin_ctzll(left));
        if (shmcv_descriptors[i] != 0) shmcv_descriptors[i] = 0;
    }
}

__attribute__((constructor)) static void start(void) { pthread_atfork(begin, end_in_parent, end_in_child); }
