#include "jpeg_ring.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg.h"
#include "thread.h"

typedef short block[64];

enum { CACHE_LINE = 64 }; // what vector instructions want MCUs aligned to

static block *blocks_of(const struct ops_ring *ring) {
    return (block *)(((uintptr_t)ring->memory + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1));
}

bool ops_ring_start(struct ops_ring *ring, size_t blocks, void (*run)(void *), void *argument) {
    *ring = (struct ops_ring){.blocks = blocks};
    if (!ops_several_processors()) return false;
    const size_t size = blocks * sizeof(block);
    ring->batch = OPS_RING_BYTES / OPS_RING_BATCHES / size;
    ring->capacity = OPS_RING_BATCHES * ring->batch;
    ring->memory = calloc(1, ring->capacity * size + CACHE_LINE);
    ring->monitor = ops_monitor_new();
    if (ring->memory && ring->monitor) ring->thread = ops_thread_start(run, argument);
    if (ring->thread) {
        ops_jpeg_file()->threads = 2;
        return true;
    }
    ops_ring_free(ring);
    return false;
}

void ops_ring_point(const struct ops_ring *ring, size_t n, block *mcu[]) {
    block *first = blocks_of(ring) + n % ring->capacity * ring->blocks;
    for (size_t i = 0; i < ring->blocks; i++) mcu[i] = first + i;
}

// A thread that has to wait is woken when there is half a ring to do.

bool ops_ring_room(struct ops_ring *ring, size_t made) {
    ops_monitor_lock(ring->monitor);
    if (made + ring->batch - ring->released > ring->capacity)
        while (!ring->unwanted && made - ring->released > ring->capacity / 2) ops_monitor_wait(ring->monitor);
    const bool wanted = !ring->unwanted;
    ops_monitor_unlock(ring->monitor);
    return wanted;
}

void ops_ring_publish(struct ops_ring *ring, size_t made, bool ended) {
    ops_monitor_lock(ring->monitor);
    ring->made = made;
    ring->ended = ended;
    if (ended || made - ring->released >= ring->capacity / 2) ops_monitor_wake(ring->monitor);
    ops_monitor_unlock(ring->monitor);
}

size_t ops_ring_more(struct ops_ring *ring, size_t taken) {
    ops_monitor_lock(ring->monitor);
    ring->released = taken;
    if (ring->made - taken <= ring->capacity / 2) ops_monitor_wake(ring->monitor);
    if (ring->made == taken)
        while (!ring->ended && ring->made - taken < ring->capacity / 2) ops_monitor_wait(ring->monitor);
    const size_t made = ring->made;
    ops_monitor_unlock(ring->monitor);
    return made;
}

void ops_ring_join(struct ops_ring *ring) {
    ops_monitor_lock(ring->monitor);
    ring->unwanted = true;
    ops_monitor_wake(ring->monitor);
    ops_monitor_unlock(ring->monitor);
    ops_thread_join(ring->thread);
}

void ops_ring_free(struct ops_ring *ring) {
    ops_monitor_free(ring->monitor);
    free(ring->memory);
}
