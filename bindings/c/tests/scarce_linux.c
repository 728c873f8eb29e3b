/* See scarce.h. The allocations are those of a library that LD_PRELOAD names, scarce_memory.c. */
#define _GNU_SOURCE
#include "scarce.h"
#include "test.h"

#include <dlfcn.h>
#include <unistd.h>

static void (*begin)(uint32_t seed, uint32_t one_in, size_t from);
static uint32_t (*count)(void);

void scarce_prepare(void) { set_variable("LD_PRELOAD", SCARCE_MEMORY); }

bool scarce_find(void) {
    dup2(STDOUT_FILENO, STDERR_FILENO);
    *(void **)&begin = dlsym(RTLD_DEFAULT, "scarce_memory_begin");
    *(void **)&count = dlsym(RTLD_DEFAULT, "scarce_memory_failures");
    return begin != NULL && count != NULL;
}

void scarce_begin(uint32_t seed, uint32_t one_in, size_t from) { begin(seed, one_in, from); }
uint32_t scarce_failures(void) { return count(); }
