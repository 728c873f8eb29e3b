// A filter predicts each byte from the byte of the pixel to the left, of the pixel above, and of the one above left of
// it; the file has the difference. Rows that look at the left pixel are a chain: each pixel waits for the one before.
// So what counts is how many operations lie between two pixels, and the vector code keeps that number low:
//   - sub: 16 bytes at a time as running sums, which leaves two operations between one 16 and the next;
//   - average: on inverted bytes, where the processor's average, which rounds up, rounds down: two operations;
//   - Paeth: by comparing with a threshold (found by Fabian Giesen for stb_image): five operations instead of nine. The
//     plain areas of a screenshot are copied from the row above.
//
// `go test ./ops -run - -bench PNG4K` measures.
#include "png_unfilter.h"

#include <string.h>

static uint8_t paeth(int left, int above, int corner) {
    const int threshold = 3 * corner - left - above;
    const int low = left < above ? left : above, high = left < above ? above : left;
    return (uint8_t)(threshold <= low ? high : high <= threshold ? low : corner);
}

// Undoes the filter from byte `from` on. pixel is a constant where this is inlined.
__attribute__((always_inline)) static inline void scalar(int filter, const uint8_t *in, const uint8_t *above,
                                                         uint8_t *out, size_t from, size_t size, size_t pixel,
                                                         const uint8_t *order) {
    for (size_t i = from; i < size; i += pixel) {
        for (size_t k = i; k < i + pixel; k++) {
            const uint8_t left = i ? out[k - pixel] : 0, corner = i ? above[k - pixel] : 0;
            uint8_t predicted = 0;
            switch (filter) {
            case OPS_PNG_SUB: predicted = left; break;
            case OPS_PNG_UP: predicted = above[k]; break;
            case OPS_PNG_AVERAGE: predicted = (uint8_t)((left + above[k]) / 2); break;
            case OPS_PNG_PAETH: predicted = paeth(left, above[k], corner); break;
            }
            out[k] = (uint8_t)(in[i + order[k - i]] + predicted);
        }
    }
}

#if defined(__x86_64__)

#include <immintrin.h>

#define VECTOR __attribute__((target("sse4.1")))

typedef __m128i bytes;   // 16 of 8 bits
typedef __m128i shorts;  // 8 of 16 bits, signed

#define INLINE VECTOR __attribute__((always_inline)) static inline
INLINE bytes load16(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }
INLINE void store16(uint8_t *p, bytes v) { _mm_storeu_si128((__m128i *)p, v); }
INLINE bytes load8(const uint8_t *p) { return _mm_loadl_epi64((const __m128i *)p); }
INLINE void store8(uint8_t *p, bytes v) { _mm_storel_epi64((__m128i *)p, v); }
INLINE bytes load4(const uint8_t *p) {
    int32_t four;
    memcpy(&four, p, 4);
    return _mm_cvtsi32_si128(four);
}
INLINE void store4(uint8_t *p, bytes v) {
    const int32_t four = _mm_cvtsi128_si32(v);
    memcpy(p, &four, 4);
}
INLINE bytes zero(void) { return _mm_setzero_si128(); }
INLINE bytes invert(bytes v) { return _mm_xor_si128(v, _mm_set1_epi8(-1)); }
INLINE bytes shuffle(bytes v, bytes from) { return _mm_shuffle_epi8(v, from); } // 0 where `from` is 0x80
INLINE bytes add(bytes a, bytes b) { return _mm_add_epi8(a, b); }
INLINE bytes subtract(bytes a, bytes b) { return _mm_sub_epi8(a, b); }
INLINE bytes average_up(bytes a, bytes b) { return _mm_avg_epu8(a, b); }
INLINE shorts widen(bytes v) { return _mm_unpacklo_epi8(v, _mm_setzero_si128()); }
INLINE bytes narrow(shorts v) { return _mm_packus_epi16(v, v); }
INLINE shorts add_each_byte(shorts a, shorts b) { return _mm_add_epi8(a, b); }
INLINE shorts add_shorts(shorts a, shorts b) { return _mm_add_epi16(a, b); }
INLINE shorts subtract_shorts(shorts a, shorts b) { return _mm_sub_epi16(a, b); }
INLINE shorts least(shorts a, shorts b) { return _mm_min_epi16(a, b); }
INLINE shorts greatest(shorts a, shorts b) { return _mm_max_epi16(a, b); }
INLINE shorts greater(shorts a, shorts b) { return _mm_cmpgt_epi16(a, b); }
INLINE shorts choose(shorts mask, shorts a, shorts b) { return _mm_blendv_epi8(b, a, mask); } // a where mask is set
INLINE bytes either(bytes a, bytes b) { return _mm_or_si128(a, b); }
INLINE bytes differing(bytes a, bytes b) { return _mm_xor_si128(a, b); }
INLINE bool is_zero(bytes v) { return _mm_testz_si128(v, v); }

