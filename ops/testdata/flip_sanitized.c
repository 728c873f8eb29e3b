// Flips images in blocks of just their size, for the address sanitizer to see every byte read or written beside them.
// The Go tests compile and run this; they check the pixels against OpenCV's, this checks them against their positions.
#include "../flip.c"

#include <stdio.h>
#include <stdlib.h>

static int is_flipped(const uint8_t *from, const uint8_t *to, size_t stride, size_t width, size_t height, size_t p, int code) {
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            size_t source_y = code > 0 ? y : height - 1 - y, source_x = code == 0 ? x : width - 1 - x;
            if (memcmp(to + y * stride + x * p, from + source_y * stride + source_x * p, p)) return 0;
        }
    return 1;
}

static void check(size_t width, size_t height, size_t p, size_t gap, int code) {
    const size_t stride = width * p + gap, size = (height - 1) * stride + width * p;
    uint8_t *from = malloc(size), *to = malloc(size), *both = malloc(size);
    for (size_t i = 0; i < size; i++) from[i] = both[i] = (uint8_t)(i * 7 + i / 251);
    ops_flip(from, stride, to, stride, width, height, p, code);
    ops_flip(both, stride, both, stride, width, height, p, code);
    if (!is_flipped(from, to, stride, width, height, p, code) || !is_flipped(from, both, stride, width, height, p, code)) {
        printf("%zu x %zu pixels of %zu bytes, code %d: not flipped\n", width, height, p, code);
        exit(1);
    }
    free(from), free(to), free(both);
}

int main(void) {
    static const size_t pixel_bytes[] = {1, 2, 3, 4, 6, 8, 12, 16};
    for (size_t i = 0; i < sizeof pixel_bytes / sizeof *pixel_bytes; i++)
        for (int code = -1; code <= 1; code++) {
            const size_t p = pixel_bytes[i];
            for (size_t width = 1; width <= 140; width++)
                for (size_t height = 1; height <= 4; height++)
                    for (size_t gap = 0; gap <= 16; gap += 16) check(width, height, p, gap, code);
            for (size_t width = CHUNK / p - 1; width <= 2 * CHUNK / p + 1; width += CHUNK / p / 2 + 1) check(width, 3, p, 0, code);
            check(FETCHED / p + 1, 3, p, 0, code);
        }
    puts("flipped");
}
