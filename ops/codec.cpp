// gocv.IMDecodeIntoMat and IMEncodeWithParams copy the file once more, and let std::bad_alloc through, which would end
// the host. So OpenCV is called here instead.
#include "codec.h"

#include "codec_hooks.h"
#include "guarded.hpp"
#include "jpeg.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

namespace {

// What OpenCV would have printed on this thread. libtiff's reader of faxes goes on after damage, and does not say so in
// another way. For other files what is logged means nothing: libtiff complains of odd tags, too.
struct Log {
    int errors;
    bool no_memory; // an exception has been thrown for want of memory, be it caught or not
};
thread_local Log logged;

#ifdef SHMCV_BUNDLED_OPENCV
void record(cv::utils::logging::LogLevel level, const char *, const char *, int, const char *, const char *) {
    if (level <= cv::utils::logging::LOG_LEVEL_ERROR) logged.errors++;
}

// OpenCV calls this before it throws. imencode catches the exception itself.
int note_exception(int code, const char *, const char *, const char *, int, void *) {
    if (code == cv::Error::StsNoMem) logged.no_memory = true;
    return 0;
}

// What libtiff has said of the directory is forgotten when its pixels begin.
void forget_log() { logged = {}; }
#endif

// Runs `body` as ops::guarded does, and finds out if a failure is one of memory. Codecs report that as they report
// damage, or do not say what is wrong; but malloc has set errno then.
template <typename Body> int in_codec(Body body) {
    logged = {};
    errno = 0;
    const int code = ops::guarded(body);
    return code == OPS_FAILED && (errno == ENOMEM || logged.no_memory) ? OPS_NO_MEMORY : code;
}

// While an object of this type lives, a second thread may help this one with a file.
struct Together {
    explicit Together(bool encoded) { *ops_jpeg_file() = {nullptr, nullptr, encoded, false, 1}; }
    Together(const void *content, size_t size, bool end_added) { // a size of 0: without a second thread
        const auto *start = size ? static_cast<const unsigned char *>(content) : nullptr;
        *ops_jpeg_file() = {start, start + size, false, end_added, 1};
    }
    ~Together() { *ops_jpeg_file() = {}; }
};

// A pattern that is put into memory before a decoder writes there. A word that is still as the pattern has it was not
// written: by chance, one of 2^64 is. Each word of the pattern is another, so that no plain area looks like it.
class Pattern {
  public:
    Pattern(void *memory, size_t size) : start(static_cast<unsigned char *>(memory)), words(size / sizeof(uint64_t)) {
        for (size_t i = 0; i < words; i++) {
            const uint64_t word = at(i);
            std::memcpy(start + i * sizeof word, &word, sizeof word);
        }
    }
    bool remains() const {
        bool found = false;
        for (size_t i = 0; i < words; i++) {
            uint64_t word;
            std::memcpy(&word, start + i * sizeof word, sizeof word);
            found |= word == at(i);
        }
        return found;
    }

  private:
    static uint64_t at(size_t i) { return 0x8F5B2E61C94D07A3 + i * 0x9E3779B97F4A7C15; }
    unsigned char *start;
    size_t words;
};

} // namespace

void ops_start(void) {
    ops_jpeg_set_hooks();
#ifdef SHMCV_BUNDLED_OPENCV
    shmcv_codec_hooks.tiff_pixels_started = forget_log;
    // This OpenCV is the library's own, so its log is as well.
    cv::utils::logging::internal::replaceWriteLogMessageEx(record);
    cv::redirectError(note_exception);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_ERROR);
#else
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
#endif
}

int ops_decode(const void *content, size_t size, struct ops_way way, int rows, int cols, int type, void *pixels,
               size_t room, struct ops_decoded *out) {
    out->damage = nullptr;
    return in_codec([&] {
        ops_jpeg_forget_damage();
        const Together second(content, way.together ? size : 0, way.end_added);
        const cv::Mat file(1, static_cast<int>(size), CV_8U, const_cast<void *>(content));
        cv::Mat image(rows, cols, type, pixels);
        std::optional<Pattern> pattern;
        if (way.may_leave_gaps) pattern.emplace(pixels, image.total() * image.elemSize());
        const bool decoded = !cv::imdecode(file, way.flags, &image).empty();
        out->threads = ops_jpeg_file()->threads;
        out->damage = ops_jpeg_damage();
        if (!decoded || out->damage || (way.log_is_damage && logged.errors > 0)) return OPS_FAILED;
        out->rows = image.rows;
        out->cols = image.cols;
        out->type = image.type();
        if (image.data == pixels && pattern && pattern->remains()) {
            out->damage = "parts of the picture are missing";
            return OPS_FAILED;
        }
        if (image.data != pixels && image.isContinuous() && image.total() * image.elemSize() <= room)
            std::memcpy(pixels, image.data, image.total() * image.elemSize());
        return OPS_OK;
    });
}

int ops_encode(const char *extension, int rows, int cols, int type, void *pixels, size_t stride, const int *parameters,
               int parameter_count, bool together, struct ops_encoded *out) {
    return in_codec([&] {
        const Together second(together);
        const cv::Mat image(rows, cols, type, pixels, stride);
        std::unique_ptr<std::vector<uchar>> file(new std::vector<uchar>);
        // libtiff writes the end of a file from a destructor, where an exception for want of memory ends the process. LZW
        // makes at most 12 bits of 8. What is not written is not touched, and costs addresses only.
        if (std::strncmp(extension, ".tif", 4) == 0) file->reserve(image.total() * image.elemSize() / 2 * 3 + (1 << 20));
        if (!cv::imencode(extension, image, *file, std::vector<int>(parameters, parameters + parameter_count)))
            return OPS_FAILED;
        out->data = file->data();
        out->size = file->size();
        out->threads = ops_jpeg_file()->threads;
        out->owner = file.release();
        return OPS_OK;
    });
}

void ops_encoded_free(void *owner) { delete static_cast<std::vector<uchar> *>(owner); }
