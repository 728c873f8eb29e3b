// Memory of the system's, for what has the size of a file or an image.
#ifndef SHMCV_OPS_MEMORY_H
#define SHMCV_OPS_MEMORY_H
#include <stddef.h>

// Returns size bytes, all zero, or NULL. The system gives each page when it is touched first.
void *ops_memory_take(size_t size);

// Gives back all that ops_memory_take has returned for that size.
void ops_memory_give_back(void *memory, size_t size);

#endif
