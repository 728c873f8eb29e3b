/* Files' bytes in memory: they are decoded as their files are, and what is encoded is what would be saved. */
#include "test.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* file flag width height channels depth order crc32 */
static void check_decode(char **columns) {
    const int32_t flags = flag_named(columns[1]);
    shmcv_image_info probed, image, of_file;
    size_t size;
    unsigned char *bytes = read_file(testdata(columns[0]), &size);
    NEED_OK(shmcv_probe(testdata(columns[0]), flags, &of_file));
    if (CHECK_OK(shmcv_probe_bytes(bytes, size, flags, &probed))) {
        CHECK(memcmp(&of_file, &probed, sizeof probed) == 0);
        const shmcv_segment seg = new_segment(bytes_of(&probed));
        if (CHECK_OK(shmcv_decode(seg, bytes, size, flags, &image))) {
            check_image(seg, columns + 2);
            CHECK(memcmp(&probed, &image, sizeof image) == 0);
        }
        CHECK_OK(shmcv_close(seg));
    }
    free(bytes);
}
TEST(bytes_decode_as_their_file_does) { each_vector("load", 8, check_decode); }

/* file flag options result width height channels depth order crc32 */
static void check_decode_with(char **columns) {
    const shmcv_load_options options = options_named(columns[1], columns[2]);
    const int32_t result = result_named(columns[3]);
    if (result == SHMCV_E_NOT_FOUND || strcmp(columns[0], ".") == 0 || strcmp(columns[0], "missing.jpg") == 0) return; /* of paths */
    size_t size;
    unsigned char *bytes = read_file(testdata(columns[0]), &size);
    shmcv_image_info probed, image;
    memset(&image, 0x55, sizeof image);
    if (result == SHMCV_OK && CHECK_OK(shmcv_probe_bytes_with(bytes, size, &options, &probed))) {
        const shmcv_segment seg = new_segment(bytes_of(&probed));
        if (CHECK_OK(shmcv_decode_with(seg, bytes, size, &options, &image))) check_image(seg, columns + 4);
        CHECK(memcmp(&probed, &image, sizeof image) == 0);
        CHECK_OK(shmcv_close(seg));
    } else {
        const shmcv_segment seg = with_old_image(1 << 16);
        CHECK_FAILS(result, "", shmcv_decode_with(seg, bytes, size, &options, &image));
        CHECK_INT(0x55555555, image.width);
        check_old_image(seg);
        CHECK_OK(shmcv_close(seg));
    }
    free(bytes);
}
TEST(bytes_decode_with_options_as_their_file_does) { each_vector("options", 10, check_decode_with); }

/* file flag extension quality result width height channels depth order crc32 */
static void check_encode(char **columns) {
    const int32_t quality = (int32_t)number(columns[3]), result = result_named(columns[4]);
    if (strcmp(columns[2], "-") == 0) return;
    char file[64];
    snprintf(file, sizeof file, "saved%s", columns[2]);
    const char *path = temporary(file);
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    shmcv_image_info image;
    NEED_OK(shmcv_image_get(seg, &image));
    uint64_t capacity = 1 << 20, size = 77;
    if (result == SHMCV_OK) NEED_OK(shmcv_encode_bound(&image, columns[2], &capacity));
    unsigned char *buffer = malloc(capacity);
    NEED(buffer != NULL);
    CHECK_FAILS(result, "", shmcv_encode(seg, columns[2], quality, buffer, capacity, &size));
    if (result == SHMCV_OK) {
        size_t saved_size;
        CHECK_OK(shmcv_save(seg, path, quality));
        unsigned char *saved = read_file(path, &saved_size);
        CHECK_INT(saved_size, size);
        CHECK(saved_size == size && memcmp(saved, buffer, saved_size) == 0);
        free(saved);
    } else {
        CHECK_INT(77, size);
    }
    free(buffer);
    CHECK_OK(shmcv_close(seg));
}
TEST(encoded_bytes_are_those_of_the_saved_file) { each_vector("save", 11, check_encode); }

/* file flag segment_bytes result cv2 */
static void check_bad_bytes(char **columns) {
    const int32_t result = result_named(columns[3]);
    if (result == SHMCV_E_NOT_FOUND || result == SHMCV_E_INVALID || result == SHMCV_E_PERMISSION) return; /* of paths */
    size_t size;
    unsigned char *bytes = read_file(testdata(columns[0]), &size);
    const shmcv_segment seg = with_old_image((uint64_t)number(columns[2]));
    CHECK_FAILS(result, "bytes", shmcv_decode(seg, bytes, size, flag_named(columns[1]), NULL));
    check_old_image(seg);
    CHECK_OK(shmcv_close(seg));
    free(bytes);
}
TEST(bad_bytes_are_refused_and_the_old_image_kept) { each_vector("error", 5, check_bad_bytes); }

