// Two threads for one file: most codecs have to read and write a file in order, and have as much to do again with its
// pixels. One thread then works ahead of the other, into a ring: a second one reads ahead of the one that asked for the
// image, or writes behind the one that gave it.
//
// In the bundled OpenCV the linker leads some calls that go into libjpeg-turbo and zlib to jpeg_ahead.c, png_ahead.c and
// jpeg_behind.cpp (--wrap, see scripts/native.sh). Both threads run the libraries' own code in its own order, so that
// pixels, files, errors and warnings are what one thread would have made.
#ifndef SHMCV_OPS_AHEAD_H
#define SHMCV_OPS_AHEAD_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// The file that this thread is at, where a second thread may help: set by ops_decode and ops_encode.
struct ahead_file {
    const unsigned char *content, *end; // that is decoded, or NULL
    bool encoded;                       // with neither: alone
    int threads;                        // that worked on it
};

struct ahead_file *ops_ahead_file(void);

// How far the one that makes and the one that takes have come, in units of theirs.
struct ahead {
    pthread_t thread;
    size_t capacity; // of the ring
    pthread_mutex_t mutex; // guards:
    pthread_cond_t changed;
    size_t made, released;
    bool ended, unwanted; // nothing will be made any more; nothing will be taken
};

// Starts the second thread, run(argument), with a ring of so many units. False where that is of no use, or not to be had.
bool ops_ahead_start(struct ahead *a, size_t capacity, void *(*run)(void *), void *argument);

// For the one that makes, and has made so many units: waits until there is room for `more`. False when nobody wants them.
bool ops_ahead_room(struct ahead *a, size_t made, size_t more);

// For the one that makes: hands over what it has made, and says whether that was all.
void ops_ahead_publish(struct ahead *a, size_t made, bool ended);

// For the one that takes, has taken so many units, and needs none of them any more: waits until more have been made, and
// gives how many that are by now: the same number when no more will be.
size_t ops_ahead_more(struct ahead *a, size_t taken);

// For the first thread: has the second end, when that makes, and waits until it is gone.
void ops_ahead_join(struct ahead *a);

#ifdef __cplusplus
}
#endif
#endif
