/* See screen.h. The display is Windows' own. */
#include "screen.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

shmcv_segment screenshot(shmcv_image_info *screen) {
    const int width = GetSystemMetrics(SM_CXSCREEN), height = GetSystemMetrics(SM_CYSCREEN);
    const BITMAPINFO shape = {.bmiHeader = {.biSize = sizeof shape.bmiHeader, .biWidth = width, .biHeight = -height, .biPlanes = 1,
                                            .biBitCount = 32, .biCompression = BI_RGB}};
    void *bits = NULL;
    HDC of_screen = GetDC(NULL), of_memory = CreateCompatibleDC(of_screen);
    HBITMAP bitmap = CreateDIBSection(of_screen, &shape, DIB_RGB_COLORS, &bits, NULL, 0);
    NEED(of_memory != NULL && bitmap != NULL);
    const HGDIOBJ before = SelectObject(of_memory, bitmap);
    NEED(BitBlt(of_memory, 0, 0, width, height, of_screen, 0, 0, SRCCOPY));
    GdiFlush();
    *screen = make_image((uint32_t)width, (uint32_t)height, SHMCV_ORDER_BGR);
    const shmcv_segment shot = new_segment(screen->stride * screen->height);
    unsigned char *to = pixels(shot, NULL);
    const unsigned char *from = bits;
    for (int i = 0; i < width * height; i++) memcpy(to + 3 * i, from + 4 * i, 3);
    SelectObject(of_memory, before);
    DeleteObject(bitmap);
    DeleteDC(of_memory);
    ReleaseDC(NULL, of_screen);
    return shot;
}

/* One of the keys that tests press. */
static unsigned char key_named(const char *name) {
    static const struct {
        const char *name;
        unsigned char key;
    } keys[] = {{"q", 'Q'}, {"Left", VK_LEFT}, {"Down", VK_DOWN}, {"F5", VK_F5}, {"Escape", VK_ESCAPE}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, name) == 0) return keys[i].key;
    abort();
}

static HWND visible(const char *title) {
    HWND window = FindWindowA(NULL, title);
    return window != NULL && IsWindowVisible(window) ? window : NULL;
}

void press_key(const char *title, const char *name) {
    HWND window;
    while ((window = visible(title)) == NULL || !SetForegroundWindow(window) || GetForegroundWindow() != window) Sleep(10);
    static const char with_shift[] = "shift+";
    const bool shift = strncmp(name, with_shift, sizeof with_shift - 1) == 0;
    const unsigned char key = key_named(shift ? name + sizeof with_shift - 1 : name);
    if (shift) keybd_event(VK_SHIFT, 0, 0, 0);
    keybd_event(key, 0, 0, 0);
    keybd_event(key, 0, KEYEVENTF_KEYUP, 0);
    if (shift) keybd_event(VK_SHIFT, 0, KEYEVENTF_KEYUP, 0);
}

bool window_has_size(const char *title, int width, int height) {
    RECT area;
    HWND window = visible(title);
    return window != NULL && GetClientRect(window, &area) && area.right == width && area.bottom == height;
}

void close_by_x(const char *title) {
    HWND window = visible(title);
    NEED(window != NULL);
    NEED(PostMessageA(window, WM_CLOSE, 0, 0));
}
