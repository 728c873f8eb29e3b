/* Which descriptors of shared-memory files this process has open. A forked child closes its copies of them.
 *
 * A lock belongs to an open file description, and the kernel drops it with the last descriptor. A child has a copy of
 * every descriptor of its parent. While the child has the copies, a parent that is dead still has its locks. */
#ifndef SHMCV_FORK_H
#define SHMCV_FORK_H

#include <stdint.h>

/* As many as a process can have open, unless the administrator has raised fs.nr_open. Descriptors beyond are not
 * noted. */
enum { SHMCV_DESCRIPTORS = 1 << 20 };

/* A bit for each descriptor: of the number fd, bit fd % 64 of word fd / 64. Only the pages that are written to take
 * memory. */
extern uint64_t shmcv_descriptors[SHMCV_DESCRIPTORS / 64];

/* The words that have ever had a bit. */
extern uint32_t shmcv_descriptor_words;

/* How many forks have begun, and how many of them are over. */
extern uint32_t shmcv_forks_begun, shmcv_forks_over;

#endif
