#include "bell_windows.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdlib.h>

#define load(word) __atomic_load_n(word, __ATOMIC_SEQ_CST)
#define store(word, value) __atomic_store_n(word, value, __ATOMIC_SEQ_CST)
#define change(word, old, new) __atomic_compare_exchange_n(word, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* A pair's state: in the high half its generation, which grows when the pair is closed; in the low half the references of
 * its owner and of those who use it just now. A thread that comes with an old generation finds no pair, because the handles
 * may be those of other objects of the host's by then: to wait for such an object could take a wake-up from the host. */
typedef struct pair {
    uint64_t state;
    uint32_t used;
    HANDLE events[2];
} pair;

/* Pairs are in blocks, which are made when they are needed, and stay. */
enum { BLOCKS = 1024, IN_BLOCK = 64 };
static pair *blocks[BLOCKS];

static pair *block_at(uint32_t number) {
    pair *there = load(&blocks[number]);
    if (there != NULL) return there;
    pair *made = calloc(IN_BLOCK, sizeof *made);
    if (made == NULL || change(&blocks[number], &there, made)) return made;
    free(made);
    return there;
}

static pair *free_pair(uint32_t *index) {
    for (uint32_t i = 0; i < BLOCKS * IN_BLOCK; i++) {
        pair *block = block_at(i / IN_BLOCK);
        uint32_t unused = 0;
        if (block == NULL) return NULL;
        if (!change(&block[i % IN_BLOCK].used, &unused, 1)) continue;
        *index = i;
        return &block[i % IN_BLOCK];
    }
    return NULL;
}

shmcv_pair shmcv_pair_open(uintptr_t even, uintptr_t odd) {
    uint32_t index = 0;
    pair *made = even == 0 || odd == 0 ? NULL : free_pair(&index);
    if (made == NULL) {
        if (even != 0) CloseHandle((HANDLE)even);
        if (odd != 0) CloseHandle((HANDLE)odd);
        return 0;
    }
    made->events[0] = (HANDLE)even;
    made->events[1] = (HANDLE)odd;
    const uint64_t generation = load(&made->state) >> 32;
    store(&made->state, generation << 32 | 1);
    return generation << 32 | (index + 1);
}

static pair *pair_of(shmcv_pair number) {
    const uint32_t index = (uint32_t)number - 1;
    if (index >= BLOCKS * IN_BLOCK) return NULL;
    pair *block = load(&blocks[index / IN_BLOCK]);
    return block == NULL ? NULL : &block[index % IN_BLOCK];
}

/* use gives a pair with a reference, or NULL if it has been closed. */
static pair *use(shmcv_pair number) {
    pair *found = pair_of(number);
    if (found == NULL) return NULL;
    uint64_t state = load(&found->state);
    do {
        if (state >> 32 != number >> 32 || (uint32_t)state == 0) return NULL;
    } while (!change(&found->state, &state, state + 1));
    return found;
}

static void drop(pair *used) {
    if ((uint32_t)__atomic_sub_fetch(&used->state, 1, __ATOMIC_SEQ_CST) != 0) return;
    CloseHandle(used->events[0]);
    CloseHandle(used->events[1]);
    store(&used->used, 0);
}

void shmcv_pair_close(shmcv_pair number) {
    pair *closed = use(number);
    if (closed == NULL) return;
    __atomic_add_fetch(&closed->state, (uint64_t)1 << 32, __ATOMIC_SEQ_CST);
    SetEvent(closed->events[0]); /* those of this process and others who sleep look again */
    SetEvent(closed->events[1]);
    drop(closed);
    drop(closed);
}

/* Both events are set. The value may have changed more than once since a thread has seen it, and of two processes that ring
 * at once, only one finds the mark. Who has seen the newest value wakes for nothing then, and resets the event. */
void shmcv_pair_set(shmcv_pair number) {
    pair *used = use(number);
    if (used == NULL) return;
    SetEvent(used->events[0]);
    SetEvent(used->events[1]);
    drop(used);
}

