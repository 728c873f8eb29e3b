// gocv.Window lets exceptions other than cv::Exception through, and knows nothing of the screen's size. So highgui is
// called here.
#include "window.h"

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
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

// How a window is made for an image.
struct Shape {
    cv::Size size; // of the image, or of what the screen has room for
    int flags;     // of cv::namedWindow
    bool operator==(const Shape &other) const { return size == other.size && flags == other.flags; }
};

// What each window was made for.
std::map<std::string, Shape> shapes;

// Of a window that is not there, highgui gives -1 with GTK, and throws on Windows.
bool is_open(const char *name) {
    try {
        return cv::getWindowProperty(name, cv::WND_PROP_AUTOSIZE) >= 0;
    } catch (const cv::Exception &) {
        return false;
    }
}

Shape shape_for(cv::Size image) {
    // highgui's windows of variable size are at least as large as this. A smaller image would be scaled up.
    constexpr int least_width = 320, least_height = 240;
    // Pixels for what a window manager draws around a window. How many it takes is known only when the window is there.
    constexpr int sides = 16, title = 48;
    int width = 0, height = 0;
    double scale = 1;
    if (ops_display_work_area(&width, &height))
        scale = std::min({1.0, double(width - sides) / image.width, double(height - title) / image.height});
    if (scale == 1 && (image.width < least_width || image.height < least_height)) return {image, cv::WINDOW_AUTOSIZE};
    return {{std::max(1, cvRound(image.width * scale)), std::max(1, cvRound(image.height * scale))},
            cv::WINDOW_NORMAL | cv::WINDOW_KEEPRATIO};
}

// Makes the window if it is not open, or was made for another shape. highgui does not make a window smaller.
void open_window(const char *name, const Shape &shape) {
    const bool there = is_open(name);
    if (there && shapes[name] == shape) return;
    if (there) cv::destroyWindow(name);
    shapes[name] = shape;
    cv::namedWindow(name, shape.flags);
    if (shape.flags != cv::WINDOW_AUTOSIZE) cv::resizeWindow(name, shape.size.width, shape.size.height);
}

} // namespace

int ops_window_show(const char *name, int rows, int cols, int type, void *pixels, size_t stride, char *reason,
                    size_t room) {
    const Inside lock(inside);
    try {
        SameLocale locale;
        const cv::Mat image(rows, cols, type, pixels, stride);
        open_window(name, shape_for(image.size()));
        cv::imshow(name, image);
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
    ops_display_sleep(milliseconds);
    const Inside lock(inside);
    try {
        return ops_display_key(milliseconds);
    } catch (...) {
        return -1;
    }
}

int ops_window_is_open(const char *name) {
    const Inside lock(inside);
    try {
        return is_open(name);
    } catch (...) {
        return 0;
    }
}

void ops_window_close(const char *name) {
    const Inside lock(inside);
    try {
        shapes.erase(name);
        cv::destroyWindow(name);
    } catch (...) { // it was not there
    }
}

void ops_window_close_all(void) {
    const Inside lock(inside);
    try {
        shapes.clear();
        cv::destroyAllWindows();
    } catch (...) {
    }
}
