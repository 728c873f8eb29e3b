/* A neighbour may cut a file at any time, also between the look at its length and a touch of its memory. The touch is then
 * a bus error, which would end the host. Code between SHMCV_FAULTS and SHMCV_SAFE goes on at SHMCV_FAULTS instead.
 *
 *     shmcv_guard guard;
 *     if (SHMCV_FAULTS(guard)) return "the memory has gone";
 *     ... touch the memory, and call no function that must not be left by a jump ...
 *     SHMCV_SAFE(guard);
 */
#ifndef SHMCV_GUARD_H
#define SHMCV_GUARD_H

#ifdef _WIN32

/* Nobody can make a section shorter: memory that was mapped once stays. */
typedef int shmcv_guard;
#define SHMCV_FAULTS(guard) ((void)(guard), 0)
#define SHMCV_SAFE(guard) ((void)(guard))

#else

#include <setjmp.h>

typedef struct shmcv_guard {
    struct shmcv_guard *outer;
    jmp_buf jump;
} shmcv_guard;

/* The guard that this thread is in, or NULL. */
extern __thread shmcv_guard *shmcv_guarded;

/* SHMCV_FAULTS is false, and true when a touch of memory has failed. It is not the compiler's __builtin_setjmp, which would take
 * a tenth of the time: GCC thinks that only calls jump there, and leaves out where a touch of memory would. */
#define SHMCV_FAULTS(guard) ((guard).outer = shmcv_guarded, _setjmp((guard).jump) ? (shmcv_guarded = (guard).outer, 1) : \
                             (__atomic_store_n(&shmcv_guarded, &(guard), __ATOMIC_RELEASE), __atomic_signal_fence(__ATOMIC_SEQ_CST), 0))
#define SHMCV_SAFE(guard) (__atomic_signal_fence(__ATOMIC_SEQ_CST), __atomic_store_n(&shmcv_guarded, (guard).outer, __ATOMIC_RELEASE))

#endif

#endif
