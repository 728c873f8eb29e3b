// gocv.Window cannot open a window that takes its size from the image, and its calls let exceptions other than
// cv::Exception through; so highgui is called here.
#include "window.h"

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <pthread.h>
#include <string>

#include <opencv2/core.hpp>
#include <opencv2/highgui.hpp>

namespace {

// Held while the window thread is inside highgui. At exit() the static destructors of OpenCV and its plugin close what
// windows are left, on the thread that exits: by then the window thread must have come out, and must not go in again.
pthread_mutex_t inside = PTHREAD_MUTEX_INITIALIZER;

void keep_out_at_exit() {
    if (ops_display_check() == OPS_DISPLAY_LOST) return; // it is out, or inside for ever
    timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1; // it comes out every few milliseconds
    pthread_mutex_timedlock(&inside, &until);
}

struct Inside {
    Inside() { pthread_mutex_lock(&inside); }
    ~Inside() { pthread_mutex_unlock(&inside); }
};

// Initialising highgui's GTK part sets LC_NUMERIC for the whole process; the host gets its own back.
struct SameLocale {
    const std::string before = setlocale(LC_NUMERIC, nullptr);
    ~SameLocale() {
        if (before != setlocale(LC_NUMERIC, nullptr)) setlocale(LC_NUMERIC, before.c_str());
    }
};

} // namespace

int ops_window_show(const char *name, int rows, int cols, int type, void *pixels, size_t stride, char *reason, size_t room) {
    Inside lock;
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
    Inside lock;
    try {
        return cv::waitKeyEx(milliseconds);
    } catch (...) {
        return -1;
    }
}

int ops_window_is_open(const char *name) {
    Inside lock;
    try {
        return cv::getWindowProperty(name, cv::WND_PROP_AUTOSIZE) >= 0; // -1 for a window that is not there
    } catch (...) {
        return 0;
    }
}

void ops_window_close(const char *name) {
    Inside lock;
    try {
        cv::destroyWindow(name);
    } catch (...) { // it was not there
    }
}

void ops_window_close_all(void) {
    Inside lock;
    try {
        cv::destroyAllWindows();
    } catch (...) {
    }
}
