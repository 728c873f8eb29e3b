/* Streams: a reader in any process gets the whole frame that a writer publishes. Wrong calls are refused. */
#include "streams.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mark_of returns the value of every byte of a frame, or -1 if the bytes differ. */
static int mark_of(shmcv_frame frame) {
    const unsigned char *data = pixels(frame.pixels, NULL);
    for (int i = 0; i < SIZE; i++)
        if (data[i] != data[0]) return -1;
    return data[0];
}

TEST(stream_is_opened_or_created_and_clears_its_own_name_only) {
    const char *name = new_name();
    shmcv_stream old, young, again = {99};
    shmcv_segment_info info;
    int32_t created = 99;
    NEED_OK(shmcv_stream_open_or_create(name, 100, 3, SHMCV_WHEN_BEHIND_DROP, &old, &created));
    CHECK_INT(1, created);
    NEED_OK(shmcv_stream_open_or_create(name, 4096, 0, SHMCV_WHEN_BEHIND_DROP, &young, &created));
    CHECK_INT(0, created);
    NEED_OK(shmcv_stream_info(young, &info));
    CHECK_INT(3, info.slots);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "4096 bytes", shmcv_stream_open_or_create(name, 4097, 0, SHMCV_WHEN_BEHIND_DROP, &again, NULL));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "4 slots", shmcv_stream_open_or_create(name, 1, 4, SHMCV_WHEN_BEHIND_DROP, &again, NULL));
    CHECK_INT(99, again.handle);
    CHECK_OK(shmcv_stream_close(young));
    CHECK_OK(shmcv_stream_clear(old));
    NEED_OK(shmcv_stream_create(name, 100, 0, SHMCV_WHEN_BEHIND_DROP, &young));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "another", shmcv_stream_clear(old));
    CHECK_OK(shmcv_stream_clear(young));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_clear(name));
}

TEST(published_frame_is_what_readers_get) {
    const char *name = new_name();
    shmcv_stream writer = new_stream(name, 0), reader;
    shmcv_frame frame;
    NEED_OK(shmcv_stream_open(name, 0, &reader));
    CHECK_INT(1, put(writer, 11));
    CHECK_INT(2, put(writer, 22));
    shmcv_frame_info info;
    memset(&info, 0xff, sizeof info);
    NEED_OK(shmcv_stream_wait(reader, 0, -1, &frame, &info));
    CHECK_INT(2, info.sequence);
    CHECK_INT(1, info.missed);
    CHECK(info.time_ns > 0);
    CHECK_INT(WIDTH, info.image.width);
    uint64_t size;
    CHECK(info.data == pixels(frame.pixels, &size)); /* a reader need not ask for the address */
    CHECK(info.size == size && size >= SIZE);
    CHECK_INT(0, info.reserved);
    CHECK_INT(22, mark_of(frame));
    CHECK_INT(3, put(writer, 33));
    CHECK_INT(22, mark_of(frame)); /* the lease keeps the frame until it is closed */
    CHECK_OK(shmcv_frame_close(frame));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_frame_close(frame));
    CHECK_OK(shmcv_stream_wait(reader, info.sequence, 0, &frame, &info));
    CHECK_INT(33, mark_of(frame));
    CHECK_FAILS(SHMCV_E_TIMEOUT, name, shmcv_stream_wait(reader, 3, 1, &frame, NULL));
}

TEST(a_stride_that_is_left_out_is_that_of_packed_rows) {
    shmcv_stream stream = new_stream(new_name(), 0);
    const uint32_t depths[] = {SHMCV_DEPTH_U8, SHMCV_DEPTH_U16, SHMCV_DEPTH_F32};
    for (int i = 0; i < 6; i++) { /* the second time the library knows the image */
        shmcv_frame frame;
        shmcv_image_info image = {.width = 33, .height = 5, .channels = 3, .order = SHMCV_ORDER_RGB, .depth = depths[i % 3]}, found;
        NEED_OK(shmcv_stream_begin(stream, 0, &frame));
        NEED_OK(shmcv_image_set(frame.pixels, &image));
        NEED_OK(shmcv_image_get(frame.pixels, &found));
        CHECK_INT(33 * 3 << i % 3, found.stride);
        image.channels = 4;
        CHECK_FAILS(SHMCV_E_INVALID, "4 channels", shmcv_image_set(frame.pixels, &image));
        NEED_OK(shmcv_frame_publish(frame, NULL));
    }
}

