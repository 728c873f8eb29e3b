/* What the library, a guest, needs of its host: a process with an operating system and a runtime of its own. Each
 * system has its own file behind this header (host_linux.c, sleep_linux.c). docs/host-safety.md tells why. */
#ifndef SHMCV_HOST_H
#define SHMCV_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True in a forked child. Go's other threads do not exist there, so Go must not be entered. */
extern bool shmcv_forked;

/* True if this host needs something held back while one of its threads is in Go. */
extern bool shmcv_masks;

/* How many calls this thread has made. */
extern __thread unsigned shmcv_calls;

/* Storage for what a call must put back. Only the system's file knows what is in it; it checks that there is room. */
typedef struct shmcv_host_state {
    uint64_t storage[16];
} shmcv_host_state;

/* shmcv_look_at_host finds out how the host is now, and sets shmcv_masks. */
void shmcv_look_at_host(void);

/* shmcv_mask holds back what must not happen while this thread is in Go, and keeps in state how it was. */
void shmcv_mask(shmcv_host_state *state);

/* shmcv_unmask puts back what shmcv_mask kept. */
void shmcv_unmask(const shmcv_host_state *state);

/* shmcv_reserve_descriptors keeps as many file descriptors as Go's poller takes, and returns false if there are not so
 * many left. Kept descriptors stay until shmcv_free_descriptors. Calls do not overlap. */
bool shmcv_reserve_descriptors(void);
void shmcv_free_descriptors(void);

/* shmcv_restore_host gives the host back what Go's start has taken from it and does not need. Calls after the first
 * have no effect. */
void shmcv_restore_host(void);

/* A function that waits asks its shim by this to sleep, and to call it again with the same nap. It is shm.Nap, which
 * tells why Go does not sleep itself. */
typedef struct shmcv_nap {
    const void *word;  /* what to sleep on; NULL if there is no need to sleep, and the call is over */
    uint32_t value;    /* sleep only as long as word has this value */
    uint64_t until;    /* and only until this time; the clock is the one of shmcv_frame_info */
    uint64_t deadline; /* Go's own */
} shmcv_nap;

/* shmcv_sleep sleeps as the nap says, and sets word to NULL. It returns false if there is no need to sleep. */
bool shmcv_sleep(shmcv_nap *nap);

#endif
