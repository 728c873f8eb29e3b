/* The expectations that all test suites share: testdata/vectors.tsv, which testdata/README.md describes. */
#ifndef SHMCV_TEST_VECTORS_H
#define SHMCV_TEST_VECTORS_H

#include "test.h"

/* each_vector calls check with the columns, after the first, of every row of that kind. There has to be one. */
typedef void vector_check(char **columns);
void each_vector(const char *kind, int columns, vector_check *check);

/* What the columns say in words: "u8", "bgra", "color+any_depth", "E_DECODE", "480". */
uint32_t depth_named(const char *name);
uint32_t order_named(const char *name);
int32_t flag_named(const char *name);
int32_t result_named(const char *name);
int64_t number(const char *digits);

/* bytes_of is how much memory an image takes. */
uint64_t bytes_of(const shmcv_image_info *image);

/* crc32 of the pixels of a segment's image, row by row; gaps between rows are not counted. */
uint32_t image_crc32(shmcv_segment seg);

/* check_image compares the segment's image with the columns width, height, channels, depth, order and crc32. */
void check_image(shmcv_segment seg, char **columns);

/* loaded gives a new segment, just large enough, with that file in it. */
shmcv_segment loaded(const char *file, int32_t flags);

#endif
