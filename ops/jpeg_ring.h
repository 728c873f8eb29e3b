// Two threads for one file. A codec has to read or write a file in order, and has as much to do again with the pixels.
// One thread works ahead of the other, into a ring: it reads ahead of the thread that wants the image, or the other
// writes behind the thread that has the image. Both run libjpeg's own code in its own order, so that pixels, files,
// errors and warnings are what one thread would have made.
#ifndef SHMCV_OPS_JPEG_RING_H
#define SHMCV_OPS_JPEG_RING_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OPS_RING_BYTES = 8 * (48 << 10), OPS_RING_BATCHES = 8 }; // the second cache of a core holds it

// A ring of MCUs: the units (16 x 16 pixels, mostly) that libjpeg's entropy coder works on. One thread makes MCUs, the
// other takes them; they wake each other after a batch, and not at every MCU.
struct ops_ring {
    size_t blocks;          // of an MCU
    size_t batch, capacity; // in MCUs
    void *memory;           // the MCUs
    struct ops_thread *thread;
    struct ops_monitor *monitor; // guards:
    size_t made, released;       // MCUs
    bool ended, unwanted;        // no more will be made; no more will be taken
};

// Makes a ring of zeros for MCUs of so many blocks, and starts the second thread, run(argument), which sees it. Returns
// false if a second thread is of no use, or not to be had; then there is nothing to free.
bool ops_ring_start(struct ops_ring *ring, size_t blocks, void (*run)(void *), void *argument);

// Points at the blocks of the n-th MCU, counted from the beginning of the file.
void ops_ring_point(const struct ops_ring *ring, size_t n, short (*mcu[])[64]);

// For the thread that makes, when it has made `made` MCUs: waits until there is room for a batch more. Returns false if
// no more are wanted.
bool ops_ring_room(struct ops_ring *ring, size_t made);

// For the thread that makes: hands over the first `made` MCUs, and says whether they were all.
void ops_ring_publish(struct ops_ring *ring, size_t made, bool ended);

// For the thread that takes, when it needs none of the first `taken` MCUs any more: waits until more have been made.
// Returns how many have been made: `taken`, if no more will be.
size_t ops_ring_more(struct ops_ring *ring, size_t taken);

// For the first thread: ends the second one, if that makes, and waits until it has ended. The ring's MCUs stay.
void ops_ring_join(struct ops_ring *ring);

// After the join.
void ops_ring_free(struct ops_ring *ring);

#ifdef __cplusplus
}
#endif
#endif
