/* What the exports need from C: the types that Go cannot spell, the gate that every call passes (fork check, signal
 * mask), and the thread's error message. */
#ifndef SHMCV_NATIVE_H
#define SHMCV_NATIVE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define SHMCV_BUILDING
#include "../include/shmcv.h"

/* cgo drops const from signatures; through these names bindings/gen knows what is only read. */
typedef const char in_char;
typedef const shmcv_image_info in_image_info;
typedef const unsigned char in_byte;

/* Set in the child by pthread_atfork: Go's other threads do not exist there, so Go must not be entered. */
extern bool shmcv_forked;

/* Whether this host handles SIGRTMIN, with a handler that must not find a goroutine's stack under it (host_linux.c). */
extern bool shmcv_masks;

/* How many calls this thread has made. */
extern __thread unsigned shmcv_calls;

/* A thread looks again at what the host does with SIGRTMIN on its first call and once in so many. */
enum { SHMCV_LOOK_EVERY = 64 };

/* What a call has to put back when it leaves. */
typedef struct shmcv_entry {
    bool masked;
    sigset_t mask;
} shmcv_entry;

int32_t shmcv_refuse_forked(void);
void shmcv_look_at_host(void);
void shmcv_mask(shmcv_entry *entry);
void shmcv_unmask(const shmcv_entry *entry);

/* shmcv_enter opens the gate before each call into Go: SHMCV_OK, or the code that the caller gets instead. */
static inline int32_t shmcv_enter(shmcv_entry *entry) {
    if (__builtin_expect(shmcv_forked, false)) return shmcv_refuse_forked();
    unsigned call = shmcv_calls++;
    if (call % SHMCV_LOOK_EVERY == 0) shmcv_look_at_host();
    entry->masked = call == 0 || __atomic_load_n(&shmcv_masks, __ATOMIC_RELAXED);
    if (entry->masked) shmcv_mask(entry);
    return SHMCV_OK;
}

/* What a call that waits asks its shim for: to sleep, and to call again with the same nap. Where word is NULL the call is
 * over. It is shm.Nap, which tells why Go does not sleep itself. */
typedef struct shmcv_nap {
    const void *word;
    uint32_t value;
    uint64_t until; /* CLOCK_MONOTONIC, nanoseconds */
    uint64_t deadline;
} shmcv_nap;

/* shmcv_sleep does so; false when it was not asked to (sleep_linux.c). */
bool shmcv_sleep(shmcv_nap *nap);

/* shmcv_leave closes it. */
static inline void shmcv_leave(const shmcv_entry *entry) {
    if (entry->masked) shmcv_unmask(entry);
}

/* shmcv_restore_host gives the host back the signals that Go took from it (host_linux.c). */
void shmcv_restore_host(void);

/* shmcv_set_error keeps a message for shmcv_last_error on this thread; it is cut at a whole UTF-8 character. */
void shmcv_set_error(const char *message, size_t length);

#endif