#elif defined(__aarch64__)

#include <arm_neon.h>

#define VECTOR

typedef uint8x16_t bytes;
typedef int16x8_t shorts;

#define INLINE __attribute__((always_inline)) static inline
INLINE bytes load16(const uint8_t *p) { return vld1q_u8(p); }
INLINE void store16(uint8_t *p, bytes v) { vst1q_u8(p, v); }
INLINE bytes load8(const uint8_t *p) { return vcombine_u8(vld1_u8(p), vdup_n_u8(0)); }
INLINE void store8(uint8_t *p, bytes v) { vst1_u8(p, vget_low_u8(v)); }
INLINE bytes load4(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, 4);
    return vreinterpretq_u8_u32(vsetq_lane_u32(four, vdupq_n_u32(0), 0));
}
INLINE void store4(uint8_t *p, bytes v) {
    const uint32_t four = vgetq_lane_u32(vreinterpretq_u32_u8(v), 0);
    memcpy(p, &four, 4);
}
INLINE bytes zero(void) { return vdupq_n_u8(0); }
INLINE bytes invert(bytes v) { return vmvnq_u8(v); }
INLINE bytes shuffle(bytes v, bytes from) { return vqtbl1q_u8(v, from); } // 0 where `from` is 0x80
INLINE bytes add(bytes a, bytes b) { return vaddq_u8(a, b); }
INLINE bytes subtract(bytes a, bytes b) { return vsubq_u8(a, b); }
INLINE bytes average_up(bytes a, bytes b) { return vrhaddq_u8(a, b); }
INLINE shorts widen(bytes v) { return vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(v))); }
INLINE bytes narrow(shorts v) { return vcombine_u8(vqmovun_s16(v), vdup_n_u8(0)); }
INLINE shorts add_each_byte(shorts a, shorts b) {
    return vreinterpretq_s16_u8(vaddq_u8(vreinterpretq_u8_s16(a), vreinterpretq_u8_s16(b)));
}
INLINE shorts add_shorts(shorts a, shorts b) { return vaddq_s16(a, b); }
INLINE shorts subtract_shorts(shorts a, shorts b) { return vsubq_s16(a, b); }
INLINE shorts least(shorts a, shorts b) { return vminq_s16(a, b); }
INLINE shorts greatest(shorts a, shorts b) { return vmaxq_s16(a, b); }
INLINE shorts greater(shorts a, shorts b) { return vreinterpretq_s16_u16(vcgtq_s16(a, b)); }
INLINE shorts choose(shorts mask, shorts a, shorts b) { return vbslq_s16(vreinterpretq_u16_s16(mask), a, b); }
INLINE bytes either(bytes a, bytes b) { return vorrq_u8(a, b); }
INLINE bytes differing(bytes a, bytes b) { return veorq_u8(a, b); }
INLINE bool is_zero(bytes v) { return vmaxvq_u8(v) == 0; }

#endif

#ifdef VECTOR

enum { NOTHING = 0x80 }; // for shuffle

// Returns the shuffle that puts the bytes of whole pixels in their order. The rest, where 16 is no multiple, is 0.
INLINE bytes ordered(size_t pixel, const uint8_t *order) {
    const size_t whole = 16 / pixel * pixel;
    uint8_t from[16];
    for (size_t i = 0; i < 16; i++) from[i] = i < whole ? (uint8_t)(i / pixel * pixel + order[i % pixel]) : NOTHING;
    return load16(from);
}