TEST(who_does_not_wait_is_told_at_once) {
    shmcv_stream stream = new_stream(new_name(), 0);
    shmcv_frame frame = {{99}};
    shmcv_frame_info info = {0};
    CHECK_FAILS(SHMCV_E_TIMEOUT, "no frame", shmcv_stream_wait(stream, 0, 0, &frame, &info));
    put(stream, 7);
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_FAILS(SHMCV_E_TIMEOUT, "no frame", shmcv_stream_wait(stream, 1 + i, 0, &frame, &info));
        CHECK_INT(99, frame.pixels.handle);
    }
    NEED_OK(shmcv_stream_end(stream));
    CHECK_FAILS(SHMCV_E_ENDED, "", shmcv_stream_wait(stream, 1, 0, &frame, &info));
    NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, &info));
    CHECK_OK(shmcv_frame_close(frame));
}

TEST(every_function_works_on_a_frame) {
    const char *name = new_name();
    shmcv_stream stream = {0};
    shmcv_frame frame, mirrored;
    shmcv_segment copy = new_segment(640 * 480 * 3);
    shmcv_image_info image;
    NEED_OK(shmcv_probe(testdata("small-bgr.png"), SHMCV_LOAD_COLOR, &image));
    NEED_OK(shmcv_stream_create(name, image.stride * image.height, 0, SHMCV_WHEN_BEHIND_DROP, &stream));
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    CHECK_OK(shmcv_load(frame.pixels, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, NULL));
    CHECK_OK(shmcv_flip(frame.pixels, frame.pixels, SHMCV_FLIP_VERTICAL));
    CHECK_OK(shmcv_flip(frame.pixels, frame.pixels, SHMCV_FLIP_VERTICAL));
    CHECK_OK(shmcv_frame_publish(frame, NULL));

    NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
    NEED_OK(shmcv_load(copy, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, NULL));
    CHECK_INT(0, memcmp(pixels(copy, NULL), pixels(frame.pixels, NULL), image.stride * image.height));
    CHECK_OK(shmcv_save(frame.pixels, temporary("frame.png"), SHMCV_QUALITY_DEFAULT));
    CHECK_OK(shmcv_convert(frame.pixels, copy, SHMCV_ORDER_GRAY));
    unsigned char *outside = malloc(image.stride * image.height);
    CHECK_OK(shmcv_read(frame.pixels, &image, outside, image.stride * image.height, NULL));
    CHECK_INT(0, memcmp(outside, pixels(frame.pixels, NULL), image.stride * image.height));
    shmcv_segment_info info;
    CHECK_OK(shmcv_info(frame.pixels, &info));
    CHECK_INT(1, info.has_image);
    CHECK_INT(4, info.slots);

    /* A call may read a published frame and write a begun frame. No call may write a published frame. */
    NEED_OK(shmcv_stream_begin(stream, 0, &mirrored));
    CHECK_OK(shmcv_flip(frame.pixels, mirrored.pixels, SHMCV_FLIP_HORIZONTAL));
    CHECK_FAILS(SHMCV_E_PERMISSION, "to be read", shmcv_flip(frame.pixels, frame.pixels, SHMCV_FLIP_HORIZONTAL));
    CHECK_FAILS(SHMCV_E_PERMISSION, "to be read", shmcv_write(frame.pixels, &image, outside, image.stride * image.height, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_PERMISSION, "to be read", shmcv_load(frame.pixels, testdata("small-bgr.png"), 0, NULL));
    CHECK_FAILS(SHMCV_E_PERMISSION, "to be read", shmcv_image_set(frame.pixels, &image));
    CHECK_FAILS(SHMCV_E_PERMISSION, "to be read", shmcv_frame_publish(frame, NULL));
    free(outside);
}

/* Writes to a frame of a stream that it reads: with "first" to the first byte, with "last" to the last one. */
CHILD(write_to_frame) {
    (void)argc;
    shmcv_stream stream;
    shmcv_frame frame;
    NEED_OK(shmcv_stream_open(argv[1], 0, &stream));
    NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
    unsigned char *memory = pixels(frame.pixels, NULL);
    NEED(memory[0] == 7 && memory[SIZE - 1] == 7);
    let_fault();
    *(volatile unsigned char *)&memory[strcmp(argv[2], "last") == 0 ? SIZE - 1 : 0] = 8;
    return 0;
}

/* A stray write of a reader ends that process, and the frame stays as it is for all others. */
TEST(frame_that_is_written_to_ends_the_writer_alone) {
    const char *name = new_name();
    const shmcv_stream stream = new_stream(name, 0);
    put(stream, 7);
    for (int last = 0; last < 2; last++) {
        process reader = start("write_to_frame", name, last ? "last" : "first", NULL);
        CHECK_INT(FAULTED, finish(&reader));
    }
    shmcv_frame frame;
    NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
    const unsigned char *memory = pixels(frame.pixels, NULL);
    for (int i = 0; i < SIZE; i++) NEED(memory[i] == 7);
    CHECK_OK(shmcv_frame_close(frame));
}

/* In C the compiler refuses a handle of the wrong kind. A binding passes numbers, as these functions do. */
static shmcv_segment as_segment(uint64_t handle) { return (shmcv_segment){handle}; }
static shmcv_stream as_stream(uint64_t handle) { return (shmcv_stream){handle}; }
static shmcv_frame as_frame(uint64_t handle) { return (shmcv_frame){{handle}}; }

TEST(stream_itself_has_no_pixels) {
    const char *name = new_name();
    shmcv_stream stream = new_stream(name, 0), other;
    shmcv_segment segment = as_segment(stream.handle), opened;
    shmcv_image_info image;
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_image_get(segment, &image));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_data(segment, NULL, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_load(segment, testdata("small-bgr.png"), 0, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_save(segment, temporary("x.png"), -1));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_flip(segment, segment, 0));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_close(segment));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_open(name, &opened));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_frame_publish(as_frame(stream.handle), NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_frame_close(as_frame(stream.handle)));
    CHECK_FAILS(SHMCV_E_INVALID, "frame is NULL", shmcv_stream_begin(stream, 0, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "frame is NULL", shmcv_stream_wait(stream, 0, 0, NULL, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "1 slots", shmcv_stream_create(new_name(), 1, 1, SHMCV_WHEN_BEHIND_DROP, &other));
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_stream_create(new_name(), 1, 2, SHMCV_WHEN_BEHIND_DROP, NULL));
    CHECK_FAILS(SHMCV_E_EXISTS, name, shmcv_stream_create(name, 1, 2, SHMCV_WHEN_BEHIND_DROP, &other));
    CHECK_OK(shmcv_stream_close(stream));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_stream_close(stream));
}

