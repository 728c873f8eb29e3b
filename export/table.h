/* Handles of streams and frames, which C resolves by itself, so that a frame changes hands without Go. Those of all other
 * objects are Go's (handles.go), which tells them apart by SHMCV_IN_C. */
#ifndef SHMCV_TABLE_H
#define SHMCV_TABLE_H

#include "ring.h" /* a link to the ring's: Go's cache does not know of headers that are outside of the package's folder */
#include "host.h"

#include <stdint.h>

/* What an item is. */
enum { SHMCV_ANY = 0, SHMCV_STREAM = 1, SHMCV_FRAME = 2 };

/* The bit of a handle by which Go knows that it is one of this table. */
enum { SHMCV_IN_C = 1u << 30 };

/* What a handle stands for. Each user has a reference, and so does an open handle. */
typedef struct shmcv_item {
    uint64_t word; /* shmcv_forks, how often the item was given out, whether its handle is open, and the references */
    uint32_t kind;
    uint32_t index;
    shmcv_ring *ring;          /* of a stream: Go's party */
    struct shmcv_item *stream; /* of a frame: its stream, with a reference */
    shmcv_ring_frame frame;
} shmcv_item;

/* shmcv_item_reserve gives an item to be made a stream or a frame, or given back. It gives NULL if there is no memory. */
shmcv_item *shmcv_item_reserve(void);
void shmcv_item_give_back(shmcv_item *reserved);

/* shmcv_item_make_stream makes a reserved item a stream, and gives its handle, which is open. */
uint64_t shmcv_item_make_stream(shmcv_item *reserved, shmcv_ring *ring);

/* shmcv_item_make_frame makes a reserved item, whose field frame the caller has filled, a frame of that stream, and gives its
 * handle, which is open. It takes over the caller's reference to the stream. */
uint64_t shmcv_item_make_frame(shmcv_item *reserved, shmcv_item *stream);

/* shmcv_item_use gives the item of an open handle, with a reference, if it is of that kind. Otherwise it gives NULL. */
shmcv_item *shmcv_item_use(uint64_t handle, uint32_t kind);

/* shmcv_item_close closes a handle of that kind, and gives the item with the handle's reference; NULL as above. */
shmcv_item *shmcv_item_close(uint64_t handle, uint32_t kind);

/* shmcv_item_drop gives a reference back. A frame without one gives its slot back. If a stream is left without one, drop
 * returns the stream's party, which is Go's to release. Otherwise it returns NULL. */
shmcv_ring *shmcv_item_drop(shmcv_item *item);

/* Threads that wait on a handle sleep on one of these words too, which grows when a handle is closed. Handles share them, so
 * that a thread may be woken for another handle's sake, which is rare enough. Go sees a word as a shm.Alarm. */
enum { SHMCV_CLOSINGS = 64 };
extern uint32_t shmcv_closings[SHMCV_CLOSINGS];
static inline uint32_t *shmcv_closing_of(uint64_t handle) { return &shmcv_closings[(uint32_t)handle % SHMCV_CLOSINGS]; }

#endif
