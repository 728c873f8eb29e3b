/* Loading and saving files: the shared vectors, bad files and bad folders. */
#define _GNU_SOURCE
#include "test.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* file flag width height channels depth order crc32 */
static void check_load(char **columns) {
    const int32_t flags = flag_named(columns[1]);
    shmcv_image_info probed, image, stored;
    if (!CHECK_OK(shmcv_probe(testdata(columns[0]), flags, &probed))) return;
    const shmcv_segment seg = new_segment(bytes_of(&probed));
    if (CHECK_OK(shmcv_load(seg, testdata(columns[0]), flags, &image))) {
        check_image(seg, columns + 2);
        CHECK_OK(shmcv_image_get(seg, &stored));
        CHECK(memcmp(&probed, &image, sizeof image) == 0);
        CHECK(memcmp(&stored, &image, sizeof image) == 0);
    }
    CHECK_OK(shmcv_close(seg));
}
TEST(files_load_as_in_cv2) { each_vector("load", 8, check_load); }

/* file flag x y values tolerance */
static void check_pixel(char **columns) {
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    shmcv_image_info image;
    CHECK_OK(shmcv_image_get(seg, &image));
    const unsigned char *pixel =
        pixels(seg, NULL) + (uint64_t)number(columns[3]) * image.stride + (uint64_t)number(columns[2]) * image.channels;
    uint32_t channel = 0;
    for (char *value, *rest = columns[4]; (value = strtok_r(NULL, ",", &rest)) != NULL; channel++)
        CHECK(channel < image.channels && llabs(number(value) - pixel[channel]) <= number(columns[5]));
    CHECK_INT(image.channels, channel);
    CHECK_OK(shmcv_close(seg));
}
TEST(colours_are_where_they_should_be) { each_vector("pixel", 6, check_pixel); }

/* file flag extension quality result width height channels depth order crc32 */
static void check_save(char **columns) {
    char file[64];
    snprintf(file, sizeof file, "saved%s", strcmp(columns[2], "-") == 0 ? "" : columns[2]);
    const char *path = temporary(file);
    const int32_t result = result_named(columns[4]);
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    unlink(path);
    CHECK_FAILS(result, "", shmcv_save(seg, path, (int32_t)number(columns[3])));
    CHECK_INT(result == SHMCV_OK ? 0 : -1, access(path, F_OK));
    if (result == SHMCV_OK) {
        uint64_t size;
        pixels(seg, &size);
        const shmcv_segment again = new_segment(size * 2);
        if (CHECK_OK(shmcv_load(again, path, SHMCV_LOAD_UNCHANGED, NULL))) check_image(again, columns + 5);
        CHECK_OK(shmcv_close(again));
    }
    CHECK_OK(shmcv_close(seg));
}
TEST(files_save_as_in_cv2) { each_vector("save", 11, check_save); }

/* file flag segment_bytes result cv2 */
static void check_error(char **columns) {
    const char *path = testdata(columns[0]);
    const shmcv_segment seg = with_old_image((uint64_t)number(columns[2]));
    shmcv_image_info out;
    memset(&out, 0x55, sizeof out);
    if (CHECK_FAILS(result_named(columns[3]), "", shmcv_load(seg, path, flag_named(columns[1]), &out)))
        CHECK(last_error()[0] != '\0');
    CHECK_INT(0x55555555, out.width);
    check_old_image(seg);
    CHECK_OK(shmcv_close(seg));
}
TEST(bad_files_are_refused_and_the_old_image_kept) { each_vector("error", 5, check_error); }

/* file flag options result width height channels depth order crc32 */
static void check_options(char **columns) {
    const char *path = testdata(columns[0]);
    const shmcv_load_options options = options_named(columns[1], columns[2]);
    const int32_t result = result_named(columns[3]);
    shmcv_image_info probed, image;
    memset(&image, 0x55, sizeof image);
    if (result == SHMCV_OK) {
        if (!CHECK_OK(shmcv_probe_with(path, &options, &probed))) return;
        const shmcv_segment seg = new_segment(bytes_of(&probed));
        if (CHECK_OK(shmcv_load_with(seg, path, &options, &image))) check_image(seg, columns + 4);
        CHECK(memcmp(&probed, &image, sizeof image) == 0);
        CHECK_OK(shmcv_close(seg));
        return;
    }
    const shmcv_segment seg = with_old_image(1 << 16);
    if (CHECK_FAILS(result, "", shmcv_load_with(seg, path, &options, &image))) CHECK(last_error()[0] != '\0');
    if (result == SHMCV_E_INVALID || result == SHMCV_E_LIMIT) CHECK_FAILS(result, "", shmcv_probe_with(path, &options, &image));
    CHECK_INT(0x55555555, image.width);
    check_old_image(seg);
    CHECK_OK(shmcv_close(seg));
}
TEST(files_load_with_options_as_cv2_makes_them) { each_vector("options", 10, check_options); }

TEST(no_options_are_the_whole_image_in_colour) {
    const char *path = testdata("small.jpg");
    shmcv_image_info image, probed;
    CHECK_OK(shmcv_probe_with(path, NULL, &probed));
    const shmcv_segment plain = loaded("small.jpg", SHMCV_LOAD_COLOR), seg = new_segment(bytes_of(&probed));
    CHECK_OK(shmcv_load_with(seg, path, NULL, &image));
    CHECK(memcmp(&probed, &image, sizeof image) == 0);
    CHECK_INT(image_crc32(plain), image_crc32(seg));
    CHECK_OK(shmcv_load_with(seg, path, NULL, NULL));
}

