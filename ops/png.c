// libdeflate inflates twice as fast as zlib does, but wants the whole stream and room for the whole result. So the rows
// lie in scratch memory, filtered, before the first pixel is made. The checksum of the inflated bytes is taken row by
// row, just before a row is unfiltered, when it has to be fetched into the cache anyway.
#include "png.h"

#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

// Samples of 16 bits are big-endian in the file, and become the machine's.
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "PNG samples of 16 bits are written for little-endian machines"
#endif

// The passes of an interlaced image (Adam7): each has the pixels of every x_step-th column and y_step-th row.
static const struct pass {
    uint8_t x, y, x_step, y_step;
} passes[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
static const struct pass everything = {0, 0, 1, 1};

static size_t pass_count(const struct ops_png *png) { return png->interlaced ? sizeof passes / sizeof *passes : 1; }
static struct pass pass_of(const struct ops_png *png, size_t n) { return png->interlaced ? passes[n] : everything; }

static size_t steps(uint32_t length, uint8_t from, uint8_t step) { return ((size_t)length + step - 1 - from) / step; }
static size_t pass_width(const struct ops_png *png, struct pass p) { return steps(png->width, p.x, p.x_step); }
static size_t pass_height(const struct ops_png *png, struct pass p) { return steps(png->height, p.y, p.y_step); }

static size_t channels_of(uint8_t colour_type) {
    switch (colour_type) {
    case OPS_PNG_RGB: return 3;
    case OPS_PNG_GRAY_ALPHA: return 2;
    case OPS_PNG_RGBA: return 4;
    }
    return 1;
}

// Returns the number of bytes of a row of so many pixels, without its filter.
static size_t row_size(const struct ops_png *png, size_t width) {
    return (width * channels_of(png->colour_type) * png->bit_depth + 7) / 8;
}

size_t ops_png_raw_size(const struct ops_png *png) {
    size_t size = 0;
    for (size_t n = 0; n < pass_count(png); n++) {
        const struct pass p = pass_of(png, n);
        const size_t width = pass_width(png, p);
        if (width > 0) size += pass_height(png, p) * (1 + row_size(png, width)); // a pass without pixels has no filters
    }
    return size;
}

// What a zlib stream inflates to.
struct inflated {
    size_t size;       // bytes in all; of a result that did not fit, at least those of the rows
    bool cut;          // the result did not fit
    uint32_t checksum; // that the stream states, if the result did fit
};

// Inflates a zlib stream into `room` bytes.
static int inflate_whole(const uint8_t *stream, size_t size, void *raw, size_t room, struct inflated *out) {
    const size_t header = 2, trailer = 4;
    // The header: method 8 with a window of up to 32 KiB, no dictionary, a multiple of 31.
    if (size < header || (stream[0] & 15) != 8 || stream[0] >> 4 > 7 || stream[1] & 32 ||
        (stream[0] << 8 | stream[1]) % 31 != 0)
        return OPS_PNG_STREAM;
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor) return OPS_PNG_NO_MEMORY;
    size_t used, made;
    const enum libdeflate_result result = libdeflate_deflate_decompress_ex(
        decompressor, stream + header, size - header, raw, room, &used, &made);
    libdeflate_free_decompressor(decompressor);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
        *out = (struct inflated){room, true, 0};
        return OPS_PNG_READ;
    }
    if (result != LIBDEFLATE_SUCCESS) return OPS_PNG_STREAM;
    if (size - header - used < trailer) return OPS_PNG_CHECKSUM;
    const uint8_t *end = stream + header + used;
    *out = (struct inflated){made, false, (uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 | end[3]};
    return OPS_PNG_READ;
}

// How a row's samples are laid out.
enum layout { PACKED, GRAY8, GRAY16, GRAY_ALPHA8, GRAY_ALPHA16, RGB8, RGB16, RGBA8, RGBA16, INDEXED8 };

static enum layout layout_of(const struct ops_png *png) {
    const bool deep = png->bit_depth == 16;
    switch (png->colour_type) {
    case OPS_PNG_RGB: return deep ? RGB16 : RGB8;
    case OPS_PNG_GRAY_ALPHA: return deep ? GRAY_ALPHA16 : GRAY_ALPHA8;
    case OPS_PNG_RGBA: return deep ? RGBA16 : RGBA8;
    case OPS_PNG_INDEXED: return png->bit_depth == 8 ? INDEXED8 : PACKED;
    }
    return deep ? GRAY16 : png->bit_depth == 8 ? GRAY8 : PACKED;
}

static bool is_deep(enum layout from) {
    return from == GRAY16 || from == GRAY_ALPHA16 || from == RGB16 || from == RGBA16;
}

struct colour {
    uint32_t blue, green, red, alpha; // of 16 bits where the layout is, else of 8
};

