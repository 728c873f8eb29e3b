/* See vectors.h. */
#define _GNU_SOURCE
#include "vectors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 16 }; /* and no line of the file is longer than 4000 bytes */

void each_vector(const char *kind, int columns, vector_check *check) {
    FILE *file = fopen(testdata("vectors.tsv"), "r");
    NEED(file != NULL);
    char line[4096], what[sizeof line];
    int rows = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(what, sizeof what, "%s", line);
        char *fields[MOST_COLUMNS + 1] = {NULL}, *rest = line;
        int count = 0;
        for (char *field; (field = strtok_r(NULL, "\t", &rest)) != NULL && count < MOST_COLUMNS;) fields[count++] = field;
        if (count == 0 || strcmp(fields[0], kind) != 0) continue;
        checking(what);
        if (CHECK_INT(columns, count - 1)) check(fields + 1);
        rows++;
    }
    checking(NULL);
    CHECK(rows > 0);
    fclose(file);
}

typedef struct word {
    const char *name;
    int32_t value;
} word;

static int32_t look_up(const word *words, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].name, name) == 0) return words[i].value;
    fprintf(stderr, "vectors.tsv says '%s', which these tests do not know\n", name);
    exit(2);
}
#define LOOK_UP(words, name) look_up(words, sizeof words / sizeof *words, name)

uint32_t depth_named(const char *name) {
    static const word depths[] = {{"u8", SHMCV_DEPTH_U8}, {"u16", SHMCV_DEPTH_U16}, {"f32", SHMCV_DEPTH_F32}};
    return (uint32_t)LOOK_UP(depths, name);
}

uint32_t order_named(const char *name) {
    static const word orders[] = {{"gray", SHMCV_ORDER_GRAY},
                                  {"bgr", SHMCV_ORDER_BGR},
                                  {"bgra", SHMCV_ORDER_BGRA},
                                  {"rgb", SHMCV_ORDER_RGB},
                                  {"rgba", SHMCV_ORDER_RGBA}};
    return (uint32_t)LOOK_UP(orders, name);
}

int32_t flag_named(const char *name) {
    static const word flags[] = {{"color", SHMCV_LOAD_COLOR},
                                 {"gray", SHMCV_LOAD_GRAY},
                                 {"unchanged", SHMCV_LOAD_UNCHANGED},
                                 {"bgra", SHMCV_LOAD_BGRA},
                                 {"color+any_depth", SHMCV_LOAD_COLOR | SHMCV_LOAD_ANY_DEPTH},
                                 {"gray+any_depth", SHMCV_LOAD_GRAY | SHMCV_LOAD_ANY_DEPTH}};
    return LOOK_UP(flags, name);
}

int32_t result_named(const char *name) {
    static const word results[] = {{"OK", SHMCV_OK},
                                   {"E_INVALID", SHMCV_E_INVALID},
                                   {"E_NOT_FOUND", SHMCV_E_NOT_FOUND},
                                   {"E_TOO_SMALL", SHMCV_E_TOO_SMALL},
                                   {"E_DECODE", SHMCV_E_DECODE},
                                   {"E_UNSUPPORTED", SHMCV_E_UNSUPPORTED},
                                   {"E_LIMIT", SHMCV_E_LIMIT}};
    return LOOK_UP(results, name);
}

int64_t number(const char *digits) {
    char *end;
    errno = 0;
    /* Strides reach beyond 2^63. */
    const int64_t value = digits[0] == '-' ? strtoll(digits, &end, 10) : (int64_t)strtoull(digits, &end, 10);
    if (errno == 0 && end != digits && *end == '\0') return value;
    fprintf(stderr, "vectors.tsv says '%s' where a number should be\n", digits);
    exit(2);
}

shmcv_load_options options_named(const char *flag, const char *fields) {
    shmcv_load_options options = {.flags = flag_named(flag)};
    const int found = sscanf(fields, "%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNd32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu64,
                             &options.order, &options.scale, &options.width, &options.height, &options.interpolation, &options.x,
                             &options.y, &options.region_width, &options.region_height, &options.reserved[2]);
    if (found == 10) return options;
    fprintf(stderr, "vectors.tsv says '%s' where options should be\n", fields);
    exit(2);
}

static uint64_t row_bytes(const shmcv_image_info *image) {
    static const uint64_t sample[] = {0, 1, 2, 4};
    return (uint64_t)image->width * image->channels * sample[image->depth];
}

uint64_t bytes_of(const shmcv_image_info *image) { return (image->height - 1) * image->stride + row_bytes(image); }

static uint32_t crc32_more(uint32_t crc, const unsigned char *data, uint64_t size) {
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            table[i] = i;
            for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
        }
    }
    crc = ~crc;
    while (size-- > 0) crc = crc >> 8 ^ table[(crc ^ *data++) & 0xff];
    return ~crc;
}

uint32_t image_crc32(shmcv_segment seg) {
    shmcv_image_info image;
    NEED_OK(shmcv_image_get(seg, &image));
    const unsigned char *data = pixels(seg, NULL);
    uint32_t crc = 0;
    for (uint64_t y = 0; y < image.height; y++) crc = crc32_more(crc, data + y * image.stride, row_bytes(&image));
    return crc;
}

void check_crc32(const char *column, shmcv_segment seg) {
    char crc[16];
    snprintf(crc, sizeof crc, "%08" PRIx32, image_crc32(seg));
    CHECK_TEXT(column, crc);
}

void check_image(shmcv_segment seg, char **columns) {
    shmcv_image_info image;
    NEED_OK(shmcv_image_get(seg, &image));
    CHECK_INT(number(columns[0]), image.width);
    CHECK_INT(number(columns[1]), image.height);
    CHECK_INT(number(columns[2]), image.channels);
    CHECK_INT(depth_named(columns[3]), image.depth);
    CHECK_INT(order_named(columns[4]), image.order);
    CHECK_INT(row_bytes(&image), image.stride);
    check_crc32(columns[5], seg);
}

shmcv_segment loaded(const char *file, int32_t flags) {
    shmcv_image_info image;
    NEED_OK(shmcv_probe(testdata(file), flags, &image));
    const shmcv_segment seg = new_segment(bytes_of(&image));
    NEED_OK(shmcv_load(seg, testdata(file), flags, NULL));
    return seg;
}

/* old_image describes the image of with_old_image, which is one row. */
static shmcv_image_info old_image(uint64_t size) { return make_image((uint32_t)(size < 512 ? size : 512), 1, SHMCV_ORDER_GRAY); }

shmcv_segment with_old_image(uint64_t size) {
    const shmcv_segment seg = new_segment(size);
    unsigned char *data = pixels(seg, &size);
    const shmcv_image_info old = old_image(size);
    for (uint64_t i = 0; i < old.width; i++) data[i] = (unsigned char)(i * 7);
    NEED_OK(shmcv_image_set(seg, &old));
    return seg;
}

void check_old_image(shmcv_segment seg) {
    shmcv_image_info found;
    uint64_t size;
    const unsigned char *data = pixels(seg, &size);
    const shmcv_image_info old = old_image(size);
    CHECK_OK(shmcv_image_get(seg, &found));
    CHECK(memcmp(&old, &found, sizeof old) == 0);
    bool kept = true;
    for (uint64_t i = 0; i < old.width; i++) kept = kept && data[i] == (unsigned char)(i * 7);
    CHECK(kept);
}
