/* What tests of streams begin with. */
#ifndef SHMCV_TEST_STREAMS_H
#define SHMCV_TEST_STREAMS_H

#include "test.h"

#include <string.h>

enum { MINUTE = 60000 };
enum { WIDTH = 320, HEIGHT = 240, SIZE = WIDTH * HEIGHT };

static inline shmcv_stream new_stream(const char *name, uint32_t slots) {
    shmcv_stream stream = {0};
    NEED_OK(shmcv_stream_create(name, SIZE, slots, SHMCV_WHEN_BEHIND_DROP, &stream));
    return stream;
}

/* put publishes a gray frame in which every byte is mark. It returns the frame's sequence. */
static inline uint64_t put(shmcv_stream stream, unsigned char mark) {
    shmcv_frame frame;
    uint64_t sequence = 0;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    memset(pixels(frame.pixels, NULL), mark, SIZE);
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, &sequence));
    return sequence;
}

static inline int64_t descriptor_of(shmcv_stream stream) {
    int64_t number = -1, again = -1;
    NEED_OK(shmcv_stream_descriptor(stream, &number));
    CHECK_OK(shmcv_stream_descriptor(stream, &again));
    CHECK_INT(number, again);
    return number;
}

/* nothing_newer looks for a frame in vain, as a program does whose descriptor was readable. */
static inline void nothing_newer(shmcv_stream stream, uint64_t newer_than) {
    shmcv_frame frame;
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(stream, newer_than, 0, &frame, NULL));
}

#endif