TEST(segment_is_no_stream_and_no_frame) {
    const char *name = new_name();
    shmcv_segment segment;
    shmcv_stream stream;
    shmcv_frame frame;
    shmcv_segment_info info;
    NEED_OK(shmcv_create(name, 100, &segment));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_open(name, 0, &stream));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_begin(as_stream(segment.handle), 0, &frame));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_wait(as_stream(segment.handle), 0, 0, &frame, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_info(as_stream(segment.handle), &info));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_close(as_stream(segment.handle)));
    CHECK_FAILS(SHMCV_E_INVALID, "no frame", shmcv_frame_publish(as_frame(segment.handle), NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "no frame", shmcv_frame_close(as_frame(segment.handle)));
    CHECK_OK(shmcv_close(segment));
}

TEST(frame_is_no_segment_and_no_stream) {
    shmcv_stream stream = new_stream(new_name(), 0);
    shmcv_frame frame;
    uint64_t sequence;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    CHECK_FAILS(SHMCV_E_INVALID, "is a frame", shmcv_close(frame.pixels));
    CHECK_FAILS(SHMCV_E_INVALID, "is a frame", shmcv_stream_close(as_stream(frame.pixels.handle)));
    CHECK_FAILS(SHMCV_E_INVALID, "is a frame", shmcv_sequence(frame.pixels, &sequence));
    CHECK_FAILS(SHMCV_E_INVALID, "is a frame", shmcv_wait(frame.pixels, 0, 0, &sequence));
    CHECK_OK(shmcv_frame_close(frame));
}

TEST(stream_tells_about_itself) {
    const char *name = new_name();
    shmcv_stream stream = new_stream(name, 3);
    shmcv_segment_info info;
    NEED_OK(shmcv_stream_info(stream, &info));
    CHECK_TEXT(name, info.name);
    CHECK_INT(3, info.slots);
    CHECK_INT(0, info.has_image);
    put(stream, 1);
    NEED_OK(shmcv_stream_info(stream, &info));
    CHECK_INT(1, info.has_image);
    CHECK_INT(WIDTH, info.image.width);
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_stream_info(stream, NULL));
}

