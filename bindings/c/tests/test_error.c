/* Codes and messages: every pointer that must not be NULL, every function with an invalid handle, each thread's own
 * message, and a forked child. */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(message_is_empty_before_the_first_failure) { CHECK_TEXT("", last_error()); }

TEST(message_survives_calls_that_succeed) {
    CHECK_FAILS(SHMCV_E_INVALID, "name", shmcv_clear(NULL));
    char before[1024];
    CHECK_OK(shmcv_last_error(before, sizeof before));
    CHECK_OK(shmcv_clear_all());
    CHECK_TEXT(before, last_error());
}

TEST(message_is_cut_at_the_buffer) {
    CHECK_FAILS(SHMCV_E_INVALID, "name", shmcv_clear(NULL));
    char few[6];
    memset(few, 'x', sizeof few);
    CHECK_OK(shmcv_last_error(few, 5));
    CHECK_INT(4, strlen(few));
    CHECK(strncmp(few, last_error(), 4) == 0);
    CHECK_INT('x', few[5]);
    CHECK_OK(shmcv_last_error(few, 1));
    CHECK_TEXT("", few);
}

TEST(message_is_cut_between_characters) {
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "\xe7\x8c\xab", shmcv_probe("/nowhere/\xe7\x8c\xab.png", SHMCV_LOAD_COLOR, &(shmcv_image_info){0}));
    const char *whole = last_error();
    const size_t at = (size_t)(strstr(whole, "\xe7\x8c\xab") - whole);
    char cut[1024];
    for (size_t room = at + 1; room <= at + 3; room++) { /* no room for all three bytes of the character */
        CHECK_OK(shmcv_last_error(cut, room));
        CHECK_INT(at, strlen(cut));
    }
    CHECK_OK(shmcv_last_error(cut, at + 4));
    CHECK_INT(at + 3, strlen(cut));
}

TEST(last_error_refuses_a_missing_buffer) {
    char buffer[8];
    CHECK_INT(SHMCV_E_INVALID, shmcv_last_error(NULL, 8));
    CHECK_INT(SHMCV_E_INVALID, shmcv_last_error(buffer, 0));
}

TEST(long_message_is_cut_below_the_limit) {
    char name[20000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    shmcv_segment seg;
    CHECK_FAILS(SHMCV_E_INVALID, "nnn", shmcv_create(name, 1, &seg));
    CHECK(strlen(last_error()) < 1024);
}

static void *fail_elsewhere(void *unused) {
    (void)unused;
    CHECK_TEXT("", last_error());
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "no-such-elsewhere", shmcv_clear("no-such-elsewhere"));
    return NULL;
}

