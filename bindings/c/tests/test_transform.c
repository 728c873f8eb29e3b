/* Flips and colour conversions, from one segment to another and in place. */
#include "test.h"
#include "vectors.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* file flag code crc32 */
static void check_flip(char **columns) {
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    uint64_t size;
    pixels(seg, &size);
    const shmcv_segment target = new_segment(size);
    const uint32_t before = image_crc32(seg);
    const int32_t code = (int32_t)number(columns[2]);

    CHECK_OK(shmcv_flip(seg, target, code));
    check_crc32(columns[3], target);
    CHECK_INT(before, image_crc32(seg)); /* the source has not changed */

    CHECK_OK(shmcv_flip(seg, seg, code));
    check_crc32(columns[3], seg);
    CHECK_OK(shmcv_flip(seg, seg, code)); /* a second flip undoes the first */
    CHECK_INT(before, image_crc32(seg));
    CHECK_OK(shmcv_close(seg));
    CHECK_OK(shmcv_close(target));
}
TEST(flips_agree_with_cv2) { each_vector("flip", 4, check_flip); }

/* file flag width height interpolation crc32 */
static void check_resize(char **columns) {
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    shmcv_image_info image;
    NEED_OK(shmcv_image_get(seg, &image));
    const uint32_t width = (uint32_t)number(columns[2]), height = (uint32_t)number(columns[3]);
    image.width = width;
    image.height = height;
    image.stride = 0;
    uint64_t size = 0;
    NEED_OK(shmcv_image_size(&image, &size));
    const shmcv_segment target = new_segment(size);
    CHECK_OK(shmcv_resize(seg, target, width, height, (int32_t)number(columns[4])));
    check_crc32(columns[5], target);
    CHECK_OK(shmcv_close(seg));
    CHECK_OK(shmcv_close(target));
}
TEST(resizes_agree_with_cv2) { each_vector("resize", 6, check_resize); }

/* file flag code crc32 */
static void check_rotation(char **columns) {
    const shmcv_segment seg = loaded(columns[0], flag_named(columns[1]));
    uint64_t size;
    pixels(seg, &size);
    const shmcv_segment target = new_segment(size);
    const int32_t code = (int32_t)number(columns[2]);
    CHECK_OK(shmcv_rotate(seg, target, code));
    check_crc32(columns[3], target);
    CHECK_OK(shmcv_rotate(seg, seg, code));
    check_crc32(columns[3], seg);
    CHECK_OK(shmcv_close(seg));
    CHECK_OK(shmcv_close(target));
}
TEST(rotations_agree_with_cv2) { each_vector("rotate", 4, check_rotation); }

TEST(resize_and_rotate_refuse_what_makes_no_sense) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR), target = new_segment(48);
    CHECK_FAILS(SHMCV_E_INVALID, "width", shmcv_resize(seg, target, 0, 4, SHMCV_INTERPOLATION_AREA));
    CHECK_FAILS(SHMCV_E_INVALID, "height", shmcv_resize(seg, target, 4, 0, SHMCV_INTERPOLATION_AREA));
    CHECK_FAILS(SHMCV_E_LIMIT, "4294967295", shmcv_resize(seg, target, UINT32_MAX, 1, SHMCV_INTERPOLATION_AREA));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "75", shmcv_resize(seg, target, 5, 5, SHMCV_INTERPOLATION_AREA));
    CHECK_FAILS(SHMCV_E_INVALID, "interpolation 5", shmcv_resize(seg, target, 2, 2, 5));
    CHECK_FAILS(SHMCV_E_INVALID, "interpolation -1", shmcv_resize(seg, target, 2, 2, -1));
    CHECK_FAILS(SHMCV_E_INVALID, "overlap", shmcv_resize(seg, seg, 2, 2, SHMCV_INTERPOLATION_AREA));
    CHECK_FAILS(SHMCV_E_INVALID, "code 3", shmcv_rotate(seg, target, 3));
    CHECK_FAILS(SHMCV_E_INVALID, "code -1", shmcv_rotate(seg, seg, -1));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_image_get(target, &(shmcv_image_info){0}));
    CHECK_INT(1, pixels(seg, NULL)[1]);
    CHECK_OK(shmcv_resize(seg, target, 4, 4, SHMCV_INTERPOLATION_LANCZOS4));
    CHECK_FAILS(SHMCV_E_INVALID, "interpolation 5", shmcv_resize(seg, target, 4, 4, 5));
    CHECK(memcmp(pixels(seg, NULL), pixels(target, NULL), 48) == 0);
}