static inline uint32_t big_endian(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

__attribute__((always_inline)) static inline struct colour of_gray(uint32_t gray, uint32_t alpha) {
    return (struct colour){gray, gray, gray, alpha};
}

// Returns the x-th pixel of a row. The layout is a constant where this is inlined.
__attribute__((always_inline)) static inline struct colour pixel_at(const struct ops_png *png, const uint8_t *row,
                                                                    size_t x, enum layout from) {
    const uint8_t *p;
    struct colour c;
    switch (from) {
    case PACKED: {
        const size_t bit = x * png->bit_depth;
        p = png->colours[row[bit / 8] >> (8 - png->bit_depth - bit % 8) & ((1 << png->bit_depth) - 1)];
        return (struct colour){p[0], p[1], p[2], p[3]};
    }
    case INDEXED8:
        p = png->colours[row[x]];
        return (struct colour){p[0], p[1], p[2], p[3]};
    case GRAY8: return of_gray(row[x], 255);
    case GRAY16: return of_gray(big_endian(row + 2 * x), 65535);
    case GRAY_ALPHA8: return of_gray(row[2 * x], row[2 * x + 1]);
    case GRAY_ALPHA16: return of_gray(big_endian(row + 4 * x), big_endian(row + 4 * x + 2));
    case RGB8:
        p = row + 3 * x;
        c = (struct colour){p[2], p[1], p[0], 255};
        break;
    case RGB16:
        p = row + 6 * x;
        c = (struct colour){big_endian(p + 4), big_endian(p + 2), big_endian(p), 65535};
        break;
    case RGBA8:
        p = row + 4 * x;
        return (struct colour){p[2], p[1], p[0], p[3]};
    case RGBA16:
        p = row + 8 * x;
        return (struct colour){big_endian(p + 4), big_endian(p + 2), big_endian(p), big_endian(p + 6)};
    default: return (struct colour){0};
    }
    if (png->has_key && c.red == png->key[0] && c.green == png->key[1] && c.blue == png->key[2]) c.alpha = 0;
    return c;
}

// OpenCV's weights for the gray of a PNG. It rounds those of 16 bits, and cuts off those of 8.
__attribute__((always_inline)) static inline uint32_t gray_of(struct colour c, bool deep) {
    return (9797 * c.red + 19234 * c.green + 3737 * c.blue + (deep ? 16384 : 0)) >> 15;
}

// Makes `width` pixels of a row. All but the row, its width and the destination are constants where this is inlined.
__attribute__((always_inline)) static inline void convert_from(const struct ops_png *png, const uint8_t *row,
                                                               size_t width, uint8_t *out, enum layout from,
                                                               size_t channels, size_t sample_bytes) {
    const bool deep = is_deep(from);
    for (size_t x = 0; x < width; x++) {
        const struct colour c = pixel_at(png, row, x, from);
        uint32_t samples[4] = {c.blue, c.green, c.red, c.alpha};
        if (channels == 1) samples[0] = gray_of(c, deep);
        for (size_t i = 0; i < channels; i++, out += sample_bytes) {
            if (sample_bytes == 1) {
                *out = (uint8_t)(deep ? samples[i] >> 8 : samples[i]);
            } else {
                const uint16_t sample = (uint16_t)samples[i];
                memcpy(out, &sample, sizeof sample);
            }
        }
    }
}

static void convert(const struct ops_png *png, const uint8_t *row, size_t width, uint8_t *out) {
#define FROM(layout)                                                                                                 \
    case layout:                                                                                                     \
        switch (png->channels * 10 + png->sample_bytes) {                                                            \
        case 11: convert_from(png, row, width, out, layout, 1, 1); break;                                            \
        case 31: convert_from(png, row, width, out, layout, 3, 1); break;                                            \
        case 41: convert_from(png, row, width, out, layout, 4, 1); break;                                            \
        case 12: convert_from(png, row, width, out, layout, 1, 2); break;                                            \
        case 32: convert_from(png, row, width, out, layout, 3, 2); break;                                            \
        case 42: convert_from(png, row, width, out, layout, 4, 2); break;                                            \
        }                                                                                                            \
        break
    switch (layout_of(png)) {
        FROM(PACKED);
        FROM(GRAY8);
        FROM(GRAY16);
        FROM(GRAY_ALPHA8);
        FROM(GRAY_ALPHA16);
        FROM(RGB8);
        FROM(RGB16);
        FROM(RGBA16);
        FROM(INDEXED8);
    case RGBA8:
        if (png->channels == 3) ops_png_drop_fourth(row, out, width, png->vectors);
        else convert_from(png, row, width, out, RGBA8, 1, 1);
        break;
    }
#undef FROM
}

// How a row gets from the file's bytes into the image.
struct way {
    size_t pixel;         // bytes from a byte to the one that the filters compare it with
    const uint8_t *order; // for ops_png_unfilter
    bool converted;       // unfiltering alone does not make the image's pixels
};

static struct way way_of(const struct ops_png *png) {
    static const uint8_t same[] = {0, 1, 2, 3, 4, 5, 6, 7}, gray16[] = {1, 0};
    static const uint8_t bgr[] = {2, 1, 0}, bgra[] = {2, 1, 0, 3};
    static const uint8_t bgr16[] = {5, 4, 3, 2, 1, 0}, bgra16[] = {5, 4, 3, 2, 1, 0, 7, 6};
    const size_t bits = channels_of(png->colour_type) * png->bit_depth;
    const bool as_deep = png->sample_bytes * 8 == png->bit_depth;
    struct way way = {bits < 8 ? 1 : bits / 8, same, false};
    switch (layout_of(png)) {
    case GRAY8:
        if (png->channels == 1) return way;
        break;
    case GRAY16:
        if (png->channels == 1 && as_deep) return (struct way){2, gray16, false};
        break;
    case RGB8:
        if (png->channels == 3) return (struct way){3, bgr, false};
        break;
    case RGB16:
        if (png->channels == 3 && as_deep) return (struct way){6, bgr16, false};
        break;
    case RGBA8:
        if (png->channels == 4) return (struct way){4, bgra, false};
        if (png->channels == 3) way.order = bgra; // and the alpha is dropped
        break;
    case RGBA16:
        if (png->channels == 4 && as_deep) return (struct way){8, bgra16, false};
        break;
    default: break;
    }
    way.converted = true;
    return way;
}

// Puts `width` pixels of `size` bytes into every `step`-th place.
static void spread(const uint8_t *pixels, size_t width, uint8_t *out, size_t step, size_t size) {
    switch (size) {
#define PLACE(bytes)                                                                                                 \
    case bytes:                                                                                                      \
        for (size_t x = 0; x < width; x++) memcpy(out + x * step * bytes, pixels + x * bytes, bytes);                \
        break
        PLACE(1);
        PLACE(2);
        PLACE(3);
        PLACE(4);
        PLACE(6);
        PLACE(8);
#undef PLACE
    }
}

// A few rows that do not go straight into the image.
struct rows {
    uint8_t *zeros;         // above the first row
    uint8_t *unfiltered[2]; // this row and the one above it, in turns
    uint8_t *converted;
};

// Makes the pixels of a pass out of its rows at *raw, and moves *raw behind them. Adds the rows to the checksum.
// Returns false if a row has a filter that does not exist.
static bool read_pass(const struct ops_png *png, struct pass p, struct way way, const struct rows *rows,
                      const uint8_t **raw, uint8_t *pixels, uint32_t *checksum) {
    const size_t width = pass_width(png, p), height = width ? pass_height(png, p) : 0, size = row_size(png, width);
    const size_t pixel = (size_t)png->channels * png->sample_bytes, stride = png->width * pixel;
    const bool straight = !way.converted && p.x_step == 1;
    const uint8_t *above = rows->zeros;
    for (size_t y = 0; y < height; y++, *raw += 1 + size) {
        const uint8_t filter = **raw;
        if (filter >= OPS_PNG_FILTERS) return false;
        *checksum = libdeflate_adler32(*checksum, *raw, 1 + size);
        uint8_t *out = pixels + (p.y + y * p.y_step) * stride + p.x * pixel;
        uint8_t *unfiltered = straight ? out : rows->unfiltered[y % 2];
        ops_png_unfilter(filter, *raw + 1, above, unfiltered, size, way.pixel, way.order, png->vectors);
        above = unfiltered;
        if (straight) continue;
        const uint8_t *row = unfiltered;
        if (way.converted) {
            uint8_t *converted = p.x_step == 1 ? out : rows->converted;
            convert(png, unfiltered, width, converted);
            row = converted;
        }
        if (row != out) spread(row, width, out, p.x_step, pixel);
    }
    return true;
}

int ops_png_read(const struct ops_png *png, const void *stream, size_t size, void *raw, void *pixels) {
    struct inflated inflated;
    const size_t raw_size = ops_png_raw_size(png);
    const int code = inflate_whole(stream, size, raw, raw_size + OPS_PNG_SPARE, &inflated);
    if (code != OPS_PNG_READ) return code;
    if (inflated.size < raw_size) return OPS_PNG_SHORT;

    const size_t filtered = row_size(png, png->width);
    const size_t converted = (size_t)png->width * png->channels * png->sample_bytes;
    uint8_t *memory = malloc(3 * filtered + converted);
    if (!memory) return OPS_PNG_NO_MEMORY;
    memset(memory, 0, filtered);
    const struct rows rows = {memory, {memory + filtered, memory + 2 * filtered}, memory + 3 * filtered};
    const struct way way = way_of(png);
    const uint8_t *rest = raw;
    uint32_t checksum = 1;
    bool read = true;
    for (size_t n = 0; read && n < pass_count(png); n++)
        read = read_pass(png, pass_of(png, n), way, &rows, &rest, pixels, &checksum);
    free(memory);
    if (!read) return OPS_PNG_FILTER;
    if (inflated.cut) return OPS_PNG_READ;
    return libdeflate_adler32(checksum, rest, inflated.size - raw_size) == inflated.checksum ? OPS_PNG_READ : OPS_PNG_CHECKSUM;
}