TEST(too_small_a_buffer_is_told_how_many_bytes_it_takes) {
    const shmcv_segment seg = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    unsigned char buffer[20000];
    uint64_t whole = 0, size = 0;
    NEED_OK(shmcv_encode(seg, ".png", SHMCV_QUALITY_DEFAULT, buffer, sizeof buffer, &whole));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "bytes", shmcv_encode(seg, ".png", SHMCV_QUALITY_DEFAULT, NULL, 0, &size));
    CHECK_INT(whole, size);
    memset(buffer, 7, sizeof buffer);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "bytes", shmcv_encode(seg, ".png", SHMCV_QUALITY_DEFAULT, buffer, whole - 1, &size));
    CHECK(buffer[0] == 7 && buffer[whole - 2] == 7);
    CHECK_OK(shmcv_encode(seg, ".png", SHMCV_QUALITY_DEFAULT, buffer, whole, &size));
    CHECK_INT(7, buffer[whole]);
}

/* A program may keep compressed frames in a segment, and another one decode them. */
TEST(bytes_go_from_segment_to_segment) {
    const shmcv_segment photo = loaded("patches.png", SHMCV_LOAD_COLOR);
    shmcv_image_info image, decoded;
    uint64_t capacity, size;
    NEED_OK(shmcv_image_get(photo, &image));
    NEED_OK(shmcv_encode_bound(&image, ".png", &capacity));
    const shmcv_segment file = new_segment(capacity), again = new_segment(bytes_of(&image));
    NEED_OK(shmcv_encode(photo, ".png", SHMCV_QUALITY_DEFAULT, pixels(file, NULL), capacity, &size));
    CHECK_OK(shmcv_decode(again, pixels(file, NULL), size, SHMCV_LOAD_COLOR, &decoded));
    CHECK(memcmp(&image, &decoded, sizeof image) == 0);
    CHECK_INT(image_crc32(photo), image_crc32(again));

    CHECK_FAILS(SHMCV_E_DECODE, "", shmcv_decode(file, pixels(file, NULL), size / 2, SHMCV_LOAD_COLOR, NULL));
    CHECK_OK(shmcv_decode(file, pixels(file, NULL), size, SHMCV_LOAD_COLOR, NULL)); /* in its own place */
    CHECK_INT(image_crc32(photo), image_crc32(file));
}

TEST(nothing_is_no_image) {
    const shmcv_segment seg = new_segment(1 << 16);
    shmcv_image_info image;
    uint64_t size;
    CHECK_FAILS(SHMCV_E_DECODE, "0 bytes", shmcv_decode(seg, NULL, 0, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_DECODE, "0 bytes", shmcv_probe_bytes(NULL, 0, SHMCV_LOAD_COLOR, &image));
    CHECK_FAILS(SHMCV_E_INVALID, "NULL", shmcv_decode(seg, NULL, 10, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "NULL", shmcv_probe_bytes("GIF", 3, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "bytes", shmcv_decode(seg, "GIF", UINT64_MAX, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_LIMIT, "at most", shmcv_decode(seg, "GIF", INT64_MAX, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_encode(seg, ".png", SHMCV_QUALITY_DEFAULT, NULL, 0, &size));
    const shmcv_segment picture = counting(4, 4, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_INVALID, "NULL", shmcv_encode(picture, ".png", SHMCV_QUALITY_DEFAULT, NULL, 1 << 20, &size));
    CHECK_FAILS(SHMCV_E_INVALID, "NULL", shmcv_encode(picture, ".png", SHMCV_QUALITY_DEFAULT, NULL, 0, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "NULL", shmcv_encode(picture, NULL, SHMCV_QUALITY_DEFAULT, NULL, 0, &size));
    CHECK_FAILS(SHMCV_E_UNSUPPORTED, ".gif", shmcv_encode(picture, ".gif", SHMCV_QUALITY_DEFAULT, NULL, 0, &size));
    image = make_image(0, 4, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_INVALID, "width", shmcv_encode_bound(&image, ".png", &size));
}
