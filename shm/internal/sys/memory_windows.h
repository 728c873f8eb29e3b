/* Sections of the page file, as far as golang.org/x/sys/windows lacks the calls. */
#ifndef SHMCV_MEMORY_WINDOWS_H
#define SHMCV_MEMORY_WINDOWS_H

#include <stdint.h>

/* shmcv_open_section gives a handle with those rights to the section of a name (UTF-16), or 0 and the system's error. */
uintptr_t shmcv_open_section(const uint16_t *name, uint32_t access, uint32_t *error);

/* shmcv_commit_left gives how much memory the system still promises to this process; UINT64_MAX if it does not tell. */
uint64_t shmcv_commit_left(void);

/* shmcv_commit_most gives how much memory the system can ever promise, if nothing else has any; UINT64_MAX if it does not tell. */
uint64_t shmcv_commit_most(void);

#endif
