// gocv.Window cannot open a window that takes its size from the image, and lets exceptions other than cv::Exception
// through. So highgui is called here.
#include "window.h"

#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

#include <opencv2/core.hpp>
#include <opencv2/highgui.hpp>

namespace {

// The window thread holds this lock while it is inside highgui. At exit(), on the thread that exits, the static
// destructors of OpenCV and its plugin close the windows that are left. By then the window thread must have come out,
// and must not go in again.
std::timed_mutex inside;

void keep_out_at_exit() {
    if (ops_display_check() == OPS_DISPLAY_LOST) return; // the window thread is out, or inside for ever
    (void)inside.try_lock_for(std::chrono::seconds(1));  // the window thread comes out every few milliseconds
}

using Inside = std::lock_guard<std::timed_mutex>;

// Starting highgui's GTK part sets LC_NUMERIC for the whole process. The host gets its own back.
struct SameLocale {
    const std::string before = setlocale(LC_NUMERIC, nullptr);
    ~SameLocale() {
        if (before != setlocale(LC_NUMERIC, nullptr)) setlocale(LC_NUMERIC, before.c_str());
    }
};

} // namespace

int ops_window_show(const char *name, int rows, int cols, int type, void *pixels, size_t stride, char *reason,
                    size_t room) {
    const Inside lock(inside);
    try {
        SameLocale locale;
        cv::imshow(name, cv::Mat(rows, cols, type, pixels, stride));
        // After the first window, so that it runs before the destructors of what that has made.
        static const int registered = std::atexit(keep_out_at_exit);
        (void)registered;
        return 0;
    } catch (const cv::Exception &e) {
        std::snprintf(reason, room, "%s", e.err.c_str());
    } catch (const std::exception &e) {
        std::snprintf(reason, room, "%s", e.what());
    } catch (...) {
        std::snprintf(reason, room, "an unknown exception");
    }
    return 1;
}

int ops_window_wait(int milliseconds) {
    const Inside lock(inside);
    try {
        return cv::waitKeyEx(milliseconds);
    } catch (...) {
        return -1;
    }
}

int ops_window_is_open(const char *name) {
    const Inside lock(inside);
    try {
        return cv::getWindowProperty(name, cv::WND_PROP_AUTOSIZE) >= 0; // -1 for a window that is not there
    } catch (...) {
        return 0;
    }
}

void ops_window_close(const char *name) {
    const Inside lock(inside);
    try {
        cv::destroyWindow(name);
    } catch (...) { // it was not there
    }
}

void ops_window_close_all(void) {
    const Inside lock(inside);
    try {
        cv::destroyAllWindows();
    } catch (...) {
    }
}