TEST(options_that_contradict_each_other_are_named) {
    const char *path = testdata("small.jpg");
    const shmcv_segment seg = with_old_image(1 << 16);
    const shmcv_load_options sizes = {.flags = SHMCV_LOAD_COLOR, .scale = 2, .width = 9},
                             orders = {.order = SHMCV_ORDER_RGB},
                             region = {.flags = SHMCV_LOAD_COLOR, .x = 60, .region_width = 8, .region_height = 1};
    CHECK_FAILS(SHMCV_E_INVALID, "scale 2 and width 9", shmcv_load_with(seg, path, &sizes, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "flags 0 and order 4", shmcv_load_with(seg, path, &orders, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "x 60 and region_width 8", shmcv_load_with(seg, path, &region, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "options", shmcv_load_with(seg, "missing.jpg", &sizes, NULL));
    check_old_image(seg);
}

TEST(too_small_a_segment_is_told_how_many_bytes_it_takes) {
    const shmcv_segment small = new_segment(3840 * 2160 * 3 - 1);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "24883200", shmcv_load(small, testdata("photograph.jpg"), SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "33177600", shmcv_load(small, testdata("photograph.jpg"), SHMCV_LOAD_BGRA, NULL));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_image_get(small, &(shmcv_image_info){0}));
}

TEST(bombs_are_refused_from_their_headers) {
    shmcv_image_info image;
    CHECK_FAILS(SHMCV_E_LIMIT, "100000", shmcv_probe(testdata("bomb.png"), SHMCV_LOAD_COLOR, &image));
    CHECK_FAILS(SHMCV_E_LIMIT, "65500", shmcv_probe(testdata("bomb.jpg"), SHMCV_LOAD_COLOR, &image));
}

TEST(missing_files_and_folders_are_not_found) {
    const shmcv_segment seg = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    shmcv_image_info image;
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "nothing.jpg", shmcv_load(seg, temporary("nothing.jpg"), SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "nothing.jpg", shmcv_probe(temporary("nothing.jpg"), SHMCV_LOAD_COLOR, &image));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "missing", shmcv_save(seg, temporary("missing/saved.png"), SHMCV_QUALITY_DEFAULT));
}

TEST(invalid_paths_are_refused) {
    const shmcv_segment seg = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    CHECK(shmcv_load(seg, "", SHMCV_LOAD_COLOR, NULL) != SHMCV_OK);
    CHECK(shmcv_save(seg, "", SHMCV_QUALITY_DEFAULT) != SHMCV_OK);
    CHECK_FAILS(SHMCV_E_INVALID, "UTF-8", shmcv_load(seg, "\xff.png", SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "UTF-8", shmcv_save(seg, "\xff.png", SHMCV_QUALITY_DEFAULT));
}

TEST(unknown_flags_are_refused) {
    const shmcv_segment seg = new_segment(1 << 16);
    static const int32_t flags[] = {-2, 4, 5, 7, 8, SHMCV_LOAD_BGRA | SHMCV_LOAD_ANY_DEPTH, 16, 128, 256, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        CHECK_FAILS(SHMCV_E_INVALID, "flag", shmcv_load(seg, testdata("small-bgr.png"), flags[i], NULL));
        CHECK_FAILS(SHMCV_E_INVALID, "flag", shmcv_probe(testdata("small-bgr.png"), flags[i], &(shmcv_image_info){0}));
    }
}

TEST(saving_replaces_a_file_and_leaves_no_other) {
    const char *folder = temporary("."), *path = temporary("picture.png");
    write_file(path, "old", 3);
    const shmcv_segment seg = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    CHECK_OK(shmcv_save(seg, path, SHMCV_QUALITY_DEFAULT));
    shmcv_image_info image;
    CHECK_OK(shmcv_probe(path, SHMCV_LOAD_COLOR, &image));
    CHECK_INT(67, image.width);
    CHECK_FAILS(SHMCV_E_INVALID, "", shmcv_save(seg, path, 1000));
    CHECK_OK(shmcv_probe(path, SHMCV_LOAD_COLOR, &image));
    CHECK_INT(1, files_in(folder));
}

TEST(any_unicode_path_works) {
    const char *path = temporary("\xc3\xbcn\xc3\xaf \xe7\x8c\xab \xf0\x9f\x93\xb7.png");
    const shmcv_segment seg = loaded("\xc3\xbcn\xc3\xaf code \xe7\x8c\xab.png", SHMCV_LOAD_COLOR);
    const uint32_t before = image_crc32(seg);
    CHECK_OK(shmcv_save(seg, path, SHMCV_QUALITY_DEFAULT));
    CHECK_OK(shmcv_load(seg, path, SHMCV_LOAD_COLOR, NULL));
    CHECK_INT(before, image_crc32(seg));
}

TEST(folders_are_refused) {
    const char *folder = temporary("folder.png");
    make_folder(folder);
    const shmcv_segment seg = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    CHECK_FAILS(SHMCV_E_INVALID, "folder.png", shmcv_load(seg, folder, SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "folder.png", shmcv_probe(folder, SHMCV_LOAD_COLOR, &(shmcv_image_info){0}));
    CHECK_FAILS(SHMCV_E_INVALID, "folder.png", shmcv_save(seg, folder, SHMCV_QUALITY_DEFAULT));
    CHECK(rmdir(folder) == 0); /* the folder is empty */
}
