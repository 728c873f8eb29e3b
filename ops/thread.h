// Threads of our own in somebody else's process. What they need of the operating system is behind these functions.
#ifndef SHMCV_OPS_THREAD_H
#define SHMCV_OPS_THREAD_H
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// Returns true if the calling thread may run on more than one processor, or if that cannot be known.
bool ops_several_processors(void);

// Keeps signals off the calling thread, and off the threads that it starts from now on: the handlers are the host's,
// and so are the threads that they expect to run on. Signals that report a fault of the thread itself still arrive.
void ops_thread_hold_signals(void);

struct ops_thread;

// Starts a thread that runs run(argument), with a small stack, and with signals held as above. Returns NULL if the
// system gives no thread or no memory.
struct ops_thread *ops_thread_start(void (*run)(void *), void *argument);

// Waits until the thread has ended, and frees it.
void ops_thread_join(struct ops_thread *thread);

struct ops_monitor; // a lock, and the means to wait for a change of what it guards

struct ops_monitor *ops_monitor_new(void); // NULL without memory
void ops_monitor_free(struct ops_monitor *monitor);
void ops_monitor_lock(struct ops_monitor *monitor);
void ops_monitor_unlock(struct ops_monitor *monitor);

// Releases the lock, waits for ops_monitor_wake on another thread, and takes the lock again. May also return without
// one.
void ops_monitor_wait(struct ops_monitor *monitor);
void ops_monitor_wake(struct ops_monitor *monitor); // one thread

#ifdef __cplusplus
}
#endif
#endif
