// This flip runs at the speed of memory. OpenCV's flip, without IPP, moves pixels of 3 channels one byte at a time.
//
// Each row is read from its end, and then comes the row below it: a processor does not foresee that order. So the
// pixels that are needed next are fetched into the cache while others are reversed. For 3840x2160 BGR pixels, of which
// memcpy took 3.0 ms, a horizontal flip took 3.8 ms without fetching, 3.2 ms with it, and 4.1 ms through a buffer that
// is filled upwards.
//
// `go test ./ops -run - -bench Flip4K` measures. Two more ways were measured, and not taken:
//   - Stores past the cache save reading the destination before it is written. But the next reader of the destination
//     waits for memory. Both together took as long at 25 MB, and up to twice as long for an image that fits the cache.
//   - A second thread saved a third of the time on an idle core, and nothing on a busy one. The cores are the host's.
//
// All this is x86-64's, with AVX2. On arm64 nothing has been measured yet. What speaks for the same code there is what memory has to
// do: OpenCV mirrors both ways by mirroring top to bottom and then left to right in place, so that each byte of a large image
// comes and goes twice; here it does once. For the other two, both move each byte once. A table look-up reverses 16 bytes,
// whatever their pixels; OpenCV takes those of 3 channels apart and puts them together (ld3, st3), which many processors do slowly.
#include "flip.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define VECTOR __attribute__((target("avx2")))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define VECTOR
#endif

#ifdef VECTOR

enum {
    CHUNK = 32768,       // bytes that change places through a buffer at a time: the size of a first-level cache
    FETCHED = 128 * 1024 // bytes of the longest row that is fetched; of a longer one, the beginning would be gone again
};

#define INLINE VECTOR __attribute__((always_inline)) static inline

// What a processor does with 16 bytes at a time: puts them into another order, in which 0x80 stands for a 0. reverse_two
// stores those of first at dst, and then those of second `bytes` after them.
#if defined(__x86_64__)
typedef __m256i lane_order; // twice the same
INLINE lane_order order_of(const uint8_t *order) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)order)); }
INLINE void fetch(const uint8_t *at) { _mm_prefetch((const char *)at, _MM_HINT_T0); }
INLINE void reverse_one(const uint8_t *src, uint8_t *dst, lane_order order) {
    const __m128i lane = _mm256_castsi256_si128(order);
    _mm_storeu_si128((__m128i *)dst, _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)src), lane));
}
INLINE void reverse_two(const uint8_t *first, const uint8_t *second, uint8_t *dst, size_t bytes, lane_order order) {
    const __m128i one = _mm_loadu_si128((const __m128i *)first), other = _mm_loadu_si128((const __m128i *)second);
    const __m256i reversed = _mm256_shuffle_epi8(_mm256_set_m128i(other, one), order);
    if (bytes == 16) _mm256_storeu_si256((__m256i *)dst, reversed);
    else _mm256_storeu2_m128i((__m128i *)(dst + bytes), (__m128i *)dst, reversed);
}
#else
typedef uint8x16_t lane_order;
INLINE lane_order order_of(const uint8_t *order) { return vld1q_u8(order); }
INLINE void fetch(const uint8_t *at) { __builtin_prefetch(at); }
INLINE void reverse_one(const uint8_t *src, uint8_t *dst, lane_order order) { vst1q_u8(dst, vqtbl1q_u8(vld1q_u8(src), order)); }
INLINE void reverse_two(const uint8_t *first, const uint8_t *second, uint8_t *dst, size_t bytes, lane_order order) {
    reverse_one(first, dst, order);
    reverse_one(second, dst + bytes, order);
}
#endif