// Returns the shuffle that moves everything `by` bytes up.
INLINE bytes upwards(size_t by) {
    uint8_t from[16];
    for (size_t i = 0; i < 16; i++) from[i] = i < by ? NOTHING : (uint8_t)(i - by);
    return load16(from);
}

// Returns the shuffle that repeats the last whole pixel.
INLINE bytes last_everywhere(size_t pixel) {
    const size_t whole = 16 / pixel * pixel;
    uint8_t from[16];
    for (size_t i = 0; i < 16; i++) from[i] = (uint8_t)(whole - pixel + i % pixel);
    return load16(from);
}

// These four undo a filter as far as their wide loads and stores stay inside the row, and return how far that was. A
// store may be longer than the pixels that have been computed; the next store, or the scalar end, writes over the
// excess.

INLINE size_t none_and_up(const uint8_t *in, const uint8_t *above, uint8_t *out, size_t size, size_t pixel,
                          const uint8_t *order, bool up) {
    const size_t whole = 16 / pixel * pixel;
    const bytes places = ordered(pixel, order);
    size_t i = 0;
    for (; i + 16 <= size; i += whole) {
        const bytes v = shuffle(load16(in + i), places);
        store16(out + i, up ? add(v, load16(above + i)) : v);
    }
    return i;
}

INLINE size_t sub(const uint8_t *in, uint8_t *out, size_t size, size_t pixel, const uint8_t *order) {
    const size_t whole = 16 / pixel * pixel;
    const bytes places = ordered(pixel, order), last = last_everywhere(pixel);
    const bytes by1 = upwards(pixel), by2 = upwards(2 * pixel), by4 = upwards(4 * pixel), by8 = upwards(8 * pixel);
    bytes left = zero();
    size_t i = 0;
    for (; i + 16 <= size; i += whole) {
        bytes sums = shuffle(load16(in + i), places);
        sums = add(sums, shuffle(sums, by1));
        if (2 * pixel < 16) sums = add(sums, shuffle(sums, by2));
        if (4 * pixel < 16) sums = add(sums, shuffle(sums, by4));
        if (8 * pixel < 16) sums = add(sums, shuffle(sums, by8));
        sums = add(sums, left);
        store16(out + i, sums);
        left = shuffle(sums, last);
    }
    return i;
}

INLINE bytes load_pixel(const uint8_t *p, size_t pixel) { return pixel <= 4 ? load4(p) : load8(p); }
INLINE void store_pixel(uint8_t *p, bytes v, size_t pixel) { pixel <= 4 ? store4(p, v) : store8(p, v); }

INLINE size_t average(const uint8_t *in, const uint8_t *above, uint8_t *out, size_t size, size_t pixel,
                      const uint8_t *order) {
    const size_t wide = pixel <= 4 ? 4 : 8;
    const bytes places = ordered(pixel, order);
    bytes inverted = invert(zero()); // of the pixel to the left
    size_t i = 0;
    for (; i + wide <= size; i += pixel) {
        inverted = subtract(average_up(inverted, invert(load_pixel(above + i, pixel))),
                            shuffle(load_pixel(in + i, pixel), places));
        store_pixel(out + i, invert(inverted), pixel);
    }
    return i;
}

// Returns true if the 16 bytes from here on repeat the pixel to the left, which is also the corner: nothing is added, and
// the row above repeats its pixel.
INLINE bool is_flat(const uint8_t *in, const uint8_t *above, const uint8_t *out, size_t pixel) {
    return is_zero(either(load16(in), differing(load16(above), load16(above - pixel)))) &&
           memcmp(out - pixel, above - pixel, pixel) == 0;
}