TEST(frame_that_is_closed_unpublished_is_never_seen) {
    shmcv_stream stream = new_stream(new_name(), 2);
    shmcv_frame frame;
    for (int i = 0; i < 10; i++) {
        NEED_OK(shmcv_stream_begin(stream, 0, &frame));
        CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_frame_publish(frame, NULL));
        CHECK_FAILS(SHMCV_E_BUSY, "begun already", shmcv_stream_begin(stream, 0, &frame));
        CHECK_OK(shmcv_frame_close(frame));
    }
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(stream, 0, 0, &frame, NULL));
}

CHILD(write_for_ever) {
    shmcv_stream stream;
    if (argc != 2 || shmcv_stream_open(argv[1], 0, &stream) != SHMCV_OK) return 1;
    for (unsigned char mark = 0;; mark++) {
        put(stream, mark);
        if (mark == 0) {
            puts("first");
            fflush(stdout);
        }
    }
}

TEST(second_writer_is_refused_until_the_first_ends) {
    const char *name = new_name();
    shmcv_stream stream = new_stream(name, 0);
    shmcv_frame frame;
    char line[100], pid[20];
    process writer = start("write_for_ever", name, NULL);
    NEED(read_line(&writer, line, sizeof line));
    snprintf(pid, sizeof pid, "%d", (int)writer.pid);
    CHECK_FAILS(SHMCV_E_BUSY, pid, shmcv_stream_begin(stream, 0, &frame));
    shmcv_frame_info info = {0};
    for (int i = 0; i < 200; i++) {
        NEED_OK(shmcv_stream_wait(stream, info.sequence, -1, &frame, &info));
        CHECK_INT((unsigned char)(info.sequence - 1), mark_of(frame));
        CHECK_OK(shmcv_frame_close(frame));
    }
    kill_child(&writer);
    CHECK_INT(KILLED, finish(&writer));
    CHECK(put(stream, 7) > info.sequence);
}

static void *wait_for_ever(void *stream) {
    static int32_t status;
    shmcv_frame frame;
    status = shmcv_stream_wait(*(shmcv_stream *)stream, 0, -1, &frame, NULL);
    return &status;
}

TEST(close_ends_a_wait_on_another_thread) {
    shmcv_stream stream = new_stream(new_name(), 0);
    pthread_t waiting;
    NEED(pthread_create(&waiting, NULL, wait_for_ever, &stream) == 0);
    CHECK_OK(shmcv_stream_close(stream));
    void *status;
    NEED(pthread_join(waiting, &status) == 0);
    CHECK_INT(SHMCV_E_CLOSED, *(int32_t *)status);
}

TEST(changed_image_is_told_by_its_sequence) {
    shmcv_segment segment = new_segment(SIZE);
    uint64_t before, after;
    CHECK_OK(shmcv_sequence(segment, &before));
    CHECK_INT(0, before);
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_wait(segment, before, 1, &after));
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    CHECK_OK(shmcv_image_set(segment, &image));
    CHECK_OK(shmcv_flip(segment, segment, SHMCV_FLIP_BOTH));
    CHECK_OK(shmcv_wait(segment, before, -1, &after));
    CHECK_INT(2, after);
    CHECK_FAILS(SHMCV_E_INVALID, "sequence is NULL", shmcv_sequence(segment, NULL));
}

CHILD(creates_and_is_killed) {
    (void)argc;
    shmcv_segment segment;
    NEED_OK(shmcv_create(argv[1], 100, &segment));
    ready_to_be_killed();
}

TEST(sweep_removes_orphans_and_nothing_else) {
    const char *name = new_name(), *kept = new_name();
    char line[32];
    shmcv_segment segment;
    process child = start("creates_and_is_killed", name, NULL);
    NEED(read_line(&child, line, sizeof line));
    NEED_OK(shmcv_create(kept, 100, &segment));
    uint32_t removed = 0;
    CHECK_OK(shmcv_sweep(&removed));
    CHECK(segment_exists(name));
    kill_child(&child);
    CHECK_INT(KILLED, finish(&child));
    CHECK_OK(shmcv_sweep(&removed));
    CHECK(removed >= 1);
    CHECK(!segment_exists(name));
    CHECK(segment_exists(kept));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_open(name, &segment));
    CHECK_OK(shmcv_sweep(NULL));
}

