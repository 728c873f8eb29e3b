/* A library for LD_PRELOAD: malloc and its like, and mmap, fail at random once scarce_memory_begin has been called. They fail in
 * all threads, as they do in a process that has reached a limit. scarce_linux.c uses it. */
#define _GNU_SOURCE
#include "chance.h"

#include <dlfcn.h>
#include <sys/mman.h>

/* scarce_memory_begin lets one in `one_in` allocations of `from` bytes and more fail from now on. The seed decides which ones.
 * one_in 0 ends it. */
void scarce_memory_begin(uint32_t seed, uint32_t one_in, size_t from);

/* scarce_memory_failures returns how many allocations have failed. */
uint32_t scarce_memory_failures(void);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void scarce_memory_begin(uint32_t seed, uint32_t one_in, size_t from) { chance_begin(seed, one_in, from); }
uint32_t scarce_memory_failures(void) { return chance_failures(); }

void *malloc(size_t size) { return chance_fails(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return chance_fails(count * size) ? NULL : __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return chance_fails(size) ? NULL : __libc_realloc(memory, size); }
void *aligned_alloc(size_t alignment, size_t size) { return chance_fails(size) ? NULL : __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { return chance_fails(size) ? NULL : __libc_memalign(alignment, size); }

/* Unlike the others, posix_memalign does not promise to set errno. */
int posix_memalign(void **memory, size_t alignment, size_t size) {
    const int kept = errno;
    void *found = chance_fails(size) ? NULL : __libc_memalign(alignment, size);
    errno = kept;
    if (found == NULL) return ENOMEM;
    *memory = found;
    return 0;
}

/* Small mappings are those of Go's runtime, which is not made for a failure of them. */
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    static void *(*true_mmap)(void *, size_t, int, int, int, off_t);
    if (true_mmap == NULL) *(void **)&true_mmap = dlsym(RTLD_NEXT, "mmap");
    if (at == NULL && protection != PROT_NONE && size >= 1 << 20 && chance_fails(size)) return MAP_FAILED;
    return true_mmap(at, size, protection, flags, file, offset);
}
