#include "mat.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "guarded.hpp"

int ops_into(enum ops_function function, double argument, int src_rows, int src_cols, int src_type, void *src_pixels,
             size_t src_stride, int dst_rows, int dst_cols, int dst_type, void *dst_pixels, size_t dst_stride,
             char *reason, size_t room) {
    return ops::guarded(reason, room, [&] {
        const cv::Mat src(src_rows, src_cols, src_type, src_pixels, src_stride);
        cv::Mat dst(dst_rows, dst_cols, dst_type, dst_pixels, dst_stride);
        switch (function) {
        case OPS_FLIP: cv::flip(src, dst, static_cast<int>(argument)); break;
        case OPS_TRANSPOSE: cv::transpose(src, dst); break;
        case OPS_CONVERT_COLOR: cv::cvtColor(src, dst, static_cast<int>(argument)); break;
        case OPS_RESIZE: cv::resize(src, dst, dst.size(), 0, 0, static_cast<int>(argument)); break;
        case OPS_SCALE: src.convertTo(dst, dst_type, argument); break;
        }
        // A result of another size or type has other memory.
        if (dst.data == dst_pixels) return OPS_OK;
        std::snprintf(reason, room, "the result is %d x %d of type %d", dst.cols, dst.rows, dst.type());
        return OPS_FAILED;
    });
}
