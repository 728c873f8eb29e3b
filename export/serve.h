/* The thread that serves the descriptors of streams; see shm/descriptor.go. */
#ifndef SHMCV_SERVE_H
#define SHMCV_SERVE_H

#include <stdbool.h>

/* shmcv_start_serving starts the thread. It returns false if the system gives none. A thread that was started before has
 * ended, or has nothing left to do but end. Calls do not overlap. */
bool shmcv_start_serving(void);

#endif
