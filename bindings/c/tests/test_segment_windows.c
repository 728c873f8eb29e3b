/* Segments on Windows: sections of the page file, which end with the last process that has them open. */
#include "test.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>

TEST(segment_ends_with_its_last_handle) {
    const char *name = new_name();
    shmcv_segment one, two;
    NEED_OK(shmcv_create(name, 64, &one));
    NEED_OK(shmcv_open(name, &two));
    CHECK_OK(shmcv_close(one));
    CHECK(segment_exists(name));
    CHECK_OK(shmcv_close(two));
    CHECK(!segment_exists(name));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_open(name, &one));
}

/* A program that knows nothing of this library finds the section by the segment's own name. */
TEST(section_of_the_segments_name_has_its_pixels_first) {
    const char *name = new_name();
    shmcv_segment seg;
    NEED_OK(shmcv_create(name, 100, &seg));
    memcpy(pixels(seg, NULL), "pixels", 7);
    HANDLE section = OpenFileMappingA(FILE_MAP_READ, FALSE, name);
    NEED(section != NULL);
    const char *memory = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    NEED(memory != NULL);
    CHECK_TEXT("pixels", memory);
    CHECK(UnmapViewOfFile(memory));
    CHECK(CloseHandle(section));
}

CHILD(creates_and_is_killed) {
    (void)argc;
    shmcv_segment seg;
    NEED_OK(shmcv_create(argv[1], 64, &seg));
    ready_to_be_killed();
}

/* A process that is killed cannot remove the small file that gives its segment the name. Whoever asks for the name next does. */
TEST(name_of_a_killed_process_is_free) {
    char line[32];
    shmcv_segment seg;
    const char *names[] = {new_name(), new_name(), new_name()};
    for (int i = 0; i < 3; i++) {
        process c = start("creates_and_is_killed", names[i], NULL);
        NEED(read_line(&c, line, sizeof line));
        kill_child(&c);
        CHECK_INT(KILLED, finish(&c));
        CHECK(segment_exists(names[i]));
    }
    CHECK_FAILS(SHMCV_E_NOT_FOUND, names[0], shmcv_open(names[0], &seg));
    CHECK_OK(shmcv_create(names[1], 64, &seg));
    CHECK_OK(shmcv_clear(names[1]));
    uint64_t count;
    CHECK_OK(shmcv_list(NULL, 0, &count));
    for (int i = 0; i < 3; i++) CHECK(!segment_exists(names[i]));
}

CHILD(lives_on) {
    (void)argc, (void)argv;
    ready_to_be_killed();
}

/* The child inherits every handle that may be inherited. */
TEST(handles_do_not_leak_into_programs_that_are_started) {
    const char *name = new_name(), *of_stream = new_name();
    shmcv_segment seg;
    shmcv_stream stream;
    int64_t descriptor;
    char line[32];
    DWORD flags;
    NEED_OK(shmcv_create(name, 64, &seg));
    NEED_OK(shmcv_stream_create(of_stream, 64, 2, SHMCV_WHEN_BEHIND_DROP, &stream));
    NEED_OK(shmcv_stream_descriptor(stream, &descriptor));
    CHECK(GetHandleInformation((HANDLE)(intptr_t)descriptor, &flags) && !(flags & HANDLE_FLAG_INHERIT));
    process c = start("lives_on", NULL);
    NEED(read_line(&c, line, sizeof line));
    CHECK_OK(shmcv_close(seg));
    CHECK_OK(shmcv_stream_close(stream));
    CHECK(!segment_exists(name));
    CHECK(!segment_exists(of_stream));
    kill_child(&c);
    CHECK_INT(KILLED, finish(&c));
}
