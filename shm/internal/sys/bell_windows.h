/* Bells and alarms on Windows, where no call sleeps on a word in memory until another process changes it. Beside the
 * word stand two events, and a thread that has seen a value sleeps on the event of the value's parity. Go's side is
 * bell_windows.go; export/sleep_windows.c and the ring call these functions too. */
#ifndef SHMCV_BELL_WINDOWS_H
#define SHMCV_BELL_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

/* The number of a pair of events in this process; 0 is no pair. It names the pair until shmcv_pair_close, and no other
 * pair afterwards, so that a thread may go to sleep on a pair that has been closed meanwhile. */
typedef uint64_t shmcv_pair;

/* shmcv_pair_open takes two events (HANDLE) over. It gives 0, and closes them, if there is no memory. */
shmcv_pair shmcv_pair_open(uintptr_t even, uintptr_t odd);
void shmcv_pair_close(shmcv_pair pair);

/* shmcv_pair_set wakes all who sleep on the pair. shmcv_pair_reset prepares a sleep of who has seen the value. */
void shmcv_pair_set(shmcv_pair pair);
void shmcv_pair_reset(shmcv_pair pair, uint32_t value);

/* shmcv_alarm gives the pair of a word that only this process changes. Words share pairs, so that a thread may be woken
 * for another word's sake. */
shmcv_pair shmcv_alarm(const uint32_t *word);

/* The bells of an open file, by the addresses of their values. sys.File.Number gives a pointer to one. */
enum { SHMCV_MOST_BELLS = 64 };
typedef struct shmcv_bells {
    uint32_t *values[SHMCV_MOST_BELLS];
    shmcv_pair pairs[SHMCV_MOST_BELLS];
} shmcv_bells;

/* shmcv_bell_pair gives the pair of one of a file's bells. -1 instead of a file gives that of an alarm. */
shmcv_pair shmcv_bell_pair(intptr_t bells, const uint32_t *value);

/* shmcv_bell_listen gives the value on which the caller may sleep from then on. The caller has set the bell's mark. */
uint32_t shmcv_bell_listen(shmcv_pair pair, const uint32_t *value);

/* What a thread sleeps on: shmcv_word in export/host.h, and sys.Word. */
typedef struct shmcv_pair_word {
    shmcv_pair pair;
    uint64_t value, unused;
} shmcv_pair_word;

/* A pair that has been closed: a sleep on it ends at once. */
#define SHMCV_NO_PAIR UINT32_MAX

/* As many objects as a thread can wait for. */
enum { SHMCV_MOST_PAIRS = 64 };

/* shmcv_pair_sleep sleeps until one of the words' events is set, or until the time until. It returns at once if a pair has
 * been closed. */
void shmcv_pair_sleep(const shmcv_pair_word *words, uint32_t count, uint64_t until);

/* shmcv_monotonic gives the time of QueryPerformanceCounter in nanoseconds, which all processes share. */
uint64_t shmcv_monotonic(void);

#endif
