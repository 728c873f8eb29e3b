/* See scarce.h. The functions are put into the library's table of imports. */
#include "chance.h"
#include "imports.h"
#include "scarce.h"
#include "test.h"

#include <windows.h>

#include <io.h>

void scarce_begin(uint32_t seed, uint32_t one_in, size_t from) { chance_begin(seed, one_in, from); }
uint32_t scarce_failures(void) { return chance_failures(); }

static bool fails(size_t size) {
    if (!chance_fails(size)) return false;
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return true;
}

static void *(*malloc_before)(size_t);
static void *(*calloc_before)(size_t, size_t);
static void *(*realloc_before)(void *, size_t);
static void *(*aligned_before)(size_t, size_t);
static void *(WINAPI *pages_before)(void *, SIZE_T, DWORD, DWORD);

static void *scarce_malloc(size_t size) { return fails(size) ? NULL : malloc_before(size); }
static void *scarce_calloc(size_t count, size_t size) { return fails(count * size) ? NULL : calloc_before(count, size); }
static void *scarce_realloc(void *memory, size_t size) { return fails(size) ? NULL : realloc_before(memory, size); }
static void *scarce_aligned(size_t size, size_t alignment) { return fails(size) ? NULL : aligned_before(size, alignment); }

/* Small parts, and those that are reserved before, are of Go's runtime, which is not made for a failure of them. */
static void *WINAPI scarce_pages(void *at, SIZE_T size, DWORD kind, DWORD protection) {
    if (at == NULL && (kind & MEM_COMMIT) != 0 && size >= 1 << 20 && fails(size)) return NULL;
    return pages_before(at, size, kind, protection);
}

void scarce_prepare(void) {}

#define REPLACE(library, name, before, by) ((before) = (__typeof__(before))replace_import(library, name, (any_function *)(by)))

bool scarce_find(void) {
    _dup2(1, 2);
    SetStdHandle(STD_ERROR_HANDLE, GetStdHandle(STD_OUTPUT_HANDLE));
    REPLACE("msvcrt.dll", "malloc", malloc_before, scarce_malloc);
    REPLACE("msvcrt.dll", "calloc", calloc_before, scarce_calloc);
    REPLACE("msvcrt.dll", "realloc", realloc_before, scarce_realloc);
    REPLACE("msvcrt.dll", "_aligned_malloc", aligned_before, scarce_aligned);
    REPLACE("kernel32.dll", "VirtualAlloc", pages_before, scarce_pages);
    return malloc_before && calloc_before && realloc_before && aligned_before && pages_before;
}
