/* Image descriptions, and reading and writing pixels by copy. */
#include "test.h"
#include "vectors.h"

#include <string.h>

TEST(there_is_no_image_before_one_is_stored) {
    const shmcv_segment seg = new_segment(64);
    shmcv_image_info image;
    memset(&image, 0x55, sizeof image);
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "image", shmcv_image_get(seg, &image));
    CHECK_INT(0x55555555, image.width);
    unsigned char buffer[64];
    const shmcv_image_info layout = make_image(4, 4, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_read(seg, &layout, buffer, sizeof buffer, NULL));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_save(seg, temporary("never.png"), SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_convert(seg, seg, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_show("window", seg));
}

TEST(image_get_returns_the_image_that_was_set) {
    const shmcv_segment seg = new_segment(4096);
    static const uint32_t orders[] = {SHMCV_ORDER_GRAY, SHMCV_ORDER_BGR, SHMCV_ORDER_BGRA, SHMCV_ORDER_RGB, SHMCV_ORDER_RGBA};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        for (uint32_t depth = SHMCV_DEPTH_U8; depth <= SHMCV_DEPTH_F32; depth++) {
            shmcv_image_info image = make_image(7, 5, orders[i]), found;
            image.depth = depth;
            image.stride = 128;
            CHECK_OK(shmcv_image_set(seg, &image));
            CHECK_OK(shmcv_image_get(seg, &found));
            CHECK(memcmp(&image, &found, sizeof image) == 0);
        }
    }
}

TEST(stride_of_zero_means_no_gap) {
    const shmcv_segment seg = new_segment(4096);
    shmcv_image_info image = make_image(7, 5, SHMCV_ORDER_BGRA), found;
    image.stride = 0;
    image.depth = SHMCV_DEPTH_U16;
    CHECK_OK(shmcv_image_set(seg, &image));
    CHECK_OK(shmcv_image_get(seg, &found));
    CHECK_INT(7 * 4 * 2, found.stride);
}

TEST(image_that_just_fits_is_taken_and_one_byte_more_is_not) {
    shmcv_image_info image = make_image(10, 3, SHMCV_ORDER_GRAY);
    image.stride = 16;
    const shmcv_segment fits = new_segment(2 * 16 + 10), small = new_segment(2 * 16 + 9);
    CHECK_OK(shmcv_image_set(fits, &image));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "42", shmcv_image_set(small, &image));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_image_get(small, &(shmcv_image_info){0}));
}

/* width height channels depth order stride segment_bytes result stored_stride */
static void check_geometry(char **columns) {
    shmcv_image_info image = {0}, found;
    image.width = (uint32_t)number(columns[0]);
    image.height = (uint32_t)number(columns[1]);
    image.channels = (uint32_t)number(columns[2]);
    image.depth = (uint32_t)number(columns[3]);
    image.order = (uint32_t)number(columns[4]);
    image.stride = (uint64_t)number(columns[5]);
    const int32_t result = result_named(columns[7]);
    const shmcv_segment seg = new_segment((uint64_t)number(columns[6]));
    CHECK_FAILS(result, "", shmcv_image_set(seg, &image));
    if (result == SHMCV_OK) {
        CHECK_OK(shmcv_image_get(seg, &found));
        image.stride = (uint64_t)number(columns[8]);
        CHECK(memcmp(&image, &found, sizeof image) == 0);
    } else {
        CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_image_get(seg, &found));
    }
    CHECK_OK(shmcv_close(seg));
}
TEST(geometry_is_checked) { each_vector("geometry", 9, check_geometry); }