static shmcv_stream stream_of(uint32_t slots, int32_t when_behind, shmcv_stream *reader) {
    const char *name = new_name();
    shmcv_stream stream;
    NEED_OK(shmcv_stream_create(name, SIZE, slots, when_behind, &stream));
    NEED_OK(shmcv_stream_open(name, 0, reader));
    return stream;
}

static void get(shmcv_stream reader, uint64_t sequence, int mark) {
    shmcv_frame frame;
    shmcv_frame_info info;
    NEED_OK(shmcv_stream_wait(reader, 0, 60000, &frame, &info));
    CHECK_INT(sequence, info.sequence);
    CHECK_INT(0, info.missed);
    CHECK_INT(mark, mark_of(frame));
    CHECK_OK(shmcv_frame_close(frame));
}

TEST(reader_of_every_frame_gets_them_in_order) {
    shmcv_stream reader, stream = stream_of(4, SHMCV_WHEN_BEHIND_FAIL, &reader);
    shmcv_frame frame;
    put(stream, 1);
    NEED_OK(shmcv_stream_deliver(reader, SHMCV_DELIVERY_OLDEST));
    for (unsigned char i = 2; i <= 4; i++) CHECK_INT(i, put(stream, i));
    CHECK_FAILS(SHMCV_E_BUSY, "every frame", shmcv_stream_begin(stream, -1, &frame));
    for (int i = 1; i <= 4; i++) get(reader, (uint64_t)i, i);
    CHECK_FAILS(SHMCV_E_TIMEOUT, "no frame", shmcv_stream_wait(reader, 0, 0, &frame, NULL));
    NEED_OK(shmcv_stream_end(stream));
    CHECK_FAILS(SHMCV_E_ENDED, "frame 4", shmcv_stream_wait(reader, 0, -1, &frame, NULL));
    CHECK_FAILS(SHMCV_E_BUSY, "writes to", shmcv_stream_end(reader));
    CHECK_INT(5, put(stream, 5));
    get(reader, 5, 5);
    CHECK_FAILS(SHMCV_E_INVALID, "delivery 9", shmcv_stream_deliver(reader, 9));
    CHECK_FAILS(SHMCV_E_INVALID, "behind", shmcv_stream_create(new_name(), 1, 2, 0, &stream));
}

static void *publish_200(void *of) {
    for (int i = 0; i < 200; i++) {
        shmcv_frame frame;
        const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
        NEED_OK(shmcv_stream_begin(*(shmcv_stream *)of, -1, &frame));
        memset(pixels(frame.pixels, NULL), i, SIZE);
        NEED_OK(shmcv_image_set(frame.pixels, &image));
        NEED_OK(shmcv_frame_publish(frame, NULL));
    }
    return NULL;
}

TEST(writer_waits_for_a_reader_of_every_frame) {
    shmcv_stream reader, stream = stream_of(2, SHMCV_WHEN_BEHIND_BLOCK, &reader);
    NEED_OK(shmcv_stream_deliver(reader, SHMCV_DELIVERY_EVERY));
    pthread_t writer;
    NEED(pthread_create(&writer, NULL, publish_200, &stream) == 0);
    for (int i = 0; i < 200; i++) get(reader, (uint64_t)i + 1, i);
    NEED(pthread_join(writer, NULL) == 0);
    shmcv_frame frame;
    put(stream, 1);
    put(stream, 2);
    CHECK_FAILS(SHMCV_E_BUSY, "every frame", shmcv_stream_begin(stream, 0, &frame));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "20ms", shmcv_stream_begin(stream, 20, &frame));
}

TEST(frame_travels_with_its_story) {
    shmcv_stream reader, stream = stream_of(4, SHMCV_WHEN_BEHIND_DROP, &reader);
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    const unsigned char story[] = "exposure=7";
    unsigned char found[SHMCV_MAX_METADATA + 1] = {0};
    shmcv_frame frame;
    shmcv_frame_info info;
    uint64_t size = 0;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    CHECK_FAILS(SHMCV_E_LIMIT, "1025", shmcv_frame_describe(frame, 1, found, sizeof found));
    CHECK_FAILS(SHMCV_E_INVALID, "metadata is NULL", shmcv_frame_describe(frame, 1, NULL, 1));
    CHECK_OK(shmcv_frame_describe(frame, 123456789, story, sizeof story));
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, NULL));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_frame_describe(frame, 1, story, sizeof story));
    NEED_OK(shmcv_stream_wait(reader, 0, -1, &frame, &info));
    CHECK_INT(123456789, info.capture_time_ns);
    CHECK_INT(sizeof story, info.metadata_size);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "11 bytes", shmcv_frame_metadata(frame, found, 10, &size));
    CHECK_INT(sizeof story, size);
    CHECK_OK(shmcv_frame_metadata(frame, found, sizeof story, &size));
    CHECK(memcmp(found, story, sizeof story) == 0);
    CHECK_FAILS(SHMCV_E_PERMISSION, "", shmcv_frame_describe(frame, 1, story, sizeof story));
    CHECK_FAILS(SHMCV_E_INVALID, "size is NULL", shmcv_frame_metadata(frame, found, sizeof found, NULL));
    CHECK_OK(shmcv_frame_close(frame));
}

