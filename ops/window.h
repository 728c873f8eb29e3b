// Windows: OpenCV's highgui, and the display that it draws on, for callers in C. One thread calls all of these
// functions, the window thread, except for those that say otherwise.
#ifndef SHMCV_OPS_WINDOW_H
#define SHMCV_OPS_WINDOW_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Any thread. Returns the value of DISPLAY, or of WAYLAND_DISPLAY, or NULL if both are empty. C is asked, since Go does
// not see what the host has set after it loaded the library.
const char *ops_display_name(void);

enum { OPS_DISPLAY_OPEN = 0, OPS_DISPLAY_MISSING, OPS_DISPLAY_REFUSED, OPS_DISPLAY_TAKEN, OPS_DISPLAY_LOST };

// Makes sure that GTK has a display; without one, highgui would end the process. May be tried again after a failure.
// Returns OPS_DISPLAY_TAKEN if the host runs GTK itself, on a thread of its own: GTK works on a single thread.
int ops_display_open(void);

// Any thread. Returns OPS_DISPLAY_LOST once the display server has gone away. Then nothing below may be called any
// more.
int ops_display_check(void);

// Gives the size of the screen without its panels, in the pixels of which windows have their sizes. Returns 1, or 0 if it
// is not known. The display is open.
int ops_display_work_area(int *width, int *height);

// Shows an 8-bit gray or BGR image in a window, and opens the window if it is not open. The window gets the size of the
// image, or the largest of the same proportions that fits on the screen. If that differs from what the window was made
// for, another window takes its place. The user may resize a window of at least 320 x 240; the image is scaled, and keeps
// its proportions. Returns 0, or writes the reason of the failure into `reason`, of `room` bytes.
int ops_window_show(const char *name, int rows, int cols, int type, void *pixels, size_t stride, char *reason,
                    size_t room);

// Draws, and listens for that many milliseconds at the most, and at least 1. Returns the key's code as cv::waitKeyEx does,
// or -1.
int ops_window_wait(int milliseconds);

// The two halves of it. On Windows the first sleeps until the display has sent something to a window, and the second looks
// what that is; on Linux the second does both. The lock of window.cpp is held in the second alone.
void ops_display_sleep(int milliseconds);
int ops_display_key(int milliseconds);

int ops_window_is_open(const char *name); // 1 or 0
void ops_window_close(const char *name);
void ops_window_close_all(void);

#ifdef __cplusplus
}
#endif
#endif
