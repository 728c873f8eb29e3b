/* Windows, on a real display. ctest runs the tests with a display under Xvfb, by with_display.sh; window.cmake has the
 * first words of their names. */
#define _GNU_SOURCE
#include "screen.h"
#include "vectors.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

/* Without a display. */

TEST(nodisplay_delay_without_windows_returns_for_zero) {
    int32_t key = 99;
    CHECK_OK(shmcv_delay(0, &key));
    CHECK_INT(-1, key);
    CHECK_OK(shmcv_delay(INT32_MIN, &key));
    CHECK_INT(-1, key);
}

/* With a display. */

enum { WIDTH = 640, HEIGHT = 400 };

/* Seconds, enough for every wait that is not a failure. */
enum { PATIENCE = 200 };

/* crop returns a segment with the photograph. Its image is the top left corner alone, which fits on the screen. */
static shmcv_segment crop(void) {
    const shmcv_segment seg = loaded("photograph.jpg", SHMCV_LOAD_COLOR);
    shmcv_image_info image;
    NEED_OK(shmcv_image_get(seg, &image));
    image.width = WIDTH;
    image.height = HEIGHT;
    NEED_OK(shmcv_image_set(seg, &image));
    return seg;
}

/* is_on_screen takes a screenshot. It returns true if the screenshot contains the rows of the segment's image, one
 * below the other. */
static bool is_on_screen(shmcv_segment seg) {
    shmcv_image_info screen, image;
    const shmcv_segment shot = screenshot(&screen);
    NEED_OK(shmcv_image_get(seg, &image));
    const unsigned char *on_screen = pixels(shot, NULL), *wanted = pixels(seg, NULL);
    const size_t row = (size_t)image.width * 3;
    bool found = false;
    for (size_t y = 0; !found && y + image.height <= screen.height; y++) {
        for (size_t x = 0; !found && x + image.width <= screen.width; x++) {
            const unsigned char *corner = on_screen + y * screen.stride + x * 3;
            size_t same = 0;
            while (same < image.height && memcmp(corner + same * screen.stride, wanted + same * image.stride, row) == 0) same++;
            found = same == image.height;
        }
    }
    NEED_OK(shmcv_close(shot));
    return found;
}

/* soon draws the windows and asks the question, again and again, for some minutes at most. It returns true if an answer
 * was true. */
static bool soon(bool (*question)(shmcv_segment), shmcv_segment seg) {
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += PATIENCE;
    do {
        NEED_OK(shmcv_delay(50, NULL));
        if (question(seg)) return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec);
    return false;
}

static bool is_off_screen(shmcv_segment seg) { return !is_on_screen(seg); }

TEST(screenshot_shows_the_photograph) {
    const shmcv_segment seg = crop();
    NEED(!is_on_screen(seg));
    NEED_OK(shmcv_show("photograph", seg));
    CHECK(soon(is_on_screen, seg));
    CHECK_OK(shmcv_close_windows());
    CHECK(soon(is_off_screen, seg));
}

TEST(screenshot_shows_the_flipped_photograph_after_another_show) {
    const shmcv_segment seg = crop();
    NEED_OK(shmcv_show("photograph", seg));
    CHECK(soon(is_on_screen, seg));
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_HORIZONTAL));
    CHECK(!is_on_screen(seg));
    CHECK_OK(shmcv_show("photograph", seg));
    CHECK(soon(is_on_screen, seg));
    CHECK_OK(shmcv_close_window("photograph"));
    CHECK(soon(is_off_screen, seg));
    CHECK_OK(shmcv_close_window("photograph")); /* succeeds if the window is closed already */
}

TEST(screenshot_shows_a_foreign_gray_segment_too) {
    const char *name = new_name();
    unsigned char gray[64 * 48];
    for (size_t i = 0; i < sizeof gray; i++) gray[i] = (unsigned char)(i * 5);
    write_foreign(name, gray, sizeof gray);
    shmcv_segment seg;
    NEED_OK(shmcv_open(name, &seg));
    const shmcv_image_info image = make_image(64, 48, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_image_set(seg, &image));
    NEED_OK(shmcv_show("gray", seg));
    const shmcv_segment shown = new_segment(sizeof gray * 3);
    NEED_OK(shmcv_convert(seg, shown, SHMCV_ORDER_BGR));
    CHECK(soon(is_on_screen, shown));
}