TEST(nonsense_geometry_is_refused_and_the_old_image_kept) {
    const shmcv_segment seg = counting(8, 8, SHMCV_ORDER_BGR);
    const shmcv_image_info good = make_image(8, 8, SHMCV_ORDER_BGR);
    shmcv_image_info found;
#define WITH(field, value, code, part)                                                                                  \
    do {                                                                                                                \
        shmcv_image_info bad = good;                                                                                         \
        bad.field = (value);                                                                                            \
        CHECK_FAILS((code), (part), shmcv_image_set(seg, &bad));                                                        \
    } while (0)
    WITH(width, 0, SHMCV_E_INVALID, "width");
    WITH(height, 0, SHMCV_E_INVALID, "height");
    WITH(channels, 0, SHMCV_E_INVALID, "channels");
    WITH(channels, 4, SHMCV_E_INVALID, "channels");
    WITH(channels, UINT32_MAX, SHMCV_E_INVALID, "channels");
    WITH(depth, 0, SHMCV_E_INVALID, "depth");
    WITH(depth, 4, SHMCV_E_INVALID, "depth");
    WITH(order, 0, SHMCV_E_INVALID, "order");
    WITH(order, 6, SHMCV_E_INVALID, "order");
    WITH(stride, 23, SHMCV_E_INVALID, "stride");
    WITH(reserved0, 1, SHMCV_E_INVALID, "reserved");
    WITH(reserved1[3], 1, SHMCV_E_INVALID, "reserved");
    WITH(width, SHMCV_MAX_DIMENSION + 1, SHMCV_E_LIMIT, "1048577");
    WITH(height, UINT32_MAX, SHMCV_E_LIMIT, "4294967295");
    WITH(stride, UINT64_MAX, SHMCV_E_LIMIT, "stride");
    WITH(stride, (uint64_t)1 << 31, SHMCV_E_LIMIT, "stride");
    WITH(height, 1 << 20, SHMCV_E_TOO_SMALL, ""); /* within the limits, but not within the segment */
#undef WITH
    shmcv_image_info odd = good;
    odd.depth = SHMCV_DEPTH_U16;
    odd.stride = 49;
    CHECK_FAILS(SHMCV_E_INVALID, "stride", shmcv_image_set(seg, &odd));
    CHECK_OK(shmcv_image_get(seg, &found));
    CHECK(memcmp(&good, &found, sizeof good) == 0);
}

TEST(copies_honour_strides_and_touch_nothing_between_rows) {
    enum { WIDTH = 5, HEIGHT = 3, STRIDE = 24 };
    const shmcv_segment seg = counting(WIDTH, HEIGHT, SHMCV_ORDER_BGR);
    shmcv_image_info layout = make_image(WIDTH, HEIGHT, SHMCV_ORDER_BGR);
    layout.stride = STRIDE;
    unsigned char buffer[HEIGHT * STRIDE];
    memset(buffer, 0xee, sizeof buffer);
    CHECK_OK(shmcv_read(seg, &layout, buffer, sizeof buffer, NULL));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < STRIDE; x++)
            CHECK_INT(x < WIDTH * 3 ? y * WIDTH * 3 + x : 0xee, buffer[y * STRIDE + x]);

    const shmcv_segment copy = new_segment(WIDTH * HEIGHT * 3);
    CHECK_OK(shmcv_write(copy, &layout, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    CHECK(memcmp(pixels(copy, NULL), pixels(seg, NULL), WIDTH * HEIGHT * 3) == 0);
    shmcv_image_info found;
    CHECK_OK(shmcv_image_get(copy, &found));
    CHECK_INT(WIDTH * 3, found.stride);
}

TEST(copies_stay_within_the_buffer) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    const shmcv_image_info layout = make_image(4, 4, SHMCV_ORDER_BGR);
    unsigned char buffer[48];
    memset(buffer, 0xee, sizeof buffer);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "48 bytes wanted", shmcv_read(seg, &layout, buffer, 47, NULL));
    CHECK_INT(0xee, buffer[0]);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "it has 47", shmcv_write(seg, &layout, buffer, 47, SHMCV_ORDER_BGR));
    CHECK_INT(5, pixels(seg, NULL)[5]);
    CHECK_OK(shmcv_read(seg, &layout, buffer, 48, NULL));
    CHECK_INT(5, buffer[5]);
}

