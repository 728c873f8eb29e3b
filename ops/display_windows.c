// The display behind highgui's windows: Win32. The library opens what draws windows with the first one, because some editions
// of Windows lack it.
#include "window.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdbool.h>

#include "_cgo_export.h"

// A service and a container have a window station that nobody sees.
const char *ops_display_name(void) { return "Windows"; }

// The libraries that highgui's windows need. The linker has made their functions such as are looked up at the first call
// (scripts/windows.sh), which ends the process if there is no such library.
static const wchar_t *const libraries[] = {L"user32.dll", L"gdi32.dll", L"ole32.dll", L"comdlg32.dll"};

typedef HWINSTA(WINAPI *get_station)(void);
typedef BOOL(WINAPI *get_information)(HANDLE object, int index, void *information, DWORD size, DWORD *needed);

static bool is_visible(HMODULE user32) {
    const get_station station = (get_station)(void (*)(void))GetProcAddress(user32, "GetProcessWindowStation");
    const get_information information = (get_information)(void (*)(void))GetProcAddress(user32, "GetUserObjectInformationW");
    USEROBJECTFLAGS flags;
    DWORD needed;
    return station && information && information(station(), UOI_FLAGS, &flags, sizeof flags, &needed) && (flags.dwFlags & WSF_VISIBLE);
}

int ops_display_open(void) {
    static bool opened;
    if (opened) return OPS_DISPLAY_OPEN;
    HMODULE user32 = NULL;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        HMODULE found = LoadLibraryExW(libraries[i], NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
        if (!found) return OPS_DISPLAY_MISSING;
        if (i == 0) user32 = found;
    }
    if (!is_visible(user32)) return OPS_DISPLAY_REFUSED;
    opened = true;
    return OPS_DISPLAY_OPEN;
}

int ops_display_check(void) { return OPS_DISPLAY_OPEN; }

int ops_display_work_area(int *width, int *height) {
    RECT area;
    if (!SystemParametersInfoW(SPI_GETWORKAREA, 0, &area, 0)) return 0;
    *width = area.right - area.left, *height = area.bottom - area.top;
    return *width > 0 && *height > 0;
}