TEST(photograph_is_flipped_pixel_by_pixel) {
    const shmcv_segment seg = loaded("photograph.jpg", SHMCV_LOAD_COLOR), target = new_segment(3840 * 2160 * 3);
    CHECK_OK(shmcv_flip(seg, target, SHMCV_FLIP_HORIZONTAL));
    const unsigned char *from = pixels(seg, NULL), *to = pixels(target, NULL);
    bool mirrored = true;
    for (size_t y = 0; y < 2160; y++)
        for (size_t x = 0; x < 3840; x++)
            mirrored = mirrored && memcmp(from + (y * 3840 + x) * 3, to + (y * 3840 + 3839 - x) * 3, 3) == 0;
    CHECK(mirrored);
}

/* Flips images of every kind, with a stride, in every direction, and compares them with the definition of a flip. */
TEST(flip_honours_strides_of_every_kind) {
    enum { WIDTH = 37, HEIGHT = 5 };
    static const uint32_t orders[] = {SHMCV_ORDER_GRAY, SHMCV_ORDER_BGR, SHMCV_ORDER_BGRA};
    for (size_t o = 0; o < 3; o++) {
        for (uint32_t depth = SHMCV_DEPTH_U8; depth <= SHMCV_DEPTH_F32; depth++) {
            shmcv_image_info image = make_image(WIDTH, HEIGHT, orders[o]);
            const size_t pixel = image.channels * ((size_t)1 << (depth - 1)), row = pixel * WIDTH, stride = row + 20;
            image.depth = depth;
            image.stride = stride;
            const shmcv_segment seg = new_segment(stride * HEIGHT), target = new_segment(row * HEIGHT);
            unsigned char *from = pixels(seg, NULL), *to = pixels(target, NULL);
            for (size_t i = 0; i < stride * HEIGHT; i++) from[i] = (unsigned char)(i * 31 % 251);
            NEED_OK(shmcv_image_set(seg, &image));
            for (int32_t code = -1; code <= 1; code++) {
                CHECK_OK(shmcv_flip(seg, target, code));
                bool right = true;
                for (size_t y = 0; y < HEIGHT; y++) {
                    for (size_t x = 0; x < WIDTH; x++) {
                        const size_t fx = code == SHMCV_FLIP_VERTICAL ? x : WIDTH - 1 - x;
                        const size_t fy = code == SHMCV_FLIP_HORIZONTAL ? y : HEIGHT - 1 - y;
                        right = right && memcmp(to + y * row + x * pixel, from + fy * stride + fx * pixel, pixel) == 0;
                    }
                }
                CHECK(right);
                shmcv_image_info found;
                CHECK_OK(shmcv_image_get(target, &found));
                CHECK_INT(row, found.stride);
            }
            /* In place a flip keeps the stride, and the bytes between the rows. */
            const unsigned char between = from[row];
            CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
            CHECK_INT(between, from[row]);
            bool same = true;
            CHECK_OK(shmcv_flip(seg, target, SHMCV_FLIP_BOTH));
            for (size_t y = 0; y < HEIGHT; y++)
                for (size_t x = 0; x < row; x++) same = same && to[y * row + x] == (unsigned char)((y * stride + x) * 31 % 251);
            CHECK(same);
            shmcv_image_info found;
            CHECK_OK(shmcv_image_get(seg, &found));
            CHECK_INT(stride, found.stride);
            CHECK_OK(shmcv_close(seg));
            CHECK_OK(shmcv_close(target));
        }
    }
}

