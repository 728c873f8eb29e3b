// OpenCV's functions from one image to another, for callers in C. gocv's own let std::bad_alloc and all other exceptions
// than cv::Exception through, which ends the host, and they take no stride.
#ifndef SHMCV_OPS_MAT_H
#define SHMCV_OPS_MAT_H
#include <stddef.h>

#include "codec.h" // for OPS_OK and its like

#ifdef __cplusplus
extern "C" {
#endif

enum ops_function {
    OPS_FLIP,          // the argument is the code: 0, 1 or -1
    OPS_TRANSPOSE,     // rows become columns
    OPS_CONVERT_COLOR, // the argument is OpenCV's number of the conversion
    OPS_RESIZE,        // the argument is OpenCV's number of the interpolation
    OPS_SCALE,         // the argument is what samples are multiplied with, to have dst's depth
};

// Runs a function from src to dst. Returns OPS_OK if the result is in dst's memory. Otherwise it returns OPS_FAILED or
// OPS_NO_MEMORY, with the reason in `reason`, of `room` bytes.
int ops_into(enum ops_function function, double argument, int src_rows, int src_cols, int src_type, void *src_pixels,
             size_t src_stride, int dst_rows, int dst_cols, int dst_type, void *dst_pixels, size_t dst_stride,
             char *reason, size_t room);

#ifdef __cplusplus
}
#endif
#endif
