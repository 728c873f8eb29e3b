/* Which calls enter Go, and which are answered in C. A thread of the host is not bound to Go on Windows, so that each call into Go
 * pays for it, and begins with DuplicateHandle of the thread. This program counts those of its own thread: it puts a function of its
 * own into the library's table of imports. */
#include "imports.h"
#include "test.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>

static DWORD counted;
static int entries;

typedef BOOL(WINAPI *duplicate)(HANDLE, HANDLE, HANDLE, HANDLE *, DWORD, BOOL, DWORD);
static duplicate systems;

static BOOL WINAPI count(HANDLE from, HANDLE handle, HANDLE to, HANDLE *copy, DWORD access, BOOL inherit, DWORD options) {
    if (GetCurrentThreadId() == counted) entries++;
    return systems(from, handle, to, copy, access, inherit, options);
}

static void count_entries(void) {
    systems = (duplicate)replace_import("kernel32.dll", "DuplicateHandle", (any_function *)count);
    NEED(systems != NULL);
    counted = GetCurrentThreadId();
}

/* entries_since returns how often this thread has entered Go since the last look. */
static int entries_since(void) {
    const int found = entries;
    entries = 0;
    return found;
}

enum { WIDTH = 64, HEIGHT = 48, BYTES = WIDTH * HEIGHT, FRAMES = 1000 };

static uint64_t put(shmcv_stream writer, const shmcv_image_info *image, unsigned char mark) {
    shmcv_frame frame;
    void *data;
    uint64_t size, sequence;
    NEED_OK(shmcv_stream_begin(writer, 0, &frame));
    NEED_OK(shmcv_data(frame.pixels, &data, &size));
    memset(data, mark, BYTES);
    NEED_OK(shmcv_image_set(frame.pixels, image));
    NEED_OK(shmcv_frame_publish(frame, &sequence));
    return sequence;
}

static void get(shmcv_stream reader, uint64_t sequence, int32_t timeout) {
    shmcv_frame frame;
    shmcv_frame_info info;
    shmcv_image_info image;
    void *data;
    NEED_OK(shmcv_stream_wait(reader, sequence - 1, timeout, &frame, &info));
    NEED_OK(shmcv_data(frame.pixels, &data, NULL));
    NEED_OK(shmcv_image_get(frame.pixels, &image));
    CHECK_INT((unsigned char)sequence, *(unsigned char *)data);
    CHECK_OK(shmcv_frame_check(frame));
    CHECK_OK(shmcv_frame_close(frame));
}

TEST(frames_of_a_steady_stream_do_not_enter_go) {
    const char *name = new_name();
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    shmcv_stream writer, reader;
    shmcv_frame frame;
    count_entries();
    NEED_OK(shmcv_stream_create(name, BYTES, 4, SHMCV_WHEN_BEHIND_DROP, &writer));
    CHECK_INT(1, entries_since());
    NEED_OK(shmcv_stream_open(name, 0, &reader));
    CHECK_INT(1, entries_since());
    get(reader, put(writer, &image, 1), 0);
    printf("the first frame: %d entries into Go\n", entries_since());
    for (int i = 2; i <= FRAMES; i++) {
        get(reader, put(writer, &image, (unsigned char)i), i % 2 == 0 ? 0 : 1000);
    }
    CHECK_INT(0, entries_since());
    int looks = 0;
    for (int i = 0; i < FRAMES; i++) looks += shmcv_stream_wait(reader, FRAMES, 0, &frame, NULL) == SHMCV_E_TIMEOUT;
    CHECK_INT(FRAMES, looks);
    const int asked = entries_since();
    printf("%d looks that find nothing: %d entries into Go\n", FRAMES, asked);
    CHECK(asked < FRAMES / 2); /* once in 100 ms */
    CHECK(shmcv_version() != NULL);
    CHECK_INT(0, entries_since());
}

TEST(each_other_call_enters_go_once) {
    const char *name = new_name();
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    shmcv_segment seg, same;
    shmcv_image_info found;
    shmcv_segment_info info;
    void *data;
    count_entries();
    NEED_OK(shmcv_create(name, BYTES, &seg));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_open(name, &same));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_image_set(seg, &image));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_data(seg, &data, NULL));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_image_get(seg, &found));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_save(seg, temporary("image.png"), SHMCV_QUALITY_DEFAULT));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_load(seg, temporary("image.png"), SHMCV_LOAD_GRAY, &found));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_close(same));
    CHECK_INT(1, entries_since());
    CHECK_OK(shmcv_close(seg));
    CHECK_INT(1, entries_since());
}