TEST(spinning_reader_gets_a_frame_and_its_wait_ends) {
    shmcv_stream reader, stream = stream_of(4, SHMCV_WHEN_BEHIND_DROP, &reader);
    shmcv_frame frame;
    NEED_OK(shmcv_stream_spin(reader, UINT32_MAX));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "20ms", shmcv_stream_wait(reader, 0, 20, &frame, NULL));
    put(stream, 7);
    get(reader, 1, 7);
}

TEST(reader_that_heeds_the_writer_is_told_that_there_is_none) {
    shmcv_stream reader, stream = stream_of(4, SHMCV_WHEN_BEHIND_DROP, &reader);
    shmcv_frame frame;
    NEED_OK(shmcv_stream_heed_writer(reader, 1));
    CHECK_FAILS(SHMCV_E_WRITER_GONE, "newest frame is 0", shmcv_stream_wait(reader, 0, -1, &frame, NULL));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "write", shmcv_stream_wait_writer(reader, 10));
    put(stream, 1);
    CHECK_OK(shmcv_stream_wait_writer(reader, -1));
    get(reader, 1, 1);
    CHECK_FAILS(SHMCV_E_TIMEOUT, "no frame", shmcv_stream_wait(reader, 1, 10, &frame, NULL));
    CHECK_OK(shmcv_stream_close(stream));
    CHECK_FAILS(SHMCV_E_WRITER_GONE, "newest frame is 1", shmcv_stream_wait(reader, 1, -1, &frame, NULL));
    NEED_OK(shmcv_stream_heed_writer(reader, 0));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "no frame", shmcv_stream_wait(reader, 1, 10, &frame, NULL));
}

/* overtake has the writer begin a frame in every slot but the newest's. */
static void overtake(shmcv_stream writer, int slots) {
    for (int i = 0; i < slots; i++) put(writer, 99);
}

TEST(overtaken_reader_is_told_by_every_function) {
    shmcv_stream party, reader, writer = stream_of(2, SHMCV_WHEN_BEHIND_DROP, &party);
    shmcv_segment_info stream_info;
    NEED_OK(shmcv_stream_info(writer, &stream_info));
    NEED_OK(shmcv_stream_open_read_only(stream_info.name, 0, &reader));
    put(writer, 1);
    shmcv_frame frame, held;
    shmcv_frame_info info;
    NEED_OK(shmcv_stream_wait(party, 0, 0, &held, &info));
    CHECK_INT(1, info.held);
    CHECK_OK(shmcv_frame_check(held));
    CHECK_OK(shmcv_frame_close(held));
    memset(&info, 0xff, sizeof info);
    NEED_OK(shmcv_stream_wait(reader, 0, 0, &frame, &info));
    CHECK_INT(0, info.held);
    CHECK_INT(1, mark_of(frame));
    CHECK_OK(shmcv_frame_check(frame));
    CHECK_FAILS(SHMCV_E_PERMISSION, "to be read", shmcv_image_set(frame.pixels, &info.image));
    CHECK_OK(shmcv_frame_close(frame));

    NEED_OK(shmcv_stream_wait(reader, 0, 0, &frame, NULL));
    overtake(writer, 2);
    unsigned char copy[SIZE];
    uint64_t size;
    void *data = copy;
    shmcv_image_info image;
    shmcv_segment_info segment_info;
    shmcv_segment dst = new_segment(SIZE);
    NEED_OK(shmcv_image_set(dst, &info.image));
    NEED_OK(shmcv_info(dst, &segment_info));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_frame_check(frame));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_data(frame.pixels, &data, NULL));
    CHECK(data == copy);
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_image_get(frame.pixels, &image));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_read(frame.pixels, NULL, copy, SIZE, NULL));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_flip(frame.pixels, dst, SHMCV_FLIP_VERTICAL));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_convert(frame.pixels, dst, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_save(frame.pixels, temporary("overtaken.png"), SHMCV_QUALITY_DEFAULT));
    CHECK(fopen(temporary("overtaken.png"), "rb") == NULL);
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_show("window", frame.pixels));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_frame_metadata(frame, copy, SIZE, &size));
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "frame 1", shmcv_frame_close(frame));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_frame_close(frame)); /* it was closed all the same */
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_frame_check(frame));
    CHECK_OK(shmcv_image_get(dst, &image)); /* nothing has been written to it */

    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_stream_begin(reader, 0, &frame));
    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_stream_end(reader));
    NEED_OK(shmcv_stream_deliver(reader, SHMCV_DELIVERY_OLDEST));
    NEED_OK(shmcv_stream_wait(reader, 0, 0, &frame, &info));
    CHECK_INT(2, info.sequence);
    CHECK_OK(shmcv_frame_close(frame));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_open_read_only(segment_info.name, 0, &reader));
    CHECK_FAILS(SHMCV_E_INVALID, "", shmcv_frame_check((shmcv_frame){dst}));

    shmcv_stream blocking = stream_of(2, SHMCV_WHEN_BEHIND_BLOCK, &party);
    NEED_OK(shmcv_stream_info(blocking, &stream_info));
    NEED_OK(shmcv_stream_open_read_only(stream_info.name, 0, &reader));
    CHECK_FAILS(SHMCV_E_PERMISSION, "0660", shmcv_stream_deliver(reader, SHMCV_DELIVERY_EVERY));
}

