/* Wait sets: one thread waits on many streams and segments. A close on another thread ends every kind of wait. */
#include "test.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

enum { WIDTH = 16, HEIGHT = 16, SIZE = WIDTH * HEIGHT, STREAMS = 200 };

static shmcv_stream new_stream(void) {
    shmcv_stream stream = {0};
    NEED_OK(shmcv_stream_create(new_name(), SIZE, 0, SHMCV_WHEN_BEHIND_DROP, &stream));
    return stream;
}

static void put(shmcv_stream stream) {
    shmcv_frame frame;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, NULL));
}

static shmcv_wait_set new_set(void) {
    shmcv_wait_set set = {0};
    NEED_OK(shmcv_wait_set_create(&set));
    return set;
}

/* over returns the key of the one wait that is over. */
static uint64_t over(shmcv_wait_set set) {
    uint64_t keys[2] = {0, 0}, count = 0;
    NEED_OK(shmcv_wait_set_wait(set, -1, keys, 2, &count));
    CHECK_INT(1, count);
    return keys[0];
}

TEST(one_thread_waits_on_streams_and_segments) {
    shmcv_wait_set set = new_set();
    shmcv_stream left = new_stream(), right = new_stream();
    shmcv_segment segment = new_segment(SIZE);
    uint64_t keys[4], count;
    NEED_OK(shmcv_wait_set_add_stream(set, left, 0, 1));
    NEED_OK(shmcv_wait_set_add_stream(set, right, 0, 2));
    NEED_OK(shmcv_wait_set_add_segment(set, segment, 0, 3));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "3 waits", shmcv_wait_set_wait(set, 1, keys, 4, &count));
    put(right);
    CHECK_INT(2, over(set));
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_image_set(segment, &image));
    CHECK_INT(3, over(set));
    CHECK_OK(shmcv_wait_set_remove(set, 1));
    put(left);
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "key 1", shmcv_wait_set_remove(set, 1));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_wait_set_wait(set, 0, keys, 4, &count));
    CHECK_OK(shmcv_wait_set_close(set));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_wait_set_wait(set, 0, keys, 4, &count));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_wait_set_close(set));
}

TEST(wrong_calls_are_refused) {
    shmcv_wait_set set = new_set();
    shmcv_stream stream = new_stream();
    shmcv_segment segment = new_segment(SIZE);
    uint64_t key, count;
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_wait_set_create(NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "keys is NULL", shmcv_wait_set_wait(set, 0, NULL, 1, &count));
    CHECK_FAILS(SHMCV_E_INVALID, "count is NULL", shmcv_wait_set_wait(set, 0, &key, 1, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "capacity is 0", shmcv_wait_set_wait(set, 0, &key, 0, &count));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_wait_set_add_segment(set, (shmcv_segment){stream.handle}, 0, 1));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_wait_set_add_stream(set, (shmcv_stream){segment.handle}, 0, 1));
    CHECK_FAILS(SHMCV_E_INVALID, "is a wait set", shmcv_close((shmcv_segment){set.handle}));
    CHECK_FAILS(SHMCV_E_INVALID, "is a stream", shmcv_wait_set_close((shmcv_wait_set){stream.handle}));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_wait_set_add_stream(set, (shmcv_stream){0}, 0, 1));
    CHECK_OK(shmcv_wait_set_add_stream(set, stream, 0, 1));
    CHECK_FAILS(SHMCV_E_EXISTS, "key 1", shmcv_wait_set_add_segment(set, segment, 0, 1));
}

static void *wait_for_key(void *set) {
    static uint64_t key;
    key = over(*(shmcv_wait_set *)set);
    return &key;
}

TEST(what_is_added_during_a_wait_is_waited_for) {
    shmcv_wait_set set = new_set();
    shmcv_stream stream = new_stream();
    pthread_t waiting;
    NEED(pthread_create(&waiting, NULL, wait_for_key, &set) == 0);
    CHECK_OK(shmcv_wait_set_add_stream(set, stream, 0, 7));
    put(stream);
    void *key;
    NEED(pthread_join(waiting, &key) == 0);
    CHECK_INT(7, *(uint64_t *)key);
}

