/* Views: regions of a segment's or frame's image, as source and as target. */
#include "streams.h"
#include "vectors.h"

#include <stdio.h>
#include <string.h>

static shmcv_segment view_of(shmcv_segment seg, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    shmcv_segment view = {0};
    NEED_OK(shmcv_view(seg, x, y, width, height, &view));
    return view;
}

/* same_copy returns true if shmcv_read gives the same of both. */
static bool same_copy(shmcv_segment one, shmcv_segment other) {
    static unsigned char copies[2][3840 * 2160 * 3];
    shmcv_image_info images[2];
    NEED_OK(shmcv_read(one, NULL, copies[0], sizeof copies[0], &images[0]));
    NEED_OK(shmcv_read(other, NULL, copies[1], sizeof copies[1], &images[1]));
    return memcmp(&images[0], &images[1], sizeof images[0]) == 0 && memcmp(copies[0], copies[1], bytes_of(&images[0])) == 0;
}

/* file flag x y width height crc32 */
static void check_view(char **columns) {
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    uint64_t size;
    pixels(seg, &size);
    const shmcv_segment target = new_segment(size), view = view_of(seg, (uint32_t)number(columns[2]), (uint32_t)number(columns[3]),
                                                                   (uint32_t)number(columns[4]), (uint32_t)number(columns[5]));
    check_crc32(columns[6], view);
    CHECK_OK(shmcv_copy(view, target)); /* a crop */
    check_crc32(columns[6], target);
    CHECK(same_copy(view, target));
    CHECK_OK(shmcv_copy(view, seg)); /* the image becomes the crop */
    check_crc32(columns[6], seg);
    CHECK_OK(shmcv_close(view));
    CHECK_OK(shmcv_close(seg));
    CHECK_OK(shmcv_close(target));
}
TEST(views_agree_with_cv2) { each_vector("view", 7, check_view); }

/* file flag x y width height interpolation crc32 */
static void check_paste(char **columns) {
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1])), target = loaded(columns[0], flag_named(columns[1]));
    const uint32_t width = (uint32_t)number(columns[4]), height = (uint32_t)number(columns[5]);
    const shmcv_segment view = view_of(target, (uint32_t)number(columns[2]), (uint32_t)number(columns[3]), width, height);
    CHECK_OK(shmcv_resize(seg, view, width, height, (int32_t)number(columns[6])));
    check_crc32(columns[7], target);
    CHECK_OK(shmcv_close(view));
    CHECK_OK(shmcv_close(seg));
    CHECK_OK(shmcv_close(target));
}
TEST(pastes_agree_with_cv2) { each_vector("paste", 8, check_paste); }

/* width height x y region_width region_height result */
static void check_region(char **columns) {
    const shmcv_segment seg = counting((uint32_t)number(columns[0]), (uint32_t)number(columns[1]), SHMCV_ORDER_GRAY);
    shmcv_segment view = {0};
    const int32_t result = result_named(columns[6]);
    CHECK_INT(result, shmcv_view(seg, (uint32_t)number(columns[2]), (uint32_t)number(columns[3]), (uint32_t)number(columns[4]),
                                 (uint32_t)number(columns[5]), &view));
    if (result == SHMCV_OK) CHECK_OK(shmcv_close(view));
    else CHECK_INT(0, view.handle);
    CHECK_OK(shmcv_close(seg));
}
TEST(regions_are_checked) { each_vector("region", 7, check_region); }

TEST(errors_name_the_field) {
    const shmcv_segment seg = counting(10, 8, SHMCV_ORDER_BGR);
    shmcv_segment view;
    CHECK_FAILS(SHMCV_E_INVALID, "width and height are at least 1", shmcv_view(seg, 0, 0, 0, 1, &view));
    CHECK_FAILS(SHMCV_E_INVALID, "x 4 on, of width 7, ends at column 11; the image has 10", shmcv_view(seg, 4, 0, 7, 1, &view));
    CHECK_FAILS(SHMCV_E_INVALID, "y 8 on, of height 1, ends at row 9; the image has 8", shmcv_view(seg, 0, 8, 1, 1, &view));
    CHECK_FAILS(SHMCV_E_INVALID, "out", shmcv_view(seg, 0, 0, 1, 1, NULL));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_view(new_segment(10), 0, 0, 1, 1, &view));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_view((shmcv_segment){0}, 0, 0, 1, 1, &view));
}