CHILD(publishes_at_full_speed) {
    (void)argc;
    shmcv_stream stream;
    NEED_OK(shmcv_stream_open(argv[1], 0, &stream));
    for (int i = 0; i < 20000; i++) put(stream, (unsigned char)i);
    CHECK_OK(shmcv_stream_end(stream));
    return failed_checks();
}

TEST(frame_that_is_judged_whole_is_whole) {
    const char *name = new_name();
    shmcv_stream reader, created;
    NEED_OK(shmcv_stream_create(name, SIZE, 2, SHMCV_WHEN_BEHIND_DROP, &created));
    NEED_OK(shmcv_stream_open_read_only(name, 0, &reader));
    process writer = start("publishes_at_full_speed", name, NULL);
    shmcv_frame_info info = {0};
    int whole = 0, overtaken = 0, torn = 0;
    for (;;) {
        shmcv_frame frame;
        const int32_t status = shmcv_stream_wait(reader, info.sequence, 60000, &frame, &info);
        if (status == SHMCV_E_ENDED) break;
        NEED_OK(status);
        void *data;
        if (shmcv_data(frame.pixels, &data, NULL) == SHMCV_OK) {
            const volatile unsigned char *bytes = data;
            bool differs = false;
            for (int i = 0; i < SIZE; i++) differs = differs || bytes[i] != (unsigned char)(info.sequence - 1);
            const int32_t check = shmcv_frame_check(frame), close = shmcv_frame_close(frame);
            if (check == SHMCV_OK) whole++;
            else overtaken++;
            torn += differs && check == SHMCV_OK;
            CHECK(check == SHMCV_OK || (check == SHMCV_E_OVERTAKEN && close == check));
        } else {
            overtaken++;
            CHECK_INT(SHMCV_E_OVERTAKEN, shmcv_frame_close(frame));
        }
    }
    CHECK_INT(0, torn);
    CHECK(whole > 0);
    CHECK_INT(0, finish(&writer));
}

TEST(reader_of_a_replaced_stream_is_told_and_follows) {
    const char *name = new_name();
    shmcv_stream old = new_stream(name, 0), reader, next, follower = {0};
    shmcv_frame frame;
    shmcv_frame_info info;
    NEED_OK(shmcv_stream_open(name, 0, &reader));
    NEED_OK(shmcv_stream_deliver(reader, SHMCV_DELIVERY_EVERY));
    put(old, 1);
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "still", shmcv_stream_follow(reader, 0, &follower));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "still", shmcv_stream_follow(reader, 10, &follower));
    CHECK_FAILS(SHMCV_E_INVALID, "out", shmcv_stream_follow(reader, 0, NULL));
    NEED_OK(shmcv_clear(name));
    put(old, 2);
    next = new_stream(name, 0);
    get(reader, 1, 1); /* what is there comes first */
    get(reader, 2, 2);
    CHECK_FAILS(SHMCV_E_REPLACED, "frame 2 was the last", shmcv_stream_wait(reader, 2, -1, &frame, &info));
    CHECK_FAILS(SHMCV_E_REPLACED, name, shmcv_stream_begin(old, 0, &frame));
    put(next, 3);
    put(next, 4);
    NEED_OK(shmcv_stream_follow(reader, -1, &follower));
    get(follower, 1, 3);
    get(follower, 2, 4);
    CHECK_OK(shmcv_stream_close(reader));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_stream_follow(reader, -1, &follower));
    CHECK_OK(shmcv_stream_close(old));
    CHECK_OK(shmcv_stream_close(next));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(follower, 2, 1, &frame, NULL));
}

