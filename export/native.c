/* The part of the library that works without Go: see native.h and cside.go. */
#include "native.h"

#include <pthread.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024 };

static __thread char last_error[MESSAGE_SIZE];

bool shmcv_forked;

static void note_fork(void) { shmcv_forked = true; }

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, note_fork); }

/* cut gives the greatest length up to limit at which text ends with a whole character. */
static size_t cut(const char *text, size_t length, size_t limit) {
    if (length <= limit) return length;
    while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80) limit--;
    return limit;
}

void shmcv_set_error(const char *message, size_t length) {
    length = cut(message, length, MESSAGE_SIZE - 1);
    memcpy(last_error, message, length);
    last_error[length] = '\0';
}

int32_t shmcv_refuse_forked(void) {
    static const char message[] =
        "shmcv: this process was forked from one that had loaded the library, whose threads do not exist here; "
        "start it by exec instead (Python: multiprocessing's \"spawn\" or \"forkserver\" method)";
    shmcv_set_error(message, sizeof message - 1);
    return SHMCV_E_FORKED;
}

int32_t shmcv_last_error(char *buf, uint64_t capacity) {
    if (buf == NULL || capacity == 0) return SHMCV_E_INVALID;
    size_t length = cut(last_error, strlen(last_error), (size_t)capacity - 1);
    memcpy(buf, last_error, length);
    buf[length] = '\0';
    return SHMCV_OK;
}

const char *shmcv_version(void) { return SHMCV_VERSION; }

uint32_t shmcv_abi_version(void) { return (uint32_t)SHMCV_ABI_MAJOR << 16 | SHMCV_ABI_MINOR; }