/* A view has the memory of its segment, moves no byte, and tells of the region. */
TEST(view_is_memory_of_its_segment) {
    const shmcv_segment seg = counting(10, 8, SHMCV_ORDER_BGR), view = view_of(seg, 2, 3, 5, 4), inner = view_of(view, 1, 1, 2, 3);
    uint64_t size;
    const unsigned char *whole = pixels(seg, NULL);
    CHECK(pixels(view, &size) == whole + 3 * 30 + 6);
    CHECK_INT(3 * 30 + 15, size);
    CHECK(pixels(inner, &size) == whole + 4 * 30 + 9);
    CHECK_INT(2 * 30 + 6, size);
    shmcv_image_info image;
    CHECK_OK(shmcv_image_get(inner, &image));
    CHECK_INT(2, image.width);
    CHECK_INT(3, image.height);
    CHECK_INT(30, image.stride);
    shmcv_segment_info info;
    CHECK_OK(shmcv_info(inner, &info));
    CHECK_INT(66, info.size);
    CHECK(memcmp(&image, &info.image, sizeof image) == 0);
    uint64_t before = 0, after = 0;
    CHECK_OK(shmcv_sequence(inner, &before));
    CHECK_OK(shmcv_image_set(inner, &image)); /* its own description: the pixels have been written */
    CHECK_OK(shmcv_wait(view, before, 0, &after));
    CHECK_INT(before + 1, after);
    image.stride = 0;
    CHECK_FAILS(SHMCV_E_INVALID, "stride 6", shmcv_image_set(inner, &image));
    CHECK_OK(shmcv_keep(inner));
}

TEST(view_has_its_segment_open) {
    const shmcv_segment seg = counting(10, 8, SHMCV_ORDER_BGR), view = view_of(seg, 2, 3, 5, 4), inner = view_of(view, 1, 1, 2, 3);
    CHECK_OK(shmcv_close(view));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_close(view));
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_copy(view, seg));
    CHECK_OK(shmcv_close(seg));
    CHECK_INT(4 * 30 + 9, pixels(inner, NULL)[0]);
    CHECK_OK(shmcv_segment_clear(inner));
    CHECK_OK(shmcv_close(inner));
}

TEST(waits_on_a_view_are_on_its_segment_and_end_with_the_view) {
    const shmcv_segment seg = counting(10, 8, SHMCV_ORDER_BGR), view = view_of(seg, 2, 3, 5, 4), inner = view_of(view, 1, 1, 2, 3);
    uint64_t stored = 0, keys[4], count = 0;
    shmcv_wait_set set;
    NEED_OK(shmcv_wait_set_create(&set));
    NEED_OK(shmcv_sequence(seg, &stored));
    CHECK_OK(shmcv_wait_set_add_segment(set, view, stored, 1));
    CHECK_OK(shmcv_wait_set_add_segment(set, inner, stored + 10, 2));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_wait_set_wait(set, 0, keys, 4, &count));
    CHECK_OK(shmcv_flip(inner, inner, SHMCV_FLIP_BOTH));
    CHECK_OK(shmcv_wait_set_wait(set, MINUTE, keys, 4, &count));
    CHECK_INT(1, count);
    CHECK_INT(1, keys[0]);
    CHECK_OK(shmcv_close(inner));
    CHECK_OK(shmcv_wait_set_wait(set, MINUTE, keys, 4, &count));
    CHECK_INT(1, count);
    CHECK_INT(2, keys[0]);
    CHECK_OK(shmcv_wait_set_close(set));
}

TEST(view_is_closed_as_a_view) {
    const shmcv_segment seg = counting(10, 8, SHMCV_ORDER_BGR), view = view_of(seg, 2, 3, 5, 4);
    CHECK_FAILS(SHMCV_E_INVALID, "shmcv_close", shmcv_frame_close((shmcv_frame){.pixels = view}));
    CHECK_FAILS(SHMCV_E_INVALID, "view", shmcv_stream_close((shmcv_stream){.handle = view.handle}));
    CHECK_FAILS(SHMCV_E_INVALID, "view", shmcv_wait_set_close((shmcv_wait_set){.handle = view.handle}));
    CHECK_OK(shmcv_close(view));
}

