/* What becomes of the library in a child of fork(): the child keeps nothing of its parent's alive. */
#define _GNU_SOURCE
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATIENCE = 300 }; /* seconds after which a child that hangs ends */

/* A forked child of the test, which lives until the test kills it, also after the death of its parent. */
static void live_on(void) {
    alarm(PATIENCE);
    for (;;) pause();
}

CHILD(hold_and_fork) {
    (void)argc;
    shmcv_stream stream, read;
    shmcv_frame frame;
    shmcv_segment seg;
    NEED_OK(shmcv_stream_create(argv[1], 64, 2, &stream));
    NEED_OK(shmcv_stream_begin(stream, &frame));
    const shmcv_image_info image = make_image(8, 8, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, NULL));
    NEED_OK(shmcv_stream_open(argv[1], &read));
    NEED_OK(shmcv_stream_wait(read, 0, 0, &frame, NULL));
    NEED_OK(shmcv_create(argv[2], 64, &seg));
    const pid_t child = fork();
    if (child == 0) live_on();
    printf("%d\n", child);
    fflush(stdout);
    live_on();
    return 0;
}

TEST(killed_process_is_dead_although_its_forked_child_lives) {
    char name[64], segment[64], line[32] = "";
    snprintf(name, sizeof name, "%s", new_name());
    snprintf(segment, sizeof segment, "%s", new_name());
    process holder = start("hold_and_fork", name, segment, NULL);
    NEED(read_line(&holder, line, sizeof line));
    const pid_t child = (pid_t)strtol(line, NULL, 10);
    kill(holder.pid, SIGKILL);
    CHECK_INT(-SIGKILL, finish(&holder));

    shmcv_stream stream;
    shmcv_frame frames[2];
    shmcv_segment seg;
    shmcv_segment_info info;
    NEED_OK(shmcv_stream_open(name, &stream));
    /* Each of the 2 slots is free, the one that the dead process was reading too. */
    for (int i = 0; i < 2; i++) {
        CHECK_OK(shmcv_stream_begin(stream, &frames[i]));
        const shmcv_image_info image = make_image(8, 8, SHMCV_ORDER_GRAY);
        CHECK_OK(shmcv_image_set(frames[i].pixels, &image));
        CHECK_OK(shmcv_frame_publish(frames[i], NULL));
    }
    CHECK_OK(shmcv_stream_info(stream, &info));
    CHECK_INT(0, info.owner_alive);
    CHECK_OK(shmcv_open(segment, &seg));
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(0, info.owner_alive);
    CHECK_INT(0, kill(child, SIGKILL));
}
