// The flip at the speed of memory. OpenCV's, without IPP, moves 3-channel pixels one byte at a time.
//
// Memory is fast when it is read and written upwards, or in one sweep downwards; a row that is read from its end, then
// the next one below it, is neither. So each row is copied upwards into a buffer that stays in the first-level cache,
// and reversed from there by byte shuffles.
#include "flip.h"

#include <stdint.h>
#include <string.h>

enum { CHUNK = 32768 }; // bytes of a row handled at a time: a first-level cache, and a 4K row of 16-bit BGRA

#if defined(__x86_64__)
#include <immintrin.h>

int ops_flip_is_fast(void) { return __builtin_cpu_supports("ssse3"); }

// Writes n pixels of p bytes to dst in the reverse of their order in src; dst and src are apart. p is a constant where
// this is inlined.
__attribute__((target("ssse3"), always_inline)) static inline void reverse_block(const uint8_t *src, uint8_t *dst,
                                                                                 size_t n, size_t p) {
    const size_t pixels = 16 / p, bytes = pixels * p; // in one shuffle: 15 of 16 bytes for 3-byte pixels
    uint8_t order[16];
    for (size_t i = 0; i < 16; i++)
        order[i] = i < bytes ? (uint8_t)(16 - bytes + (pixels - 1 - i / p) * p + i % p) : 0x80;
    const __m128i shuffle = _mm_loadu_si128((const __m128i *)order);
    const uint8_t *from = src + n * p;
    // Each load takes 16 bytes that end at `from`, each store writes 16 bytes; what is too much of it is written again
    // by the next. So both stay inside as long as 16 bytes are left.
    size_t left = n * p;
    for (; left >= 16; left -= bytes, from -= bytes, dst += bytes)
        _mm_storeu_si128((__m128i *)dst, _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(from - 16)), shuffle));
    for (; left != 0; left -= p, dst += p) {
        from -= p;
        memcpy(dst, from, p);
    }
}

__attribute__((target("ssse3"))) static void reverse(const uint8_t *src, uint8_t *dst, size_t n, size_t p) {
    switch (p) {
    case 1: reverse_block(src, dst, n, 1); break;
    case 2: reverse_block(src, dst, n, 2); break;
    case 3: reverse_block(src, dst, n, 3); break;
    case 4: reverse_block(src, dst, n, 4); break;
    case 6: reverse_block(src, dst, n, 6); break;
    case 8: reverse_block(src, dst, n, 8); break;
    case 12: reverse_block(src, dst, n, 12); break;
    case 16: reverse_block(src, dst, n, 16); break;
    }
}

#else // no kernel for this processor: the caller flips horizontally with OpenCV

int ops_flip_is_fast(void) { return 0; }
static void reverse(const uint8_t *src, uint8_t *dst, size_t n, size_t p) { (void)src, (void)dst, (void)n, (void)p; }

#endif

static size_t min(size_t a, size_t b) { return a < b ? a : b; }

static void reverse_row(const uint8_t *src, uint8_t *dst, size_t width, size_t p) {
    uint8_t chunk[CHUNK];
    for (size_t left = width; left != 0;) {
        size_t n = min(left, CHUNK / p);
        left -= n;
        memcpy(chunk, src + left * p, n * p);
        reverse(chunk, dst, n, p);
        dst += n * p;
    }
}

// Exchanges the n pixels at a with those at b, both reversed.
static void swap_reversed(uint8_t *a, uint8_t *b, size_t n, size_t p) {
    uint8_t chunk[CHUNK];
    for (size_t done = 0; done != n;) {
        size_t now = min(n - done, CHUNK / p);
        uint8_t *left = a + done * p, *right = b + (n - done - now) * p;
        reverse(left, chunk, now, p);
        reverse(right, left, now, p);
        memcpy(right, chunk, now * p);
        done += now;
    }
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t n) {
    uint8_t chunk[CHUNK];
    for (size_t done = 0; done != n;) {
        size_t now = min(n - done, CHUNK);
        memcpy(chunk, a + done, now);
        memcpy(a + done, b + done, now);
        memcpy(b + done, chunk, now);
        done += now;
    }
}

// Reverses a row in place: its halves are exchanged, and a pixel between them stays.
static void reverse_in_place(uint8_t *row, size_t width, size_t p) {
    if (width <= CHUNK / p) {
        reverse_row(row, row, width, p); // the chunk holds it all
        return;
    }
    size_t half = width / 2;
    swap_reversed(row, row + (width - half) * p, half, p);
}

static void flip_in_place(uint8_t *image, size_t stride, size_t width, size_t height, size_t p, int code) {
    if (code > 0) {
        for (size_t y = 0; y < height; y++) reverse_in_place(image + y * stride, width, p);
        return;
    }
    for (size_t y = 0; y < height / 2; y++) {
        uint8_t *top = image + y * stride, *bottom = image + (height - 1 - y) * stride;
        if (code == 0) swap_bytes(top, bottom, width * p);
        else swap_reversed(top, bottom, width, p);
    }
    if (code < 0 && height % 2) reverse_in_place(image + height / 2 * stride, width, p);
}

void ops_flip(const void *src, size_t src_stride, void *dst, size_t dst_stride, size_t width, size_t height,
              size_t pixel_bytes, int code) {
    if (src == dst) {
        flip_in_place(dst, dst_stride, width, height, pixel_bytes, code);
        return;
    }
    for (size_t y = 0; y < height; y++) {
        const uint8_t *from = (const uint8_t *)src + (code > 0 ? y : height - 1 - y) * src_stride;
        uint8_t *to = (uint8_t *)dst + y * dst_stride;
        if (code == 0) memcpy(to, from, width * pixel_bytes);
        else if (code > 0) reverse_row(from, to, width, pixel_bytes);
        else reverse(from, to, width, pixel_bytes); // one sweep downwards over the source
    }
}