static void *make_it(void *name) {
    shmcv_stream *made = malloc(sizeof *made);
    NEED_OK(shmcv_stream_create(name, SIZE, 0, SHMCV_WHEN_BEHIND_DROP, made));
    return made;
}

TEST(open_waits_for_the_stream) {
    const char *name = new_name();
    shmcv_stream opened = {0}, *made;
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_stream_open(name, 0, &opened));
    CHECK_FAILS(SHMCV_E_TIMEOUT, name, shmcv_stream_open(name, 10, &opened));
    CHECK_FAILS(SHMCV_E_INVALID, "a slash", shmcv_stream_open("not/plain", -1, &opened));
    pthread_t maker;
    NEED(pthread_create(&maker, NULL, make_it, (void *)name) == 0);
    CHECK_OK(shmcv_stream_open(name, -1, &opened));
    pthread_join(maker, (void **)&made);
    put(*made, 5);
    get(opened, 1, 5);
    free(made);
}

static void *close_it(void *stream) {
    CHECK_OK(shmcv_stream_close(*(shmcv_stream *)stream));
    return NULL;
}

TEST(close_ends_the_wait_for_a_stream_to_follow) {
    shmcv_stream stream = new_stream(new_name(), 0), next;
    pthread_t closer;
    NEED(pthread_create(&closer, NULL, close_it, &stream) == 0);
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_stream_follow(stream, -1, &next));
    pthread_join(closer, NULL);
}

TEST(descriptor_is_readable_when_there_is_something_for_the_reader) {
    const char *name = new_name();
    shmcv_stream writer = new_stream(name, 0), reader;
    shmcv_frame frame;
    NEED_OK(shmcv_stream_open(name, 0, &reader));
    CHECK_FAILS(SHMCV_E_INVALID, "descriptor", shmcv_stream_descriptor(reader, NULL));
    const int64_t descriptor = descriptor_of(reader);
    CHECK(readable(descriptor, 0)); /* nobody has looked yet */
    nothing_newer(reader, 0);
    CHECK(!readable(descriptor, 0));
    nothing_newer(reader, 0);
    CHECK(!readable(descriptor, 0));
    put(writer, 1);
    CHECK(readable(descriptor, MINUTE));
    get(reader, 1, 1);
    CHECK(readable(descriptor, 0)); /* until a look finds nothing */
    nothing_newer(reader, 1);
    CHECK(!readable(descriptor, 0));
    nothing_newer(reader, 5); /* another look, for other frames */
    put(writer, 2);
    CHECK(!readable(descriptor, 10));
    nothing_newer(reader, 2);
    put(writer, 3);
    CHECK(readable(descriptor, MINUTE));

    nothing_newer(reader, 3);
    NEED_OK(shmcv_stream_heed_writer(reader, 1)); /* which may be something to tell */
    CHECK(readable(descriptor, 0));
    nothing_newer(reader, 3);
    NEED_OK(shmcv_clear(name));
    nothing_newer(reader, 3);
    CHECK(!readable(descriptor, 10));
    shmcv_stream other = new_stream(name, 0);
    CHECK(readable(descriptor, MINUTE));
    CHECK_FAILS(SHMCV_E_REPLACED, "", shmcv_stream_wait(reader, 3, 0, &frame, NULL));
    CHECK(readable(descriptor, 0));

    const int64_t of_other = descriptor_of(other);
    nothing_newer(other, 0);
    NEED_OK(shmcv_stream_end(other));
    CHECK(readable(of_other, MINUTE));
    CHECK_FAILS(SHMCV_E_ENDED, "", shmcv_stream_wait(other, 0, 0, &frame, NULL));
    CHECK_OK(shmcv_stream_close(other));
}