INLINE size_t by_paeth(const uint8_t *in, const uint8_t *above, uint8_t *out, size_t size, size_t pixel,
                       const uint8_t *order) {
    const size_t wide = pixel <= 4 ? 4 : 8, whole = 16 / pixel * pixel;
    const bytes places = ordered(pixel, order);
    shorts left = widen(zero()), corner = left;
    size_t i = 0;
    while (i + wide <= size) {
        size_t end = size - wide + 1;
        if (i > 0 && i + 16 <= size) {
            if (is_flat(in + i, above + i, out + i, pixel)) {
                store16(out + i, load16(above + i));
                i += whole;
                continue;
            }
            end = i + whole;
        }
        for (; i < end; i += pixel) {
            const shorts over = widen(load_pixel(above + i, pixel));
            const shorts threshold =
                subtract_shorts(subtract_shorts(add_shorts(add_shorts(corner, corner), corner), over), left);
            const shorts low = least(left, over), high = greatest(left, over);
            const shorts not_high = greater(threshold, low), not_low = greater(high, threshold);
            const shorts predicted = choose(not_high, choose(not_low, corner, low), high);
            left = add_each_byte(predicted, widen(shuffle(load_pixel(in + i, pixel), places)));
            corner = over;
            store_pixel(out + i, narrow(left), pixel);
        }
    }
    return i;
}

VECTOR __attribute__((always_inline)) static inline void vectors(int filter, const uint8_t *in, const uint8_t *above,
                                                                 uint8_t *out, size_t size, size_t pixel,
                                                                 const uint8_t *order) {
    size_t done = 0;
    switch (filter) {
    case OPS_PNG_NONE:
        done = none_and_up(in, above, out, size, pixel, order, false);
        scalar(OPS_PNG_NONE, in, above, out, done, size, pixel, order);
        break;
    case OPS_PNG_SUB:
        done = sub(in, out, size, pixel, order);
        scalar(OPS_PNG_SUB, in, above, out, done, size, pixel, order);
        break;
    case OPS_PNG_UP:
        done = none_and_up(in, above, out, size, pixel, order, true);
        scalar(OPS_PNG_UP, in, above, out, done, size, pixel, order);
        break;
    case OPS_PNG_AVERAGE: // with 1 or 2 bytes a pixel, vectors have nothing to do at once
        if (pixel > 2) done = average(in, above, out, size, pixel, order);
        scalar(OPS_PNG_AVERAGE, in, above, out, done, size, pixel, order);
        break;
    case OPS_PNG_PAETH:
        if (pixel > 2) done = by_paeth(in, above, out, size, pixel, order);
        scalar(OPS_PNG_PAETH, in, above, out, done, size, pixel, order);
        break;
    }
}

VECTOR static void unfilter_vectors(int filter, const uint8_t *in, const uint8_t *above, uint8_t *out, size_t size,
                                    size_t pixel, const uint8_t *order) {
    switch (pixel) {
    case 1: vectors(filter, in, above, out, size, 1, order); break;
    case 2: vectors(filter, in, above, out, size, 2, order); break;
    case 3: vectors(filter, in, above, out, size, 3, order); break;
    case 4: vectors(filter, in, above, out, size, 4, order); break;
    case 6: vectors(filter, in, above, out, size, 6, order); break;
    case 8: vectors(filter, in, above, out, size, 8, order); break;
    }
}

VECTOR static size_t drop_fourth_vectors(const uint8_t *in, uint8_t *out, size_t count) {
    const uint8_t from[16] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, NOTHING, NOTHING, NOTHING, NOTHING};
    const bytes places = load16(from);
    size_t i = 0;
    for (; 3 * i + 16 <= 3 * count; i += 4) store16(out + 3 * i, shuffle(load16(in + 4 * i), places));
    return i;
}

#endif

void ops_png_unfilter(int filter, const uint8_t *in, const uint8_t *above, uint8_t *out, size_t size, size_t pixel,
                      const uint8_t *order, enum ops_png_vectors with) {
#ifdef VECTOR
    if (with == OPS_PNG_VECTORS) {
        unfilter_vectors(filter, in, above, out, size, pixel, order);
        return;
    }
#endif
    (void)with;
    scalar(filter, in, above, out, 0, size, pixel, order);
}

void ops_png_drop_fourth(const uint8_t *in, uint8_t *out, size_t count, enum ops_png_vectors with) {
    size_t i = 0;
#ifdef VECTOR
    if (with == OPS_PNG_VECTORS) i = drop_fourth_vectors(in, out, count);
#endif
    (void)with;
    for (; i < count; i++) memcpy(out + 3 * i, in + 4 * i, 3);
}
