// gocv.IMDecodeIntoMat and IMEncodeWithParams copy the file once more, and let std::bad_alloc through, which would end
// the host. So OpenCV is called here instead.
#include "codec.h"

#include "jpeg.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

namespace {

// The errors that OpenCV would have printed on this thread since the last call. libtiff, for one, goes on after damage,
// and does not say so in another way.
struct Logged {
    int errors;
    char first[256];
};
thread_local Logged logged;

template <size_t size> void copy(char (&to)[size], const char *from) { std::snprintf(to, size, "%s", from); }

#ifdef SHMCV_BUNDLED_OPENCV
void record(cv::utils::logging::LogLevel level, const char *, const char *, int, const char *, const char *message) {
    if (level > cv::utils::logging::LOG_LEVEL_ERROR) return;
    if (logged.errors++ == 0) copy(logged.first, message ? message : "");
}
#endif

// Runs `body`, and returns what that returns. An exception becomes OPS_FAILED or OPS_NO_MEMORY, with its message in
// `reason`.
template <size_t size, typename Body> int guarded(char (&reason)[size], Body body) {
    reason[0] = 0;
    try {
        return body();
    } catch (const cv::Exception &e) {
        copy(reason, e.err.c_str());
        return e.code == cv::Error::StsNoMem ? OPS_NO_MEMORY : OPS_FAILED;
    } catch (const std::bad_alloc &) {
        return OPS_NO_MEMORY;
    } catch (const std::exception &e) {
        copy(reason, e.what());
    } catch (...) {
    }
    return OPS_FAILED;
}

// While an object of this type lives, a second thread may help this one with a file.
struct Together {
    explicit Together(bool encoded) { *ops_jpeg_file() = {nullptr, nullptr, encoded, 1}; }
    Together(const void *content, size_t size) { // a size of 0: without a second thread
        const auto *start = size ? static_cast<const unsigned char *>(content) : nullptr;
        *ops_jpeg_file() = {start, start + size, false, 1};
    }
    ~Together() { *ops_jpeg_file() = {}; }
};

} // namespace

void ops_start(void) {
    ops_jpeg_set_hooks();
#ifdef SHMCV_BUNDLED_OPENCV
    // This OpenCV is the library's own, so its log is as well.
    cv::utils::logging::internal::replaceWriteLogMessageEx(record);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_ERROR);
#else
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
#endif
}

int ops_decode(const void *content, size_t size, int flags, int rows, int cols, int type, void *pixels, size_t room,
               int together, struct ops_decoded *out) {
    return guarded(out->reason, [&] {
        logged = {};
        ops_jpeg_forget_damage();
        const Together second(content, together ? size : 0);
        const cv::Mat file(1, static_cast<int>(size), CV_8U, const_cast<void *>(content));
        cv::Mat image(rows, cols, type, pixels);
        const bool decoded = !cv::imdecode(file, flags, &image).empty();
        out->threads = ops_jpeg_file()->threads;
        const char *damage = ops_jpeg_damage();
        if (!damage && logged.errors > 0) damage = logged.first;
        if (damage) copy(out->reason, damage);
        if (!decoded || damage) return OPS_FAILED;
        out->rows = image.rows;
        out->cols = image.cols;
        out->type = image.type();
        if (image.data != pixels && image.isContinuous() && image.total() * image.elemSize() <= room)
            std::memcpy(pixels, image.data, image.total() * image.elemSize());
        return OPS_OK;
    });
}

int ops_encode(const char *extension, int rows, int cols, int type, void *pixels, size_t stride, const int *parameters,
               int parameter_count, int together, struct ops_encoded *out) {
    return guarded(out->reason, [&] {
        logged = {};
        const Together second(together != 0);
        const cv::Mat image(rows, cols, type, pixels, stride);
        std::unique_ptr<std::vector<uchar>> file(new std::vector<uchar>);
        if (!cv::imencode(extension, image, *file, std::vector<int>(parameters, parameters + parameter_count))) {
            copy(out->reason, logged.first);
            return OPS_FAILED;
        }
        out->data = file->data();
        out->size = file->size();
        out->threads = ops_jpeg_file()->threads;
        out->owner = file.release();
        return OPS_OK;
    });
}

void ops_encoded_free(void *owner) { delete static_cast<std::vector<uchar> *>(owner); }
