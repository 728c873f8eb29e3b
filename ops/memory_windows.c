#include "memory.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

void *ops_memory_take(size_t size) { return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }

void ops_memory_give_back(void *memory, size_t size) {
    (void)size;
    VirtualFree(memory, 0, MEM_RELEASE);
}