TEST(close_of_a_stream_ends_its_waits_in_a_set) {
    shmcv_wait_set set = new_set();
    shmcv_stream stream = new_stream(), other = new_stream();
    NEED_OK(shmcv_wait_set_add_stream(set, other, 0, 1));
    NEED_OK(shmcv_wait_set_add_stream(set, stream, 0, 2));
    NEED_OK(shmcv_stream_close(stream));
    CHECK_INT(2, over(set));
}

/* A wait of another thread, as far as it has come. */
typedef struct waiter {
    int32_t (*wait)(void *handle);
    void *handle;
    int32_t status;
    pthread_t thread;
} waiter;

static int32_t wait_on_stream(void *stream) {
    shmcv_frame frame;
    return shmcv_stream_wait(*(shmcv_stream *)stream, 0, -1, &frame, NULL);
}

static int32_t wait_on_segment(void *segment) { return shmcv_wait(*(shmcv_segment *)segment, 1000, -1, NULL); }

static int32_t wait_on_set(void *set) {
    uint64_t key, count;
    return shmcv_wait_set_wait(*(shmcv_wait_set *)set, -1, &key, 1, &count);
}

static void *run(void *argument) {
    waiter *w = argument;
    w->status = w->wait(w->handle);
    return NULL;
}

static void check_that_close_ends_waits(int rounds) {
    for (int i = 0; i < rounds; i++) {
        shmcv_stream stream = new_stream();
        shmcv_segment segment = new_segment(SIZE);
        shmcv_wait_set set = new_set();
        waiter waiters[] = {{wait_on_stream, &stream, 0, 0}, {wait_on_segment, &segment, 0, 0}, {wait_on_set, &set, 0, 0}};
        for (int k = 0; k < 3; k++) NEED(pthread_create(&waiters[k].thread, NULL, run, &waiters[k]) == 0);
        CHECK_OK(shmcv_stream_close(stream));
        CHECK_OK(shmcv_close(segment));
        CHECK_OK(shmcv_wait_set_close(set));
        for (int k = 0; k < 3; k++) {
            NEED(pthread_join(waiters[k].thread, NULL) == 0);
            CHECK_INT(SHMCV_E_CLOSED, waiters[k].status);
        }
    }
}

TEST(close_ends_waits_of_other_threads) { check_that_close_ends_waits(200); }

TEST(more_streams_than_the_kernel_waits_on_are_all_told) {
    shmcv_wait_set set = new_set();
    shmcv_stream streams[STREAMS];
    for (uint64_t i = 0; i < STREAMS; i++) {
        streams[i] = new_stream();
        NEED_OK(shmcv_wait_set_add_stream(set, streams[i], 0, i));
    }
    for (uint64_t i = 0; i < STREAMS; i++) {
        put(streams[i]);
        CHECK_INT(i, over(set));
    }
}

CHILD(wait_without_futex_waitv) {
    if (argc != 2 || !refuse_futex_waitv((unsigned)atoi(argv[1]))) return 77;
    shmcv_wait_set set = new_set();
    shmcv_stream streams[3];
    for (uint64_t i = 0; i < 3; i++) {
        streams[i] = new_stream();
        NEED_OK(shmcv_wait_set_add_stream(set, streams[i], 0, i));
    }
    for (uint64_t i = 0; i < 3; i++) {
        waiter waiting = {wait_on_stream, &streams[i], 0, 0};
        NEED(pthread_create(&waiting.thread, NULL, run, &waiting) == 0);
        put(streams[i]);
        CHECK_INT(i, over(set));
        NEED(pthread_join(waiting.thread, NULL) == 0);
        CHECK_OK(waiting.status);
    }
    check_that_close_ends_waits(3);
    return failed_checks();
}

TEST(waits_work_without_futex_waitv) {
    const char *const errors[] = {"38", "1"}; /* ENOSYS, EPERM */
    for (int i = 0; i < 2; i++) {
        checking(errors[i]);
        process child = start("wait_without_futex_waitv", errors[i], NULL);
        int status = finish(&child);
        if (status == 77) skip("NO SECCOMP, BY WHICH LINUX REFUSES A SYSTEM CALL");
        CHECK_INT(0, status);
    }
}
