// A cv::Mat over memory that the Mat does not own.
#ifndef SHMCV_OPS_MAT_H
#define SHMCV_OPS_MAT_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Returns a new cv::Mat header over rows of `step` bytes, or NULL if OpenCV refuses. gocv frees it.
void *ops_mat_new(int rows, int cols, int type, void *data, size_t step);

// Returns where the pixels of a cv::Mat are.
void *ops_mat_data(const void *mat);

#ifdef __cplusplus
}
#endif
#endif