void shmcv_pair_reset(shmcv_pair number, uint32_t value) {
    pair *used = use(number);
    if (used == NULL) return;
    ResetEvent(used->events[value & 1]);
    drop(used);
}

/* The event is reset before the last look at the value. So the value that is given changes after the reset, and the event is
 * set after that. If the value has changed before the look, the reset may have come after the event was set, for which another
 * thread is about to sleep: the event is set again. Another thread resets the event too late for this one only if the value has
 * changed twice before this one sleeps: then the sleep lasts for one slice. bell_model_test.go goes through all orders. */
uint32_t shmcv_bell_listen(shmcv_pair number, const uint32_t *value) {
    for (;;) {
        const uint32_t seen = load(value);
        shmcv_pair_reset(number, seen);
        if (load(value) == seen) return seen;
        shmcv_pair_set(number);
    }
}

/* The pairs of alarms stay for the life of the process. */
enum { ALARMS = 64 };
static shmcv_pair alarms[ALARMS];

shmcv_pair shmcv_alarm(const uint32_t *word) {
    const uintptr_t address = (uintptr_t)word;
    shmcv_pair *place = &alarms[(address >> 2 ^ address >> 8 ^ address >> 16) % ALARMS], there = load(place);
    if (there != 0) return there;
    const shmcv_pair made = shmcv_pair_open((uintptr_t)CreateEventW(NULL, TRUE, FALSE, NULL), (uintptr_t)CreateEventW(NULL, TRUE, FALSE, NULL));
    if (made == 0 || change(place, &there, made)) return made;
    shmcv_pair_close(made);
    return there;
}

shmcv_pair shmcv_bell_pair(intptr_t bells, const uint32_t *value) {
    if (bells == -1) return shmcv_alarm(value);
    if (bells == 0) return 0; /* there was no memory for them */
    const shmcv_bells *file = (const shmcv_bells *)bells;
    for (int i = 0; i < SHMCV_MOST_BELLS; i++) {
        const uint32_t *there = load(&file->values[i]);
        if (there == value) return file->pairs[i];
        if (there == NULL) break;
    }
    return 0;
}

static DWORD milliseconds_until(uint64_t until) {
    const uint64_t now = shmcv_monotonic(), most = 1000000;
    if (until <= now) return 0;
    const uint64_t left = (until - now + 999999) / 1000000;
    return (DWORD)(left < most ? left : most);
}

void shmcv_pair_sleep(const shmcv_pair_word *words, uint32_t count, uint64_t until) {
    pair *used[SHMCV_MOST_PAIRS];
    HANDLE events[SHMCV_MOST_PAIRS];
    DWORD n = 0, time = milliseconds_until(until);
    bool closed = false;
    for (uint32_t i = 0; i < count && n < SHMCV_MOST_PAIRS && !closed; i++) {
        if (words[i].pair == 0) { /* there was no memory for the pair: look again soon */
            if (time > 1) time = 1;
            continue;
        }
        used[n] = use(words[i].pair);
        closed = used[n] == NULL;
        if (closed) break;
        events[n] = used[n]->events[words[i].value & 1];
        n++;
    }
    if (closed) {
    } else if (n == 0) {
        Sleep(time);
    } else {
        WaitForMultipleObjects(n, events, FALSE, time);
    }
    while (n > 0) drop(used[--n]);
}

uint64_t shmcv_monotonic(void) {
    enum { SECOND = 1000000000 };
    static uint64_t frequency;
    uint64_t ticks_in_second = __atomic_load_n(&frequency, __ATOMIC_RELAXED);
    LARGE_INTEGER number;
    if (ticks_in_second == 0) {
        QueryPerformanceFrequency(&number);
        ticks_in_second = (uint64_t)number.QuadPart;
        __atomic_store_n(&frequency, ticks_in_second, __ATOMIC_RELAXED);
    }
    QueryPerformanceCounter(&number);
    const uint64_t ticks = (uint64_t)number.QuadPart;
    return ticks / ticks_in_second * SECOND + ticks % ticks_in_second * SECOND / ticks_in_second;
}
