/* Codes and messages: every pointer that must not be NULL, every function with an invalid handle, and each thread's
 * own message. */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <string.h>

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
