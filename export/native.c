/* The part of the library that works without Go; see native.h and cside.go. */
#include "native.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thread's message is on the heap from its first error on. In a __thread variable the message would for ever take
 * most of the little static TLS that all libraries share that are opened at run time. Go makes this library use
 * static TLS. */
static pthread_key_t last_error;
static bool have_last_error;

__attribute__((constructor)) static void start(void) {
    have_last_error = pthread_key_create(&last_error, free) == 0;
}

/* message_of_thread gives SHMCV_MESSAGE_SIZE bytes. If the thread has none yet, it makes them if they are wanted. It gives
 * NULL if there are none. */
static char *message_of_thread(bool wanted) {
    if (!have_last_error) return NULL;
    char *message = pthread_getspecific(last_error);
    if (message != NULL || !wanted) return message;
    message = calloc(1, SHMCV_MESSAGE_SIZE);
    if (message != NULL && pthread_setspecific(last_error, message) == 0) return message;
    free(message);
    return NULL;
}

/* cut gives the greatest length, up to limit, at which text ends with a whole UTF-8 character. */
static size_t cut(const char *text, size_t length, size_t limit) {
    if (length <= limit) return length;
    while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80) limit--;
    return limit;
}

void (*shmcv_error_setter)(const char *message, size_t length);

void shmcv_set_error(const char *message, size_t length) {
    if (shmcv_error_setter != NULL) {
        shmcv_error_setter(message, length);
        return;
    }
    char *kept = message_of_thread(true);
    if (kept == NULL) return;
    length = cut(message, length, SHMCV_MESSAGE_SIZE - 1);
    memcpy(kept, message, length);
    kept[length] = '\0';
}

int32_t shmcv_admit(const uint64_t *handles, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (handles[i] == 0 || handles[i] >> 56 >= shmcv_forks) continue;
        static const char refusal[] = "shmcv: handle %#" PRIx64 " belongs to the process that this one was forked from, "
                                      "which got it before the fork; open the name again in this process";
        char message[256];
        int length = snprintf(message, sizeof message, refusal, handles[i]);
        shmcv_set_error(message, (size_t)length);
        return SHMCV_E_FORKED;
    }
    return __atomic_load_n(&shmcv_copy_distance, __ATOMIC_ACQUIRE) != 0 ? SHMCV_OK : shmcv_open_copy();
}

int32_t shmcv_last_error(char *buf, uint64_t capacity) {
    if (buf == NULL || capacity == 0) return SHMCV_E_INVALID;
    const char *message = message_of_thread(false);
    if (message == NULL) message = "";
    size_t length = cut(message, strlen(message), (size_t)capacity - 1);
    memcpy(buf, message, length);
    buf[length] = '\0';
    return SHMCV_OK;
}

const char *shmcv_version(void) { return SHMCV_VERSION; }

uint32_t shmcv_abi_version(void) { return (uint32_t)SHMCV_ABI_MAJOR << 16 | SHMCV_ABI_MINOR; }
