// Undoing the filters of a PNG's rows.
#ifndef SHMCV_OPS_PNG_UNFILTER_H
#define SHMCV_OPS_PNG_UNFILTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The filters of the format, in its order.
enum { OPS_PNG_NONE = 0, OPS_PNG_SUB, OPS_PNG_UP, OPS_PNG_AVERAGE, OPS_PNG_PAETH, OPS_PNG_FILTERS };

// Whether vector instructions are used, if this build has any for the processor's kind: those of x86 need SSE4.1, those
// of arm64 nothing.
enum ops_png_vectors { OPS_PNG_SCALAR = 0, OPS_PNG_VECTORS };

// Undoes one row's filter: `size` bytes at `in` become as many bytes at `out`. Nothing beyond them is read or written.
// Pixels have `pixel` bytes: 1, 2, 3, 4, 6 or 8; size is a multiple of that. Byte k of each pixel at `out` is made of
// byte order[k] of the pixel at `in`: a filter treats each byte of a pixel by itself, so that channels can change
// places on the way. `above` is the row above, as it was put out, or zeros for the first row. Neither `above` nor `in`
// overlaps `out`.
void ops_png_unfilter(int filter, const uint8_t *in, const uint8_t *above, uint8_t *out, size_t size, size_t pixel,
                      const uint8_t *order, enum ops_png_vectors vectors);

// Writes the first three bytes of each of `count` four-byte pixels.
void ops_png_drop_fourth(const uint8_t *in, uint8_t *out, size_t count, enum ops_png_vectors vectors);

#endif