// Writes n pixels of p bytes to dst, in the reverse of their order in src. dst and src do not overlap. Fetches the n
// pixels at `next` into the cache; that memory need not exist. p is a constant where this is inlined.
VECTOR __attribute__((always_inline)) static inline void reverse_block(const uint8_t *src, uint8_t *dst, size_t n, size_t p,
                                                                       const uint8_t *next) {
    const size_t pixels = 16 / p, bytes = pixels * p; // in one lane of a shuffle: 15 of 16 bytes for 3-byte pixels
    uint8_t order[16];
    for (size_t i = 0; i < 16; i++)
        order[i] = i < bytes ? (uint8_t)(16 - bytes + (pixels - 1 - i / p) * p + i % p) : 0x80;
    const lane_order lane = order_of(order);
    // Each load takes 16 bytes that end at src + left, each store writes 16 bytes, and the next store writes over the
    // excess. So both stay inside the row as long as 16 bytes are left.
    size_t left = n * p;
    for (; left >= bytes + 16; left -= 2 * bytes, dst += 2 * bytes) {
        fetch(next + left - 16);
        reverse_two(src + left - 16, src + left - bytes - 16, dst, bytes, lane);
    }
    if (left >= 16) {
        reverse_one(src + left - 16, dst, lane);
        left -= bytes, dst += bytes;
    }
    for (; left != 0; dst += p) {
        left -= p;
        memcpy(dst, src + left, p);
    }
}

VECTOR static void reverse(const uint8_t *src, uint8_t *dst, size_t n, size_t p, const uint8_t *next) {
    switch (p) {
    case 1: reverse_block(src, dst, n, 1, next); break;
    case 2: reverse_block(src, dst, n, 2, next); break;
    case 3: reverse_block(src, dst, n, 3, next); break;
    case 4: reverse_block(src, dst, n, 4, next); break;
    case 6: reverse_block(src, dst, n, 6, next); break;
    case 8: reverse_block(src, dst, n, 8, next); break;
    case 12: reverse_block(src, dst, n, 12, next); break;
    case 16: reverse_block(src, dst, n, 16, next); break;
    }
}

static size_t min(size_t a, size_t b) { return a < b ? a : b; }

// Exchanges the n pixels at a with the n pixels at b, both reversed. The pixels that are exchanged next are `ahead`
// bytes behind a, and as many before b; they are fetched.
static void swap_reversed(uint8_t *a, uint8_t *b, size_t n, size_t p, size_t ahead) {
    uint8_t chunk[CHUNK];
    for (size_t done = 0; done != n;) {
        size_t now = min(n - done, CHUNK / p);
        uint8_t *left = a + done * p, *right = b + (n - done - now) * p;
        reverse(left, chunk, now, p, left + ahead);
        reverse(right, left, now, p, right - ahead);
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

// Reverses a row in place. If the row is longer than a chunk, its halves are exchanged, and a pixel between them stays.
static void reverse_in_place(uint8_t *row, size_t width, size_t p, size_t ahead) {
    if (width > CHUNK / p) {
        size_t half = width / 2;
        swap_reversed(row, row + (width - half) * p, half, p, 0);
        return;
    }
    uint8_t chunk[CHUNK];
    memcpy(chunk, row, width * p);
    reverse(chunk, row, width, p, row + ahead);
}

static void flip_in_place(uint8_t *image, size_t stride, size_t width, size_t height, size_t p, int code,
                          size_t ahead) {
    if (code > 0) {
        for (size_t y = 0; y < height; y++) reverse_in_place(image + y * stride, width, p, ahead);
        return;
    }
    for (size_t y = 0; y < height / 2; y++) {
        uint8_t *top = image + y * stride, *bottom = image + (height - 1 - y) * stride;
        if (code == 0) swap_bytes(top, bottom, width * p);
        else swap_reversed(top, bottom, width, p, ahead);
    }
    if (code < 0 && height % 2) reverse_in_place(image + height / 2 * stride, width, p, 0);
}

void ops_flip(const void *src, size_t src_stride, void *dst, size_t dst_stride, size_t width, size_t height,
              size_t pixel_bytes, int code) {
    const size_t ahead = width * pixel_bytes <= FETCHED ? src_stride : 0; // bytes from a row to the one read next
    if (src == dst) {
        flip_in_place(dst, dst_stride, width, height, pixel_bytes, code, ahead);
        return;
    }
    for (size_t y = 0; y < height; y++) {
        const uint8_t *from = (const uint8_t *)src + (code > 0 ? y : height - 1 - y) * src_stride;
        uint8_t *to = (uint8_t *)dst + y * dst_stride;
        if (code == 0) memcpy(to, from, width * pixel_bytes);
        else reverse(from, to, width, pixel_bytes, code > 0 ? from + ahead : from - ahead);
    }
}

#endif
