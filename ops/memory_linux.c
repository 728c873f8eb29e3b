#define _GNU_SOURCE
#include "memory.h"

#include <sys/mman.h>

void *ops_memory_take(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// munmap cannot fail for a whole mapping, but for one case: a process that has all the mappings that it may have cannot
// split one, and the kernel has joined this one with its neighbours. Then its pages go back, and the addresses stay.
void ops_memory_give_back(void *memory, size_t size) {
    if (munmap(memory, size) != 0) madvise(memory, size, MADV_DONTNEED);
}
