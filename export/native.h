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
typedef const unsigned char in_byte;

/* A thread looks at its host on its first call, and again once in this many calls. */
enum { SHMCV_LOOK_EVERY = 64 };

/* What a call must put back when it leaves. */
typedef struct shmcv_entry {
    bool masked;
    shmcv_host_state host;
} shmcv_entry;

/* shmcv_refuse_forked sets the message for a call in a forked child, and gives its code. */
int32_t shmcv_refuse_forked(void);

/* shmcv_enter opens the gate before each call into Go. It gives SHMCV_OK, or the code that the caller gets instead. */
static inline int32_t shmcv_enter(shmcv_entry *entry) {
    if (__builtin_expect(shmcv_forked, false)) return shmcv_refuse_forked();
    unsigned call = shmcv_calls++;
    if (call % SHMCV_LOOK_EVERY == 0) shmcv_look_at_host();
    entry->masked = call == 0 || __atomic_load_n(&shmcv_masks, __ATOMIC_RELAXED);
    if (entry->masked) shmcv_mask(&entry->host);
    return SHMCV_OK;
}

/* shmcv_leave closes the gate after the call. */
static inline void shmcv_leave(const shmcv_entry *entry) {
    if (entry->masked) shmcv_unmask(&entry->host);
}

/* shmcv_set_error keeps a message for shmcv_last_error on this thread. It cuts the message at a whole UTF-8
 * character. */
void shmcv_set_error(const char *message, size_t length);

#endif
