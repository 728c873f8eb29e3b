/* testdata/vectors.tsv, the expectations that all test suites share. testdata/README.md describes them. */
#ifndef SHMCV_TEST_VECTORS_H
#define SHMCV_TEST_VECTORS_H

#include "test.h"

/* each_vector calls check for every row of that kind, with the columns after the first. It fails if there is no row. */
typedef void vector_check(char **columns);
void each_vector(const char *kind, int columns, vector_check *check);

/* These return the values of the columns' words: "u8", "bgra", "color+any_depth", "E_DECODE", "480". */
uint32_t depth_named(const char *name);
uint32_t order_named(const char *name);
int32_t flag_named(const char *name);
int32_t result_named(const char *name);
int64_t number(const char *digits);

/* options_named returns the options of the columns flag and options. */
shmcv_load_options options_named(const char *flag, const char *fields);

/* bytes_of returns the size of an image in bytes. */
uint64_t bytes_of(const shmcv_image_info *image);

/* image_crc32 returns the CRC-32 of the pixels of a segment's image, row by row, without the gaps between rows. */
uint32_t image_crc32(shmcv_segment seg);

/* check_crc32 compares the same with the column crc32. */
void check_crc32(const char *column, shmcv_segment seg);

/* check_image compares the segment's image with the columns width, height, channels, depth, order and crc32. */
void check_image(shmcv_segment seg, char **columns);

/* loaded returns a new segment that holds that file and has exactly the size that the image needs. */
shmcv_segment loaded(const char *file, int32_t flags);

/* with_old_image returns a new segment of that many bytes that holds an image. check_old_image checks that it holds it still,
 * whole. */
shmcv_segment with_old_image(uint64_t size);
void check_old_image(shmcv_segment seg);

#endif
