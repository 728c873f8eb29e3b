#include "mat.h"

#include <opencv2/core.hpp>

void *ops_mat_new(int rows, int cols, int type, void *data, size_t step) {
    try {
        return new cv::Mat(rows, cols, type, data, step);
    } catch (...) {
        return nullptr;
    }
}

void *ops_mat_data(const void *mat) { return static_cast<const cv::Mat *>(mat)->data; }