TEST(view_of_an_image_that_is_no_more_is_refused) {
    const shmcv_segment seg = counting(10, 8, SHMCV_ORDER_BGR), view = view_of(seg, 2, 3, 5, 4), other = counting(5, 4, SHMCV_ORDER_BGR);
    const shmcv_image_info next = make_image(8, 10, SHMCV_ORDER_BGR);
    CHECK_OK(shmcv_image_set(seg, &next));
    static const char both[] = "of an image of 10 x 8 pixels of 3 x 8-bit (BGR), stride 30";
    CHECK_FAILS(SHMCV_E_INVALID, both, shmcv_copy(view, other));
    CHECK_FAILS(SHMCV_E_INVALID, "holds one of 8 x 10 pixels of 3 x 8-bit (BGR), stride 24", shmcv_copy(other, view));
    CHECK_FAILS(SHMCV_E_INVALID, both, shmcv_flip(view, view, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_INVALID, both, shmcv_data(view, NULL, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, both, shmcv_image_get(view, &(shmcv_image_info){0}));
    CHECK_FAILS(SHMCV_E_INVALID, both, shmcv_load(view, testdata("small.jpg"), SHMCV_LOAD_COLOR, NULL));
    CHECK_INT(1, pixels(seg, NULL)[1]);
}

/* check_target makes images in a view, and checks that an image of another kind changes nothing. */
static void check_target(shmcv_segment seg, shmcv_segment view, int32_t (*make)(shmcv_segment into)) {
    static unsigned char before[67 * 43 * 3];
    const unsigned char *now = pixels(seg, NULL);
    memcpy(before, now, sizeof before);
    shmcv_image_info image, again;
    NEED_OK(shmcv_image_get(seg, &image));
    CHECK_FAILS(SHMCV_E_INVALID, "must agree", make(view));
    CHECK(memcmp(before, now, sizeof before) == 0);
    CHECK_OK(shmcv_image_get(seg, &again));
    CHECK(memcmp(&image, &again, sizeof image) == 0);
}

static int32_t load_small(shmcv_segment into) { return shmcv_load(into, testdata("patches.png"), SHMCV_LOAD_COLOR, NULL); }
static int32_t load_gray(shmcv_segment into) { return shmcv_load(into, testdata("small.jpg"), SHMCV_LOAD_GRAY, NULL); }
static int32_t write_two(shmcv_segment into) {
    const shmcv_image_info layout = make_image(2, 1, SHMCV_ORDER_BGR);
    return shmcv_write(into, &layout, (const unsigned char *)"abcdef", 6, SHMCV_ORDER_BGR);
}
static int32_t convert_in_place(shmcv_segment into) { return shmcv_convert(into, into, SHMCV_ORDER_RGB); }
static int32_t turn_in_place(shmcv_segment into) { return shmcv_rotate(into, into, SHMCV_ROTATE_90_CLOCKWISE); }
static int32_t copy_whole(shmcv_segment into) { return shmcv_copy(counting(67, 43, SHMCV_ORDER_BGR), into); }

TEST(what_is_not_a_views_size_and_kind_is_refused) {
    const shmcv_segment seg = loaded("small.jpg", SHMCV_LOAD_COLOR), view = view_of(seg, 1, 2, 31, 17);
    int32_t (*const makers[])(shmcv_segment) = {load_small, load_gray, write_two, convert_in_place, turn_in_place, copy_whole};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) check_target(seg, view, makers[i]);
}

TEST(files_are_loaded_into_and_saved_from_views) {
    const shmcv_segment seg = counting(100, 80, SHMCV_ORDER_BGR), small = loaded("small.jpg", SHMCV_LOAD_COLOR);
    const shmcv_segment view = view_of(seg, 20, 30, 67, 43);
    static unsigned char before[100 * 80 * 3], file[1 << 16];
    memcpy(before, pixels(seg, NULL), sizeof before);
    shmcv_image_info stored;
    CHECK_OK(shmcv_load(view, testdata("small.jpg"), SHMCV_LOAD_COLOR, &stored));
    CHECK_INT(300, stored.stride);
    CHECK(same_copy(view, small));
    for (size_t y = 30; y < 73; y++) memcpy(before + (y * 100 + 20) * 3, pixels(seg, NULL) + (y * 100 + 20) * 3, (size_t)67 * 3);
    CHECK(memcmp(before, pixels(seg, NULL), sizeof before) == 0); /* nothing else has changed */
    CHECK_FAILS(SHMCV_E_DECODE, "", shmcv_load(view, testdata("corrupt.jpg"), SHMCV_LOAD_COLOR, NULL));
    CHECK(same_copy(view, small));

    CHECK_OK(shmcv_save(view, temporary("view.png"), SHMCV_QUALITY_DEFAULT));
    const shmcv_segment back = new_segment(67 * 43 * 3);
    CHECK_OK(shmcv_load(back, temporary("view.png"), SHMCV_LOAD_COLOR, NULL));
    CHECK(same_copy(back, small));
    uint64_t size;
    CHECK_OK(shmcv_encode(view, ".png", SHMCV_QUALITY_DEFAULT, file, sizeof file, &size));
    CHECK_OK(shmcv_flip(view, view, SHMCV_FLIP_BOTH));
    CHECK_OK(shmcv_decode(view, file, size, SHMCV_LOAD_COLOR, NULL));
    CHECK(same_copy(view, small));
}

/* A contact sheet: each file is loaded into its part of the sheet, in the size of that part. */
TEST(files_are_loaded_into_views_in_their_size) {
    const shmcv_segment sheet = loaded("patches.png", SHMCV_LOAD_BGRA), view = view_of(sheet, 40, 20, 60, 40);
    const shmcv_load_options options = {.flags = SHMCV_LOAD_COLOR, .order = SHMCV_ORDER_BGRA, .width = 60, .height = 40};
    shmcv_image_info image;
    NEED_OK(shmcv_probe_with(testdata("photograph.jpg"), &options, &image));
    const shmcv_segment apart = new_segment(bytes_of(&image));
    const uint32_t around = image_crc32(view_of(sheet, 100, 20, 60, 40));
    CHECK_OK(shmcv_load_with(apart, testdata("photograph.jpg"), &options, NULL));
    CHECK_OK(shmcv_load_with(view, testdata("photograph.jpg"), &options, NULL));
    CHECK_INT(image_crc32(apart), image_crc32(view));
    CHECK_INT(around, image_crc32(view_of(sheet, 100, 20, 60, 40)));
    CHECK_FAILS(SHMCV_E_INVALID, "60", shmcv_load_with(view, testdata("photograph.jpg"), NULL, NULL));
    CHECK_INT(image_crc32(apart), image_crc32(view));
}

TEST(views_of_one_image) {
    const shmcv_segment seg = counting(8, 4, SHMCV_ORDER_GRAY), left = view_of(seg, 0, 0, 4, 4), right = view_of(seg, 4, 0, 4, 4);
    const shmcv_segment middle = view_of(seg, 2, 0, 4, 4), again = view_of(seg, 0, 0, 4, 4);
    const unsigned char *now = pixels(seg, NULL);
    CHECK_OK(shmcv_flip(left, right, SHMCV_FLIP_HORIZONTAL)); /* side by side is apart */
    CHECK(memcmp(now, "\0\1\2\3\3\2\1\0", 8) == 0);
    CHECK_OK(shmcv_flip(left, again, SHMCV_FLIP_HORIZONTAL)); /* the same region is in place */
    CHECK(memcmp(now, "\3\2\1\0\3\2\1\0", 8) == 0);
    CHECK_FAILS(SHMCV_E_INVALID, "overlap", shmcv_flip(left, middle, SHMCV_FLIP_HORIZONTAL));
    CHECK_FAILS(SHMCV_E_INVALID, "overlap", shmcv_resize(left, middle, 4, 4, SHMCV_INTERPOLATION_LINEAR));
    CHECK(memcmp(now, "\3\2\1\0\3\2\1\0", 8) == 0);
    CHECK_OK(shmcv_copy(left, middle)); /* as memmove */
    CHECK(memcmp(now, "\3\2\3\2\1\0\1\0", 8) == 0);
    CHECK_OK(shmcv_rotate(left, left, SHMCV_ROTATE_90_CLOCKWISE)); /* a square stays where it is */
    CHECK_OK(shmcv_rotate(left, left, SHMCV_ROTATE_90_COUNTERCLOCKWISE));
    CHECK_OK(shmcv_rotate(left, left, SHMCV_ROTATE_180));
    CHECK_OK(shmcv_flip(left, left, SHMCV_FLIP_BOTH));
    CHECK(memcmp(now, "\3\2\3\2\1\0\1\0", 8) == 0);
    CHECK_OK(shmcv_convert(right, left, SHMCV_ORDER_GRAY));
    CHECK(memcmp(now, "\1\0\1\0\1\0\1\0", 8) == 0);
}

TEST(view_of_what_is_read_only_is_read_only) {
    const char *name = new_name();
    shmcv_segment seg, reader;
    NEED_OK(shmcv_create(name, 100, &seg));
    const shmcv_image_info image = make_image(10, 10, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_image_set(seg, &image));
    NEED_OK(shmcv_open_read_only(name, &reader));
    const shmcv_segment view = view_of(reader, 0, 0, 5, 5), other = view_of(seg, 5, 5, 5, 5);
    CHECK_FAILS(SHMCV_E_PERMISSION, "", shmcv_copy(other, view));
    CHECK_FAILS(SHMCV_E_PERMISSION, "", shmcv_flip(view, view, SHMCV_FLIP_BOTH));
    memset(pixels(seg, NULL), 7, 5);
    CHECK_OK(shmcv_copy(view, other)); /* the same memory, mapped twice */
    CHECK_INT(7, pixels(seg, NULL)[55]);
}

TEST(views_of_frames) {
    const char *name = new_name();
    const shmcv_stream stream = new_stream(name, 4);
    shmcv_frame frame;
    const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
    shmcv_segment view;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_view(frame.pixels, 0, 0, 1, 1, &view));
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    memset(pixels(frame.pixels, NULL), 0, SIZE);
    view = view_of(frame.pixels, 100, 50, 67, 43);
    const shmcv_segment nested = view_of(view, 1, 1, 5, 5), small = loaded("small-gray.png", SHMCV_LOAD_GRAY);
    CHECK_OK(shmcv_copy(small, view)); /* the writer pastes into its frame */
    CHECK_OK(shmcv_frame_publish(frame, NULL));
    CHECK_FAILS(SHMCV_E_CLOSED, "published", shmcv_copy(small, view));
    CHECK_FAILS(SHMCV_E_CLOSED, "published", shmcv_data(nested, NULL, NULL));
    CHECK_OK(shmcv_close(view));
    CHECK_OK(shmcv_close(nested));

    NEED_OK(shmcv_stream_wait(stream, 0, MINUTE, &frame, NULL));
    view = view_of(frame.pixels, 100, 50, 67, 43);
    CHECK(same_copy(view, small));
    CHECK_FAILS(SHMCV_E_PERMISSION, "", shmcv_copy(small, view));
    CHECK_FAILS(SHMCV_E_INVALID, "", shmcv_sequence(view, &(uint64_t){0}));
    CHECK_OK(shmcv_frame_close(frame));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_copy(view, small));
    for (int i = 0; i < 10; i++) put(stream, 1); /* the view holds no slot */
    CHECK_OK(shmcv_close(view));
    CHECK_OK(shmcv_stream_close(stream));
}

