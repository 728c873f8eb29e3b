#include "memory_windows.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

uintptr_t shmcv_open_section(const uint16_t *name, uint32_t access, uint32_t *error) {
    const HANDLE section = OpenFileMappingW(access, FALSE, (const wchar_t *)name);
    *error = section == NULL ? GetLastError() : 0;
    return (uintptr_t)section;
}

uint64_t shmcv_commit_left(void) {
    MEMORYSTATUSEX status = {.dwLength = sizeof status};
    return GlobalMemoryStatusEx(&status) ? status.ullAvailPageFile : UINT64_MAX;
}

/* A page file that the system manages grows, to three times the size of physical memory, when memory is asked for. */
uint64_t shmcv_commit_most(void) {
    MEMORYSTATUSEX status = {.dwLength = sizeof status};
    return GlobalMemoryStatusEx(&status) ? status.ullTotalPageFile + 3 * status.ullTotalPhys : UINT64_MAX;
}