/* Runs in another thread, while the test is in shmcv_delay. */
static void *press(void *key) {
    press_key("keyboard", key);
    return NULL;
}

/* pressed returns what shmcv_delay gives for a key of X's. */
static int32_t pressed(const char *name) {
    pthread_t presser;
    NEED(pthread_create(&presser, NULL, press, (void *)name) == 0);
    int32_t key = SHMCV_NO_KEY;
    CHECK_OK(shmcv_delay(PATIENCE * 1000, &key));
    pthread_join(presser, NULL);
    return key;
}

TEST(key_comes_back_from_delay) {
    const shmcv_segment seg = crop();
    NEED_OK(shmcv_show("keyboard", seg));
    CHECK(soon(is_on_screen, seg));
    CHECK_INT('q', pressed("q"));
}

TEST(key_without_a_character_is_told_from_letters) {
    const shmcv_segment seg = crop();
    NEED_OK(shmcv_show("keyboard", seg));
    CHECK(soon(is_on_screen, seg));
    CHECK_INT(SHMCV_KEY_LEFT, pressed("Left"));
    CHECK_INT('Q', pressed("shift+q")); /* Shift itself is no key, and Q is not the left arrow */
    CHECK_INT(SHMCV_KEY_DOWN, pressed("Down"));
    CHECK_INT(SHMCV_KEY_F1 + 4, pressed("F5"));
    CHECK_INT(SHMCV_KEY_ESCAPE, pressed("Escape"));
}

/* covers_the_screen returns true if the window is as wide as 1280 x 1024 pixels allow, and no higher than a photograph of
 * 16:9 is then. */
static bool covers_the_screen(shmcv_segment seg) {
    (void)seg;
    return window_has_size("large", 1264, 711);
}

TEST(window_fits_on_the_screen) {
    const shmcv_segment seg = loaded("photograph.jpg", SHMCV_LOAD_COLOR);
    NEED_OK(shmcv_show("large", seg));
    CHECK(soon(covers_the_screen, seg));
}

TEST(delay_without_a_key_ends_with_the_time) {
    const shmcv_segment seg = crop();
    NEED_OK(shmcv_show("window", seg));
    int32_t key = 99;
    CHECK_OK(shmcv_delay(20, &key));
    CHECK_INT(-1, key);
}

TEST(window_closed_by_its_x_is_survived_and_shown_again) {
    const shmcv_segment seg = crop();
    NEED_OK(shmcv_show("closed by its X", seg));
    CHECK(soon(is_on_screen, seg));
    close_by_x("closed by its X");
    CHECK(soon(is_off_screen, seg));
    int32_t key = 99;
    CHECK_OK(shmcv_delay(0, &key)); /* returns at once, because no window can receive a key */
    CHECK_INT(-1, key);
    NEED_OK(shmcv_show("closed by its X", seg));
    CHECK(soon(is_on_screen, seg));
    close_by_x("closed by its X");
    CHECK(soon(is_off_screen, seg));
    CHECK_OK(shmcv_close_window("closed by its X"));
    CHECK_OK(shmcv_close_windows());
}

TEST(display_bad_windows_are_refused) {
    const shmcv_segment seg = counting(8, 8, SHMCV_ORDER_BGR), empty = new_segment(64);
    CHECK_FAILS(SHMCV_E_INVALID, "", shmcv_show("", seg));
    CHECK_FAILS(SHMCV_E_INVALID, "UTF-8", shmcv_show("\xff", seg));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_show("window", empty));
}

/* Several threads show windows at once. The library runs all of highgui on one thread of its own. */
static void *show_and_close(void *window) {
    const shmcv_segment seg = counting(64, 64, SHMCV_ORDER_BGR);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(shmcv_show(window, seg));
        CHECK_OK(shmcv_delay(1, NULL));
        CHECK_OK(shmcv_close_window(window));
    }
    return NULL;
}

TEST(display_windows_of_several_threads) {
    static const char *const windows[] = {"one", "two", "three", "four"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) NEED(pthread_create(&threads[i], NULL, show_and_close, (void *)windows[i]) == 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK_OK(shmcv_close_windows());
}
