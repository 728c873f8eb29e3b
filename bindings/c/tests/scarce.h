/* Allocations that fail at random, in this process's library. scarce_linux.c and scarce_windows.c have it. */
#ifndef SHMCV_TEST_SCARCE_H
#define SHMCV_TEST_SCARCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* scarce_prepare is called before a child is started that calls scarce_find. */
void scarce_prepare(void);

/* scarce_find makes the others work in this child, and sends what it prints as errors to its output. It returns false if it
 * cannot. */
bool scarce_find(void);

/* scarce_begin lets one in `one_in` allocations of `from` bytes and more fail from now on. The seed decides which ones.
 * one_in 0 ends it. */
void scarce_begin(uint32_t seed, uint32_t one_in, size_t from);

/* scarce_failures returns how many allocations have failed. */
uint32_t scarce_failures(void);

#endif