TEST(two_handles_of_one_segment_flip_in_place) {
    const char *name = new_name();
    shmcv_segment one, two;
    NEED_OK(shmcv_create(name, 6, &one));
    NEED_OK(shmcv_open(name, &two));
    memcpy(pixels(one, NULL), "abcdef", 6);
    const shmcv_image_info image = make_image(2, 1, SHMCV_ORDER_BGR);
    CHECK_OK(shmcv_image_set(one, &image));
    CHECK_OK(shmcv_flip(one, two, SHMCV_FLIP_HORIZONTAL));
    CHECK(memcmp(pixels(one, NULL), "defabc", 6) == 0);
}

TEST(other_flip_codes_are_refused) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR), target = new_segment(48);
    static const int32_t codes[] = {2, 7, -2, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char code[16];
        snprintf(code, sizeof code, "%d", codes[i]);
        CHECK_FAILS(SHMCV_E_INVALID, code, shmcv_flip(seg, target, codes[i]));
        CHECK_FAILS(SHMCV_E_INVALID, code, shmcv_flip(seg, seg, codes[i]));
    }
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_image_get(target, &(shmcv_image_info){0}));
    CHECK_INT(1, pixels(seg, NULL)[1]);
}

TEST(too_small_a_target_is_told_how_many_bytes_it_takes) {
    const shmcv_segment seg = counting(10, 10, SHMCV_ORDER_BGR), small = new_segment(299);
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "300", shmcv_flip(seg, small, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "400", shmcv_convert(seg, small, SHMCV_ORDER_BGRA));
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "400", shmcv_convert(seg, seg, SHMCV_ORDER_RGBA));
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "", shmcv_image_get(small, &(shmcv_image_info){0}));
}

TEST(convert_reorders_adds_and_drops_channels) {
    static const unsigned char start[] = {10, 20, 30, 200, 100, 50};
    static const struct {
        uint32_t order;
        unsigned char expected[8];
    } cases[] = {
        {SHMCV_ORDER_BGR, {10, 20, 30, 200, 100, 50}},
        {SHMCV_ORDER_RGB, {30, 20, 10, 50, 100, 200}},
        {SHMCV_ORDER_BGRA, {10, 20, 30, 255, 200, 100, 50, 255}},
        {SHMCV_ORDER_RGBA, {30, 20, 10, 255, 50, 100, 200, 255}},
        {SHMCV_ORDER_GRAY, {22, 96}}, /* 0.299 R + 0.587 G + 0.114 B */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const shmcv_segment seg = new_segment(8), target = new_segment(8);
        const shmcv_image_info image = make_image(2, 1, SHMCV_ORDER_BGR);
        memcpy(pixels(seg, NULL), start, sizeof start);
        NEED_OK(shmcv_image_set(seg, &image));
        shmcv_image_info found;
        CHECK_OK(shmcv_convert(seg, target, (int32_t)cases[i].order));
        CHECK_OK(shmcv_image_get(target, &found));
        CHECK_INT(cases[i].order, found.order);
        CHECK(memcmp(cases[i].expected, pixels(target, NULL), found.channels * 2) == 0);

        CHECK_OK(shmcv_convert(seg, seg, (int32_t)cases[i].order)); /* in place */
        CHECK_OK(shmcv_image_get(seg, &found));
        CHECK_INT(cases[i].order, found.order);
        CHECK(memcmp(cases[i].expected, pixels(seg, NULL), found.channels * 2) == 0);
    }
}

TEST(unknown_orders_are_refused) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    static const int32_t orders[] = {0, 6, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        CHECK_FAILS(SHMCV_E_INVALID, "order", shmcv_convert(seg, seg, orders[i]));
}

/* Two images of one colour each: one is large and all 1, the other is small and all 2. */
enum { LARGE_WIDTH = 640, LARGE_HEIGHT = 480, SMALL_WIDTH = 200, SMALL_HEIGHT = 100, LARGE = LARGE_WIDTH * LARGE_HEIGHT };

