/* The sample c-sample/camera.c, as camera.exe in the working folder: its stream outlives a camera that is killed as long as a
 * reader has it open, another one goes on with it, and Ctrl-C ends a camera, which then removes the stream's name. */
#include "test_windows.h"

#include <stdio.h>
#include <string.h>

static process camera(const char *name) {
    char line[300];
    process c = start_with_console("camera.exe", name, "200");
    NEED(read_line(&c, line, sizeof line));
    CHECK(strstr(line, name) != NULL);
    return c;
}

static uint64_t see(shmcv_stream reader, uint64_t newer_than) {
    shmcv_frame frame;
    shmcv_frame_info info;
    char metadata[SHMCV_MAX_METADATA + 1] = "";
    uint64_t size;
    NEED_OK(shmcv_stream_wait(reader, newer_than, -1, &frame, &info));
    CHECK_INT(640, info.image.width);
    CHECK(info.capture_time_ns != 0 && info.capture_time_ns <= info.time_ns);
    CHECK_OK(shmcv_frame_metadata(frame, metadata, sizeof metadata - 1, &size));
    CHECK(strstr(metadata, "\"camera\"") != NULL);
    CHECK_OK(shmcv_frame_close(frame));
    return info.sequence;
}

TEST(camera_goes_on_after_a_kill_and_ends_with_ctrl_c) {
    const char *name = new_name();
    char line[300] = "";
    shmcv_stream reader;
    process c = camera(name);
    NEED_OK(shmcv_stream_open(name, -1, &reader));
    uint64_t seen = 0;
    for (int i = 0; i < 5; i++) seen = see(reader, seen);
    kill_child(&c);
    CHECK_INT(KILLED, finish(&c));
    c = camera(name);
    for (int i = 0; i < 5; i++) seen = see(reader, seen);
    NEED(press_ctrl_c(&c));
    CHECK(read_line(&c, line, sizeof line));
    CHECK(strstr(line, "has published") != NULL);
    CHECK_INT(0, finish(&c));
    CHECK(!segment_exists(name));
}