TEST(copy_comes_with_its_description) {
    const shmcv_segment seg = counting(4, 3, SHMCV_ORDER_BGR);
    shmcv_image_info image;
    unsigned char buffer[64];
    memset(&image, 0xee, sizeof image);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "36 bytes wanted", shmcv_read(seg, NULL, NULL, 0, &image)); /* how much it takes */
    CHECK_INT(4, image.width);
    CHECK_INT(3, image.height);
    CHECK_INT(SHMCV_ORDER_BGR, image.order);
    CHECK_INT(12, image.stride);
    memset(&image, 0xee, sizeof image);
    CHECK_OK(shmcv_read(seg, NULL, buffer, 36, &image));
    CHECK_INT(4, image.width);
    CHECK_INT(12, image.stride);
    CHECK_INT(0, memcmp(buffer, pixels(seg, NULL), 36));

    /* What is 0 in the layout is taken from the image. */
    shmcv_image_info layout = {.order = SHMCV_ORDER_RGBA, .stride = 20};
    CHECK_OK(shmcv_read(seg, &layout, buffer, sizeof buffer, &image));
    CHECK_INT(4, image.width);
    CHECK_INT(3, image.height);
    CHECK_INT(4, image.channels);
    CHECK_INT(SHMCV_DEPTH_U8, image.depth);
    CHECK_INT(SHMCV_ORDER_RGBA, image.order);
    CHECK_INT(20, image.stride);
    CHECK_INT(2, buffer[0]);
    CHECK_INT(255, buffer[3]);
    CHECK_INT(14, buffer[20]);
    layout.stride = 15;
    CHECK_FAILS(SHMCV_E_INVALID, "stride", shmcv_read(seg, &layout, buffer, sizeof buffer, &image));
    layout = (shmcv_image_info){.channels = 4};
    CHECK_FAILS(SHMCV_E_INVALID, "4 channels", shmcv_read(seg, &layout, buffer, sizeof buffer, &image));
}

TEST(size_of_an_image_is_what_a_segment_needs) {
    shmcv_image_info image = make_image(10, 3, SHMCV_ORDER_BGRA);
    uint64_t size;
    CHECK_OK(shmcv_image_size(&image, &size));
    CHECK_INT(120, size);
    image.stride = 0;
    CHECK_OK(shmcv_image_size(&image, &size));
    CHECK_INT(120, size);
    image.depth = SHMCV_DEPTH_U16;
    image.stride = 100;
    CHECK_OK(shmcv_image_size(&image, &size));
    CHECK_INT(2 * 100 + 80, size);
    const shmcv_segment seg = new_segment(size);
    CHECK_OK(shmcv_image_set(seg, &image));
    image.stride = 79;
    CHECK_FAILS(SHMCV_E_INVALID, "stride", shmcv_image_size(&image, &size));
    CHECK_INT(280, size);
}

TEST(copies_convert_the_colour_order) {
    static const unsigned char bgr[] = {1, 2, 3, 4, 5, 6};
    const shmcv_image_info two = make_image(2, 1, SHMCV_ORDER_BGR);
    const shmcv_segment seg = new_segment(64);
    CHECK_OK(shmcv_write(seg, &two, bgr, sizeof bgr, SHMCV_ORDER_RGBA));
    static const unsigned char rgba[] = {3, 2, 1, 255, 6, 5, 4, 255};
    CHECK(memcmp(pixels(seg, NULL), rgba, sizeof rgba) == 0);
    shmcv_image_info image;
    CHECK_OK(shmcv_image_get(seg, &image));
    CHECK_INT(SHMCV_ORDER_RGBA, image.order);
    CHECK_INT(4, image.channels);

    unsigned char out[8];
    const shmcv_image_info wanted = make_image(2, 1, SHMCV_ORDER_RGB);
    CHECK_OK(shmcv_read(seg, &wanted, out, sizeof out, NULL));
    static const unsigned char rgb[] = {3, 2, 1, 6, 5, 4};
    CHECK(memcmp(out, rgb, sizeof rgb) == 0);
}

TEST(copies_refuse_what_does_not_match) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    unsigned char buffer[128], before[48];
    memcpy(before, pixels(seg, NULL), sizeof before);
    shmcv_image_info layout = make_image(4, 5, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_INVALID, "5", shmcv_read(seg, &layout, buffer, sizeof buffer, NULL));
    layout = make_image(4, 4, SHMCV_ORDER_BGR);
    layout.depth = SHMCV_DEPTH_U16;
    layout.stride = 0;
    CHECK_FAILS(SHMCV_E_INVALID, "depth", shmcv_read(seg, &layout, buffer, sizeof buffer, NULL));
    layout = make_image(4, 4, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_INVALID, "order", shmcv_write(seg, &layout, buffer, sizeof buffer, 0));
    CHECK_FAILS(SHMCV_E_INVALID, "order", shmcv_write(seg, &layout, buffer, sizeof buffer, -1));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "64", shmcv_write(seg, &layout, buffer, sizeof buffer, SHMCV_ORDER_BGRA));
    layout.width = 0;
    CHECK_FAILS(SHMCV_E_INVALID, "width", shmcv_write(seg, &layout, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    CHECK(memcmp(before, pixels(seg, NULL), sizeof before) == 0);
}
