/* What the exports need of C: types that Go cannot spell, the gate that every call passes, and the message of a
 * thread's last error. */
#ifndef SHMCV_NATIVE_H
#define SHMCV_NATIVE_H

#define SHMCV_BUILDING
#include "../include/shmcv.h"
#include "host.h"
#include "try.h"

/* cgo drops const from signatures. By these names bindings/gen knows what a function only reads. */
typedef const char in_char;
typedef const shmcv_image_info in_image_info;
typedef const shmcv_access in_access;
typedef const shmcv_load_options in_load_options;
typedef const unsigned char in_byte;

/* A thread looks at its host on its first call, and again once in this many calls. */
enum { SHMCV_LOOK_EVERY = 64 };

/* What a call must put back when it leaves. */
typedef struct shmcv_entry {
    bool masked;
    shmcv_host_state host;
} shmcv_entry;

/* SHMCV_IN_COPY is the address of the copy's own function or variable of that name; see shmcv_copy_distance. */
#define SHMCV_IN_COPY(thing) ((__typeof__(&(thing)))((char *)&(thing) + __atomic_load_n(&shmcv_copy_distance, __ATOMIC_ACQUIRE)))

/* shmcv_admit sees to it that a call in a forked child may go to the copy: it refuses a handle of the parent's, and
 * opens the copy. It gives SHMCV_OK, or the code that the caller gets, and sets the message. */
int32_t shmcv_admit(const uint64_t *handles, size_t count);

/* SHMCV_PASS_ON begins each function that needs Go, or what Go has made. In a forked child it calls the function of
 * that name in the copy, with these arguments, and returns what that returns. Behind the arguments stand the numbers
 * of the handles among them. */
#define SHMCV_PASS_ON(function, arguments, ...)                                                                         \
    do {                                                                                                                \
        if (__builtin_expect(shmcv_forked, false)) {                                                                    \
            const uint64_t handles[] = {0, ##__VA_ARGS__};                                                              \
            int32_t refused = shmcv_admit(handles, sizeof handles / sizeof *handles);                                   \
            return refused ? refused : SHMCV_IN_COPY(function) arguments;                                               \
        }                                                                                                               \
    } while (0)

/* shmcv_enter opens the gate before each call into Go. */
static inline void shmcv_enter(shmcv_entry *entry) {
    unsigned call = shmcv_calls++;
    if (call % SHMCV_LOOK_EVERY == 0) shmcv_look_at_host();
    entry->masked = call == 0 || __atomic_load_n(&shmcv_masks, __ATOMIC_RELAXED);
    if (entry->masked) shmcv_mask(&entry->host);
}

/* shmcv_leave closes the gate after the call. */
static inline void shmcv_leave(const shmcv_entry *entry) {
    if (entry->masked) shmcv_unmask(&entry->host);
}

/* shmcv_set_error keeps a message for shmcv_last_error on this thread. It cuts the message at a whole UTF-8
 * character. */
void shmcv_set_error(const char *message, size_t length);

/* In a copy for a forked child: shmcv_set_error of the library that callers call, which keeps all messages. */
extern void (*shmcv_error_setter)(const char *message, size_t length);

#endif
