// Windows: OpenCV's highgui and the display that it draws on, for callers in C. All of it is for one and the same
// thread, apart from the functions that say otherwise.
#ifndef SHMCV_OPS_WINDOW_H
#define SHMCV_OPS_WINDOW_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Any thread. The value of DISPLAY, or of WAYLAND_DISPLAY; NULL where neither says anything. Asked of C, as Go does not
// see what its host has set since it was loaded.
const char *ops_display_name(void);

enum { OPS_DISPLAY_OPEN = 0, OPS_DISPLAY_NO_GTK, OPS_DISPLAY_REFUSED, OPS_DISPLAY_TAKEN, OPS_DISPLAY_LOST };

// Makes sure that GTK has a display, without which highgui would end the process; may be tried again. OPS_DISPLAY_TAKEN:
// the host runs GTK itself, on a thread of its own, and GTK knows but one thread.
int ops_display_open(void);

// OPS_DISPLAY_LOST once the display server has gone away: then nothing below may be called any more.
int ops_display_check(void);

// Shows an 8-bit gray or BGR image, in a window of its size that is opened if need be. 0, or not, with why in `reason`.
int ops_window_show(const char *name, int rows, int cols, int type, void *pixels, size_t stride, char *reason, size_t room);

// Draws and listens for that many milliseconds, at least 1: the key's code as cv::waitKeyEx gives it, or -1.
int ops_window_wait(int milliseconds);

int ops_window_is_open(const char *name);
void ops_window_close(const char *name);
void ops_window_close_all(void);

#ifdef __cplusplus
}
#endif
#endif