static void store_mark(shmcv_segment seg, int mark) {
    static unsigned char ones[LARGE], twos[LARGE];
    memset(ones, 1, sizeof ones);
    memset(twos, 2, sizeof twos);
    const shmcv_image_info image = mark == 1 ? make_image(LARGE_WIDTH, LARGE_HEIGHT, SHMCV_ORDER_GRAY)
                                             : make_image(SMALL_WIDTH, SMALL_HEIGHT, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_write(seg, &image, mark == 1 ? ones : twos, LARGE, SHMCV_ORDER_GRAY));
}

/* check_mark fails unless the segment holds one of the two images, whole. */
static void check_mark(shmcv_segment seg) {
    static __thread unsigned char copy[LARGE];
    shmcv_image_info image;
    NEED_OK(shmcv_read(seg, NULL, copy, sizeof copy, &image));
    const unsigned char mark = image.width == LARGE_WIDTH ? 1 : 2;
    NEED(image.height == (mark == 1 ? LARGE_HEIGHT : SMALL_HEIGHT));
    for (uint32_t i = 0; i < image.width * image.height; i++) NEED(copy[i] == mark);
}

enum { ROUNDS = 400 };

static void *store_in_turn(void *seg) {
    for (int i = 0; i < ROUNDS; i++) store_mark(*(shmcv_segment *)seg, 1 + i % 2);
    return NULL;
}

static shmcv_segment marked(void) {
    const shmcv_segment seg = new_segment(LARGE);
    store_mark(seg, 1);
    return seg;
}

TEST(in_place_takes_the_image_that_is_there_in_its_turn) {
    shmcv_segment seg = marked();
    pthread_t storer;
    NEED(pthread_create(&storer, NULL, store_in_turn, &seg) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(shmcv_flip(seg, seg, i % 3 - 1));
        check_mark(seg);
        CHECK_OK(shmcv_convert(seg, seg, SHMCV_ORDER_GRAY));
        check_mark(seg);
    }
    pthread_join(storer, NULL);
    check_mark(seg);
}

TEST(transform_of_a_segment_that_is_stored_to_gives_one_image) {
    shmcv_segment seg = marked(), target = marked();
    pthread_t storer;
    NEED(pthread_create(&storer, NULL, store_in_turn, &seg) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(i % 2 ? shmcv_flip(seg, target, SHMCV_FLIP_VERTICAL) : shmcv_convert(seg, target, SHMCV_ORDER_GRAY));
        check_mark(target);
    }
    pthread_join(storer, NULL);
}

static shmcv_segment opposite[2];

static void *flip_back(void *unused) {
    for (int i = 0; i < ROUNDS; i++) CHECK_OK(shmcv_flip(opposite[1], opposite[0], SHMCV_FLIP_BOTH));
    return unused;
}

TEST(transforms_in_opposite_directions_do_not_wait_for_each_other) {
    opposite[0] = marked();
    opposite[1] = new_segment(LARGE);
    store_mark(opposite[1], 2);
    pthread_t back;
    NEED(pthread_create(&back, NULL, flip_back, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) CHECK_OK(shmcv_flip(opposite[0], opposite[1], SHMCV_FLIP_BOTH));
    pthread_join(back, NULL);
    check_mark(opposite[0]);
    check_mark(opposite[1]);
}

TEST(file_that_is_saved_while_others_store_is_of_one_image) {
    shmcv_segment seg = marked(), back = new_segment(LARGE);
    pthread_t storer;
    NEED(pthread_create(&storer, NULL, store_in_turn, &seg) == 0);
    for (int i = 0; i < 40; i++) {
        NEED_OK(shmcv_save(seg, temporary("one.pgm"), SHMCV_QUALITY_DEFAULT));
        NEED_OK(shmcv_load(back, temporary("one.pgm"), SHMCV_LOAD_GRAY, NULL));
        check_mark(back);
    }
    pthread_join(storer, NULL);
}
