/* A library for LD_PRELOAD: malloc and its like, and mmap, fail at random once scarce_memory_begin has been called. They fail in
 * all threads, as they do in a process that has reached a limit. scarce_linux.c uses it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
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

static uint64_t state;
static size_t least;
static uint32_t rate, failures;

void scarce_memory_begin(uint32_t seed, uint32_t one_in, size_t from) {
    __atomic_store_n(&least, from, __ATOMIC_RELAXED);
    __atomic_store_n(&state, (uint64_t)seed << 32, __ATOMIC_RELAXED);
    __atomic_store_n(&rate, one_in, __ATOMIC_RELAXED);
}

uint32_t scarce_memory_failures(void) { return __atomic_load_n(&failures, __ATOMIC_RELAXED); }

/* fails takes the next number of the generator splitmix64. */
static int fails(size_t size) {
    const uint32_t one_in = __atomic_load_n(&rate, __ATOMIC_RELAXED);
    if (one_in == 0 || size < __atomic_load_n(&least, __ATOMIC_RELAXED)) return 0;
    uint64_t n = __atomic_add_fetch(&state, 0x9E3779B97F4A7C15, __ATOMIC_RELAXED);
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9;
    n = (n ^ n >> 27) * 0x94D049BB133111EB;
    if ((n ^ n >> 31) % one_in != 0) return 0;
    __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return fails(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails(count * size) ? NULL : __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return fails(size) ? NULL : __libc_realloc(memory, size); }
void *aligned_alloc(size_t alignment, size_t size) { return fails(size) ? NULL : __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { return fails(size) ? NULL : __libc_memalign(alignment, size); }

/* Unlike the others, posix_memalign does not promise to set errno. */
int posix_memalign(void **memory, size_t alignment, size_t size) {
    const int kept = errno;
    void *found = fails(size) ? NULL : __libc_memalign(alignment, size);
    errno = kept;
    if (found == NULL) return ENOMEM;
    *memory = found;
    return 0;
}

/* Small mappings are those of Go's runtime, which is not made for a failure of them. */
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    static void *(*true_mmap)(void *, size_t, int, int, int, off_t);
    if (true_mmap == NULL) *(void **)&true_mmap = dlsym(RTLD_NEXT, "mmap");
    if (at == NULL && protection != PROT_NONE && size >= 1 << 20 && fails(size)) return MAP_FAILED;
    return true_mmap(at, size, protection, flags, file, offset);
}
