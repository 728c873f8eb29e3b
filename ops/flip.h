// Mirroring images in memory, on x86-64 with AVX2 and on arm64.
#ifndef SHMCV_OPS_FLIP_H
#define SHMCV_OPS_FLIP_H
#include <stddef.h>

// Mirrors `height` rows of `width` pixels of 1, 2, 3, 4, 6, 8, 12 or 16 bytes: code 0 top to bottom, 1 left to right,
// -1 both. Reads and writes nothing between the rows. src and dst do not overlap, or they and their strides are the
// same.
void ops_flip(const void *src, size_t src_stride, void *dst, size_t dst_stride, size_t width, size_t height,
              size_t pixel_bytes, int code);

#endif
