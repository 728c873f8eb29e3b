// Two threads for one file: most codecs have to read a file in order, and have as much to do again with what they read.
// A second thread then reads ahead, into a ring, of the one that asked for the image.
//
// In the bundled OpenCV the linker leads some calls that go into libjpeg-turbo and zlib to jpeg_ahead.c and png_ahead.c
// (--wrap, see scripts/native.sh). Both threads run the libraries' own code in its own order, so that pixels, errors and
// warnings are what one thread would have made.
#ifndef SHMCV_OPS_AHEAD_H
#define SHMCV_OPS_AHEAD_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// The file that this thread is decoding, where a second thread may help: set by ops_decode.
struct ahead_file {
    const unsigned char *content, *end; // NULL: alone
    int threads;                        // that worked on it
};

struct ahead_file *ops_ahead_file(void);

// How far the reader and the one that takes have come, in units of theirs.
struct ahead {
    pthread_t thread;
    size_t capacity; // of the ring
    pthread_mutex_t mutex; // guards:
    pthread_cond_t changed;
    size_t made, released;
    bool ended, unwanted; // nothing will be made any more; nothing will be taken
};

// Starts the reader, run(argument), with a ring of so many units. False where that is of no use, or not to be had.
bool ops_ahead_start(struct ahead *a, size_t capacity, void *(*run)(void *), void *argument);

// For the reader, which has made so many units: waits until there is room for `more`. False when nobody wants them.
bool ops_ahead_room(struct ahead *a, size_t made, size_t more);

// For the reader: hands over what it has made, and says whether that was all.
void ops_ahead_publish(struct ahead *a, size_t made, bool ended);

// For the other side, which has taken so many units and needs none of them any more: waits until more have been made,
// and gives how many that are by now: the same number when the reader has ended.
size_t ops_ahead_more(struct ahead *a, size_t taken);

// For the other side: ends the reader, and waits until it is gone.
void ops_ahead_join(struct ahead *a);

#ifdef __cplusplus
}
#endif
#endif
