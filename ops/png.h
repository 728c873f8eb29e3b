// Reading the pixels of a PNG: the whole stream is inflated in one call, and its rows are unfiltered and converted
// straight into the image.
#ifndef SHMCV_OPS_PNG_H
#define SHMCV_OPS_PNG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "png_unfilter.h"

// The colour types of the format.
enum { OPS_PNG_GRAY = 0, OPS_PNG_RGB = 2, OPS_PNG_INDEXED = 3, OPS_PNG_GRAY_ALPHA = 4, OPS_PNG_RGBA = 6 };

// A PNG as its chunks before the pixels describe it, and the image that is wanted of it.
struct ops_png {
    uint32_t width, height;
    uint8_t bit_depth, colour_type; // a pair that the format allows
    bool interlaced;

    // For up to 8 bits and a single channel: what each sample stands for, as blue, green, red, alpha.
    uint8_t colours[256][4];

    // For RGB: pixels of this colour (red, green, blue) are transparent. Matters for 4 channels alone.
    bool has_key;
    uint16_t key[3];

    // 1, 3 or 4: gray, BGR or BGRA. 4 only of a file with an alpha channel, colour key or palette.
    uint8_t channels;
    uint8_t sample_bytes; // 1; or 2, of a file with a bit depth of 16

    enum ops_png_vectors vectors;
};

// Returns how many bytes a stream inflates to.
size_t ops_png_raw_size(const struct ops_png *png);

enum {
    OPS_PNG_READ = 0,
    OPS_PNG_SHORT,    // the stream inflates to fewer rows than there should be
    OPS_PNG_STREAM,   // the stream is no zlib stream
    OPS_PNG_FILTER,   // a row has a filter that does not exist
    OPS_PNG_CHECKSUM, // the stream's checksum is missing, or is another than its bytes have
    OPS_PNG_NO_MEMORY
};

// How many bytes of scratch memory ops_png_read needs beyond the rows. libdeflate gives up when the next piece of its
// result does not fit, and the longest piece has 65535 bytes. With so much room behind the rows, the rows are there.
enum { OPS_PNG_SPARE = 65536 };

// Decodes the zlib stream of `size` bytes into `pixels`, rows without gaps. `raw` is scratch memory of
// ops_png_raw_size(png) + OPS_PNG_SPARE bytes. Writes nothing beyond the image. A stream may inflate to more than the
// rows; as libpng does, ops_png_read then leaves out the rest. After an error, the pixels are undefined.
int ops_png_read(const struct ops_png *png, const void *stream, size_t size, void *raw, void *pixels);

#endif
