// The display behind highgui's windows: Win32. The library opens what draws windows with the first one, because some editions
// of Windows lack it.
//
// The thread of the windows is the library's own (windowThread in window.go). It takes the messages of its own windows, and no
// other thread's: a host with a message loop, as WPF, Windows Forms and Avalonia have, keeps all of its own.
#include "window.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdbool.h>
#include <string.h>

#include "_cgo_export.h"

// A service and a container have a window station that nobody sees.
const char *ops_display_name(void) { return "Windows"; }

// The libraries that highgui's windows need. The linker has made their functions such as are looked up at the first call
// (scripts/windows.sh), which ends the process if there is no such library.
static const wchar_t *const libraries[] = {L"user32.dll", L"gdi32.dll", L"ole32.dll", L"comdlg32.dll"};

static FARPROC of_user32(const char *name) { return GetProcAddress(GetModuleHandleW(L"user32.dll"), name); }
#define OF_USER32(type, name) ((type)(void (*)(void))of_user32(name))

typedef HWINSTA(WINAPI *get_station)(void);
typedef BOOL(WINAPI *get_information)(HANDLE object, int index, void *information, DWORD size, DWORD *needed);
typedef HANDLE(WINAPI *set_awareness)(HANDLE context);
typedef ATOM(WINAPI *register_class)(const WNDCLASSA *class);
typedef HWND(WINAPI *create_window)(DWORD, LPCSTR, LPCSTR, DWORD, int, int, int, int, HWND, HMENU, HINSTANCE, LPVOID);

static bool is_visible(void) {
    const get_station station = OF_USER32(get_station, "GetProcessWindowStation");
    const get_information information = OF_USER32(get_information, "GetUserObjectInformationW");
    USEROBJECTFLAGS flags;
    DWORD needed;
    return station && information && information(station(), UOI_FLAGS, &flags, sizeof flags, &needed) && (flags.dwFlags & WSF_VISIBLE);
}

// Has a pixel of an image be a pixel of the screen, whatever the host has said of itself: a host that knows nothing of screens
// with many pixels gets its windows enlarged, and blurred. Windows has it for a thread since Windows 10 of 2016.
static void be_aware_of_dpi(void) {
    const set_awareness set = OF_USER32(set_awareness, "SetThreadDpiAwarenessContext");
    const HANDLE per_monitor = (HANDLE)(INT_PTR)-3, per_monitor_v2 = (HANDLE)(INT_PTR)-4;
    if (set && !set(per_monitor_v2)) set(per_monitor);
}

int ops_display_open(void) {
    static bool opened;
    if (opened) return OPS_DISPLAY_OPEN;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (!LoadLibraryExW(libraries[i], NULL, LOAD_LIBRARY_SEARCH_SYSTEM32)) return OPS_DISPLAY_MISSING;
    if (!is_visible()) return OPS_DISPLAY_REFUSED;
    be_aware_of_dpi();
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

// highgui registers its classes of windows for the whole process. Another OpenCV in it, as Python's cv2, would get windows with
// the procedures of this one, or this one windows with the procedures of the other, whose memory is laid out in another way.
// These two pointers stand in the place of the linker's, through which highgui calls the system. They make the classes the
// library's own, and give them other names.
static LPCSTR own_class(LPCSTR class) {
    if (IS_INTRESOURCE(class)) return class;
    if (strcmp(class, "HighGUI class") == 0) return "shmcv image";
    if (strcmp(class, "Main HighGUI class") == 0) return "shmcv window";
    return class;
}

static HINSTANCE library(void) {
    HMODULE module = NULL;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, (LPCWSTR)(void *)libraries,
                       &module);
    return module;
}

static ATOM WINAPI register_own_class(const WNDCLASSA *wanted) {
    WNDCLASSA class = *wanted;
    if (!class.hInstance) class.hInstance = library();
    class.lpszClassName = own_class(class.lpszClassName);
    return OF_USER32(register_class, "RegisterClassA")(&class);
}

// Also gives a window its title as UTF-8. Its class is one of 8-bit texts, whose own way would be the system's code page.
static HWND WINAPI create_own_window(DWORD ex_style, LPCSTR class, LPCSTR title, DWORD style, int x, int y, int width, int height,
                                     HWND parent, HMENU menu, HINSTANCE instance, LPVOID parameter) {
    const HWND window = OF_USER32(create_window, "CreateWindowExA")(ex_style, own_class(class), title, style, x, y, width, height,
                                                                    parent, menu, instance ? instance : library(), parameter);
    wchar_t text[512];
    if (window && !parent && title && MultiByteToWideChar(CP_UTF8, 0, title, -1, text, sizeof text / sizeof *text))
        DefWindowProcW(window, WM_SETTEXT, 0, (LPARAM)text);
    return window;
}

register_class __imp_RegisterClassA = register_own_class;
create_window __imp_CreateWindowExA = create_own_window;

void ops_display_sleep(int milliseconds) {
    MsgWaitForMultipleObjectsEx(0, NULL, (DWORD)milliseconds, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
}

static bool has_no_character(WPARAM key) {
    return (key >= VK_PRIOR && key <= VK_DOWN) || key == VK_INSERT || key == VK_DELETE || (key >= VK_F1 && key <= VK_F24);
}

// highgui's own function would open a dialog at Ctrl-S, in which the window thread stays until it is closed, and which changes
// the process's current folder.
int ops_display_key(int milliseconds) {
    (void)milliseconds;
    MSG message;
    while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) {
        const WPARAM key = message.wParam;
        if (message.message == WM_SYSKEYDOWN && key == VK_F10) return (int)(key << 16);
        TranslateMessage(&message);
        DispatchMessageW(&message);
        if (message.message == WM_KEYDOWN && has_no_character(key)) return (int)(key << 16);
        if (message.message == WM_CHAR && key <= 0xff) return (int)key;
    }
    return -1;
}
