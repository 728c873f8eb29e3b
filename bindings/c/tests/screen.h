/* What tests of windows need of the display, from outside the library. screen_linux.c and screen_windows.c have it. */
#ifndef SHMCV_TEST_SCREEN_H
#define SHMCV_TEST_SCREEN_H

#include "test.h"

/* screenshot returns a new segment with what the screen shows, as BGR. */
shmcv_segment screenshot(shmcv_image_info *screen);

/* press_key waits for the window of that title, gives it the keyboard focus, and presses a key, which has X's name:
 * "q", "shift+q", "Left". */
void press_key(const char *window, const char *key);

/* window_has_size returns true if the window of that title is visible, and has so many pixels without its frame. */
bool window_has_size(const char *window, int width, int height);

/* close_by_x closes a window as happens when the user clicks on the X. */
void close_by_x(const char *window);

#endif