/* Flips in place too if it is a frame, and keeps the stride. */
TEST(frame_with_gaps_is_flipped_in_place) {
    const shmcv_stream stream = new_stream(new_name(), 4);
    shmcv_frame frame;
    shmcv_image_info image = make_image(3, 2, SHMCV_ORDER_GRAY);
    image.stride = 5;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    memcpy(pixels(frame.pixels, NULL), "abc..def", 8);
    CHECK_OK(shmcv_flip(frame.pixels, frame.pixels, SHMCV_FLIP_HORIZONTAL));
    CHECK(memcmp(pixels(frame.pixels, NULL), "cba..fed", 8) == 0);
}

TEST(view_of_a_frame_that_is_not_held) {
    const char *name = new_name();
    const shmcv_stream stream = new_stream(name, 2);
    shmcv_stream reader;
    NEED_OK(shmcv_stream_open_read_only(name, 0, &reader));
    put(stream, 1);
    shmcv_frame frame;
    NEED_OK(shmcv_stream_wait(reader, 0, MINUTE, &frame, NULL));
    const shmcv_segment view = view_of(frame.pixels, 10, 10, 4, 4), target = counting(8, 4, SHMCV_ORDER_GRAY), part = view_of(target, 4, 0, 4, 4);
    CHECK_OK(shmcv_copy(view, part));
    CHECK(memcmp(pixels(target, NULL), "\0\1\2\3\1\1\1\1\10", 9) == 0);
    for (unsigned char mark = 2; mark < 6; mark++) put(stream, mark);
    CHECK_FAILS(SHMCV_E_OVERTAKEN, "", shmcv_copy(view, part));
    CHECK(memcmp(pixels(target, NULL), "\0\1\2\3\1\1\1\1\10", 9) == 0); /* neither the image nor a pixel is lost */
    CHECK_OK(shmcv_image_get(target, &(shmcv_image_info){0}));
}
