// A cv::Mat over memory that somebody else owns.
#ifndef SHMCV_OPS_MAT_H
#define SHMCV_OPS_MAT_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// A new cv::Mat header over rows of `step` bytes; NULL when it cannot be. gocv frees it.
void *ops_mat_new(int rows, int cols, int type, void *data, size_t step);

// Where the pixels of a cv::Mat are.
void *ops_mat_data(const void *mat);

#ifdef __cplusplus
}
#endif
#endif