TEST(each_thread_has_its_own_message) {
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "no-such-here", shmcv_clear("no-such-here"));
    pthread_t thread;
    NEED(pthread_create(&thread, NULL, fail_elsewhere, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK(strstr(last_error(), "no-such-here") != NULL);
}

TEST(every_code_has_its_name) {
    CHECK_TEXT("SHMCV_OK", shmcv_error_name(SHMCV_OK));
    CHECK_TEXT("SHMCV_E_INVALID", shmcv_error_name(SHMCV_E_INVALID));
    CHECK_TEXT("SHMCV_E_INTERNAL", shmcv_error_name(SHMCV_E_INTERNAL));
    for (int32_t code = SHMCV_E_INTERNAL; code < 0; code++) CHECK(strncmp(shmcv_error_name(code), "SHMCV_E_", 8) == 0);
    CHECK_TEXT("unknown", shmcv_error_name(1));
    CHECK_TEXT("unknown", shmcv_error_name(INT32_MIN));
}

TEST(null_is_refused_by_name) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    const shmcv_image_info layout = make_image(4, 4, SHMCV_ORDER_BGR);
    const char *photo = testdata("small-bgr.png");
    unsigned char buffer[64];
    shmcv_segment handle = {99};
    shmcv_image_info image;
    shmcv_segment_info info;

    CHECK_FAILS(SHMCV_E_INVALID, "name is NULL", shmcv_create(NULL, 1, &handle));
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_create("test-null", 1, NULL));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "test-null", shmcv_clear("test-null"));
    CHECK_FAILS(SHMCV_E_INVALID, "name is NULL", shmcv_open(NULL, &handle));
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_open("test-null", NULL));
    CHECK_INT(99, handle.handle); /* a function writes its result only on success */
    CHECK_FAILS(SHMCV_E_INVALID, "name is NULL", shmcv_clear(NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_info(seg, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "count is NULL", shmcv_list(&info, 1, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "infos is NULL", shmcv_list(NULL, 1, &(uint64_t){0}));
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_image_get(seg, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "image is NULL", shmcv_image_set(seg, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "image is NULL", shmcv_image_size(NULL, &(uint64_t){0}));
    CHECK_FAILS(SHMCV_E_INVALID, "size is NULL", shmcv_image_size(&layout, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "buffer is NULL", shmcv_read(seg, &layout, NULL, 64, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "layout is NULL", shmcv_write(seg, NULL, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_INVALID, "buffer is NULL", shmcv_write(seg, &layout, NULL, 64, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_INVALID, "path is NULL", shmcv_probe(NULL, SHMCV_LOAD_COLOR, &image));
    CHECK_FAILS(SHMCV_E_INVALID, "out is NULL", shmcv_probe(photo, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "path is NULL", shmcv_load(seg, NULL, SHMCV_LOAD_COLOR, &image));
    CHECK_FAILS(SHMCV_E_INVALID, "path is NULL", shmcv_save(seg, NULL, SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_INVALID, "window is NULL", shmcv_show(NULL, seg));
    CHECK_FAILS(SHMCV_E_INVALID, "window is NULL", shmcv_close_window(NULL));
}

TEST(null_is_fine_where_the_header_says_so) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    CHECK_OK(shmcv_data(seg, NULL, NULL));
    CHECK_OK(shmcv_list(NULL, 0, &(uint64_t){0}));
    CHECK_OK(shmcv_delay(1, NULL));
    const shmcv_segment room = new_segment(1 << 20);
    CHECK_OK(shmcv_load(room, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, NULL));
}

static void refused_everywhere(shmcv_segment bad) {
    const shmcv_segment good = counting(4, 4, SHMCV_ORDER_BGR);
    const shmcv_image_info layout = make_image(4, 4, SHMCV_ORDER_BGR);
    unsigned char buffer[64];
    void *data = buffer;
    uint64_t size = 99;
    shmcv_image_info image;
    shmcv_segment_info info;
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_close(bad));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_data(bad, &data, &size));
    CHECK(data == buffer && size == 99);
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_info(bad, &info));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_image_get(bad, &image));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_image_set(bad, &layout));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_read(bad, &layout, buffer, sizeof buffer, NULL));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_write(bad, &layout, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_load(bad, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_save(bad, temporary("never.png"), SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_flip(bad, good, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_flip(good, bad, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_convert(bad, good, SHMCV_ORDER_GRAY));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_convert(good, bad, SHMCV_ORDER_GRAY));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_show("window", bad));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_sequence(bad, &size));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_wait(bad, 0, 0, &size));
    const shmcv_stream stream = {bad.handle};
    const shmcv_frame frame = {bad};
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_stream_close(stream));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_stream_info(stream, &info));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_stream_begin(stream, 0, &(shmcv_frame){{0}}));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_stream_wait(stream, 0, 0, &(shmcv_frame){{0}}, NULL));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_frame_publish(frame, NULL));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_frame_close(frame));
    CHECK_OK(shmcv_close(good));
}

TEST(invented_handles_are_refused) {
    const shmcv_segment live = counting(4, 4, SHMCV_ORDER_BGR);
    const uint64_t invented[] = {0, 1, UINT64_MAX, live.handle + 1, live.handle + ((uint64_t)1 << 32)};
    for (size_t i = 0; i < sizeof invented / sizeof *invented; i++) refused_everywhere((shmcv_segment){invented[i]});
    CHECK_OK(shmcv_data(live, NULL, NULL));
}

