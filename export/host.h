/* What the library, a guest, needs of its host: a process with an operating system and a runtime of its own. Each
 * system has its own files behind this header (host_*.c, sleep_*.c). docs/host-safety.md tells why. */
#ifndef SHMCV_HOST_H
#define SHMCV_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True in a forked child. Go's other threads do not exist there, so Go must not be entered. */
extern bool shmcv_forked;

/* How many forks lie between this process and the one that loaded the library. A handle has this number in its highest
 * 8 bits, so that a child knows the handles that it inherited. */
extern uint32_t shmcv_forks;

/* In a forked child: how many bytes behind each function and variable of this library the same one of the copy is,
 * which works in this process. 0: no copy is open yet. */
extern intptr_t shmcv_copy_distance;

/* shmcv_open_copy opens the copy, unless it is open. It gives SHMCV_OK, or the code for the caller, and sets the
 * message. */
int32_t shmcv_open_copy(void);

/* shmcv_give_back_signals gives a forked child the dispositions of signals that Go has in the parent. It is called
 * in the handler of pthread_atfork. */
void shmcv_give_back_signals(void);

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

/* shmcv_note_start says that Go's start is over: its poller is made, or there were too few descriptors for it. */
void shmcv_note_start(void);

/* shmcv_restore_host gives the host back what Go's start has taken from it and does not need. Calls after the first
 * have no effect. */
void shmcv_restore_host(void);

/* What a thread sleeps on. It is sys.Word, which means something to the system only. */
typedef struct shmcv_word {
    uint64_t storage[3];
} shmcv_word;

/* As many words as the system lets a thread sleep on. */
#ifdef _WIN32
enum { SHMCV_MOST_WORDS = 64 };
#else
enum { SHMCV_MOST_WORDS = 128 };
#endif

/* A function that waits asks its shim by this to sleep, and to call it again with the same nap. It is shm.Nap, which
 * tells why Go does not sleep itself. */
typedef struct shmcv_nap {
    uint32_t count;    /* how many words to sleep on; 0 if there is no need to sleep, and the call is over */
    uint32_t heeds;    /* Go's own */
    uint64_t until;    /* sleep only until this time; the clock is the one of shmcv_frame_info */
    uint64_t soon;     /* and only until this time, if the system cannot sleep on all words */
    uint64_t deadline; /* Go's own */
    shmcv_word words[SHMCV_MOST_WORDS];
} shmcv_nap;

/* shmcv_nap_begin makes a nap for the first call. It leaves the words as they are, which are most of it. */
static inline void shmcv_nap_begin(shmcv_nap *nap) {
    nap->count = nap->heeds = 0;
    nap->until = nap->soon = nap->deadline = 0;
}

/* shmcv_word_of makes a word to sleep on for as long as the number at address is value. The number is in a mapping of an open
 * file, whose number by the system is file; SHMCV_NO_FILE if nobody but this process changes the number. */
enum { SHMCV_NO_FILE = -1 };
shmcv_word shmcv_word_of(intptr_t file, uint32_t *address, uint32_t value);

/* shmcv_now gives the time until which a nap lasts. */
uint64_t shmcv_now(void);

/* How many processors there are. */
extern unsigned shmcv_processors;

/* shmcv_sleep sleeps as the nap says, and sets count to 0. It returns false if there is no need to sleep. */
bool shmcv_sleep(shmcv_nap *nap);

#endif
