/* Displays on Linux, which the environment names. */
#define _GNU_SOURCE
#include "test.h"

#include <stdlib.h>

TEST(nodisplay_show_is_an_error_at_once) {
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    const shmcv_segment seg = counting(8, 8, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_NO_DISPLAY, "DISPLAY", shmcv_show("window", seg));
    int32_t key = 99;
    CHECK_OK(shmcv_delay(1, &key));
    CHECK_INT(-1, key);
    CHECK_OK(shmcv_close_window("window"));
    CHECK_OK(shmcv_close_windows());
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH)); /* the rest of the library still works */
}

TEST(nodisplay_silent_display_is_an_error_too) {
    setenv("DISPLAY", ":987", 1);
    unsetenv("WAYLAND_DISPLAY");
    const shmcv_segment seg = counting(8, 8, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_NO_DISPLAY, ":987", shmcv_show("window", seg));
    CHECK_FAILS(SHMCV_E_NO_DISPLAY, ":987", shmcv_show("window", seg));
}