TEST(stale_handle_is_refused_although_its_slot_is_in_use) {
    const shmcv_segment stale = counting(4, 4, SHMCV_ORDER_BGR);
    CHECK_OK(shmcv_close(stale));
    refused_everywhere(stale);
    const shmcv_segment next = counting(4, 4, SHMCV_ORDER_BGR);
    CHECK(next.handle != stale.handle);
    refused_everywhere(stale);
    CHECK_OK(shmcv_close(next));
}

/* Calls every function, in a child that fork() made and that has not called exec(). Returns 0 if all calls returned
 * SHMCV_E_FORKED, otherwise the number of the first call that did not. */
static int calls_that_went_through(shmcv_segment seg) {
    shmcv_segment handle;
    shmcv_stream stream = {seg.handle};
    shmcv_frame frame = {seg};
    shmcv_image_info image = make_image(4, 4, SHMCV_ORDER_BGR);
    shmcv_segment_info info;
    uint64_t size;
    void *data;
    unsigned char buffer[64];
    const int32_t found[] = {
        shmcv_create("test-forked", 1, &handle),
        shmcv_open("test-forked", &handle),
        shmcv_open_read_only("test-forked", &handle),
        shmcv_close(seg),
        shmcv_clear("test-forked"),
        shmcv_clear_all(),
        shmcv_data(seg, &data, &size),
        shmcv_info(seg, &info),
        shmcv_list(&info, 1, &size),
        shmcv_image_get(seg, &image),
        shmcv_image_set(seg, &image),
        shmcv_read(seg, &image, buffer, sizeof buffer, NULL),
        shmcv_write(seg, &image, buffer, sizeof buffer, SHMCV_ORDER_BGR),
        shmcv_probe("test-forked", 0, &image),
        shmcv_load(seg, "test-forked", 0, &image),
        shmcv_save(seg, "test-forked.png", -1),
        shmcv_flip(seg, seg, 0),
        shmcv_convert(seg, seg, SHMCV_ORDER_RGB),
        shmcv_image_size(&image, &size),
        shmcv_sequence(seg, &size),
        shmcv_wait(seg, 0, 1, &size),
        shmcv_sweep(NULL),
        shmcv_stream_create("test-forked", 1, 0, SHMCV_WHEN_BEHIND_DROP, &stream),
        shmcv_stream_open("test-forked", &stream),
        shmcv_stream_close(stream),
        shmcv_stream_info(stream, &info),
        shmcv_stream_begin(stream, 0, &frame),
        shmcv_stream_wait(stream, 0, 1, &frame, NULL),
        shmcv_frame_publish(frame, NULL),
        shmcv_frame_close(frame),
        shmcv_show("test-forked", seg),
        shmcv_delay(1, NULL),
        shmcv_close_window("test-forked"),
        shmcv_close_windows(),
    };
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        if (found[i] != SHMCV_E_FORKED) return (int)i + 1;
    if (strstr(last_error(), "fork") == NULL) return 100;
    /* shmcv_error_name and shmcv_version need no Go, and work in the child. */
    if (strcmp(shmcv_error_name(SHMCV_E_FORKED), "SHMCV_E_FORKED") != 0) return 102;
    return strcmp(shmcv_version(), SHMCV_VERSION) == 0 ? 0 : 101;
}

TEST(forked_child_is_refused_and_its_parent_goes_on) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    const pid_t pid = fork();
    NEED(pid >= 0);
    if (pid == 0) _exit(calls_that_went_through(seg));
    int status;
    NEED(waitpid(pid, &status, 0) == pid);
    NEED(WIFEXITED(status));
    CHECK_INT(0, WEXITSTATUS(status));
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_OK(shmcv_close(seg));
}

CHILD(says_its_version) {
    (void)argc, (void)argv;
    shmcv_segment seg = new_segment(16);
    CHECK_OK(shmcv_close(seg));
    printf("%s\n", shmcv_version());
    return failed_checks();
}

TEST(forked_child_that_calls_exec_is_served) {
    process c = start("says_its_version", NULL);
    char version[32] = "";
    CHECK(read_line(&c, version, sizeof version));
    CHECK_TEXT(SHMCV_VERSION, version);
    CHECK_INT(0, finish(&c));
}
