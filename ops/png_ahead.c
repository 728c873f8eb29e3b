// Two thirds of a PNG's decoding are its inflating. libspng asks zlib for a row at a time, and feeds it the IDAT chunks,
// which it checks, as they are needed. Here its calls of inflate are answered with what the second thread has inflated
// ahead into the ring, going from chunk to chunk by itself, and libspng goes on feeding: it has to have handed in what a
// piece was made of before it is given the piece, so that it finds every error where it would have found it.
#include "ahead.h"
#include "codec.h"

#ifdef SHMCV_BUNDLED_OPENCV

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 4, PIECE = 128 << 10 };

// zlib's z_stream, the same in all versions; its header is not installed with OpenCV.
struct z_stream {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *msg;
    void *state, *zalloc, *zfree, *opaque;
    int data_type;
    unsigned long adler, reserved;
};

enum { Z_NO_FLUSH = 0, Z_OK = 0, Z_BUF_ERROR = -5 };

int __real_inflate(struct z_stream *stream, int flush);
int __real_inflateEnd(struct z_stream *stream);
int inflateCopy(struct z_stream *to, struct z_stream *from);

struct idat {
    struct z_stream *stream; // libspng's

    // The reader's own.
    struct z_stream copy;
    const unsigned char *rest, *end; // of the file: the next chunk
    size_t made;
    int result; // why it ended, as inflate says it

    struct ahead ahead; // counts bytes
    size_t taken, available;
    unsigned long fed;           // bytes that libspng has handed in
    unsigned long input[PIECES]; // bytes that it must have, for each piece in the ring
    unsigned char ring[PIECES * PIECE];
};

static _Thread_local struct idat *running;

static uint32_t big_endian(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Finds the next IDAT chunk in a file from *rest on, which is where a chunk begins; NULL when there is none.
static const unsigned char *next_idat(const unsigned char **rest, const unsigned char *end, uint32_t *length) {
    while (end - *rest >= 12) {
        const unsigned char *chunk = *rest;
        *length = big_endian(chunk);
        if (*length > end - chunk - 12) return NULL;
        *rest = chunk + 12 + *length;
        if (memcmp(chunk + 4, "IDAT", 4) == 0) return chunk + 8;
    }
    return NULL;
}

static bool inflate_more(struct idat *p) {
    if (p->copy.avail_in == 0) p->copy.next_in = next_idat(&p->rest, p->end, &p->copy.avail_in);
    p->result = p->copy.next_in ? __real_inflate(&p->copy, Z_NO_FLUSH) : Z_BUF_ERROR;
    return p->result == Z_OK || (p->result == Z_BUF_ERROR && p->copy.next_in && p->copy.avail_in == 0);
}

static void *read_ahead(void *argument) {
    struct idat *p = argument;
    for (bool more = true; more && ops_ahead_room(&p->ahead, p->made, PIECE);) {
        const size_t at = p->made % sizeof p->ring;
        p->copy.next_out = p->ring + at;
        p->copy.avail_out = PIECE;
        while (more && p->copy.avail_out > 0) more = inflate_more(p);
        p->input[at / PIECE] = p->copy.total_in;
        p->made += PIECE - p->copy.avail_out;
        ops_ahead_publish(&p->ahead, p->made, !more);
    }
    return NULL;
}

// take stands in for inflate.
static int take(struct idat *p) {
    struct z_stream *stream = p->stream;
    while (stream->avail_out > 0) {
        if (p->taken % PIECE == 0 || p->taken == p->available) p->available = ops_ahead_more(&p->ahead, p->taken);
        if (p->taken == p->available) return p->result;
        const size_t at = p->taken % sizeof p->ring;
        if (p->fed < p->input[at / PIECE]) {
            p->fed += stream->avail_in;
            stream->next_in += stream->avail_in;
            stream->avail_in = 0;
            if (p->fed < p->input[at / PIECE]) return Z_BUF_ERROR; // it wants more input
        }
        size_t size = PIECE - at % PIECE;
        if (size > p->available - p->taken) size = p->available - p->taken;
        if (size > stream->avail_out) size = stream->avail_out;
        memcpy(stream->next_out, p->ring + at, size);
        stream->next_out += size;
        stream->avail_out -= (unsigned)size;
        p->taken += size;
    }
    return Z_OK;
}

// Begins where this stream, fresh yet, is fed the first of the file's IDAT chunks.
static bool begin(struct z_stream *stream) {
    const struct ahead_file *file = ops_ahead_file();
    const size_t signature = 8;
    if (running || !file->content || stream->total_in > 0 || stream->avail_in == 0) return false;
    if (file->end - file->content < (ptrdiff_t)signature || memcmp(file->content, "\x89PNG\r\n\x1a\n", signature) != 0) return false;
    const unsigned char *rest = file->content + signature, *data;
    uint32_t length;
    do data = next_idat(&rest, file->end, &length);
    while (data && length == 0);
    if (!data || stream->avail_in > length || memcmp(stream->next_in, data, stream->avail_in) != 0) return false;
    struct idat *p = malloc(sizeof *p);
    if (!p) return false;
    if (inflateCopy(&p->copy, stream) != Z_OK) {
        free(p);
        return false;
    }
    p->stream = stream;
    p->copy.next_in = data;
    p->copy.avail_in = length;
    p->rest = rest;
    p->end = file->end;
    p->made = p->taken = p->available = 0;
    p->fed = 0;
    if (!ops_ahead_start(&p->ahead, sizeof p->ring, read_ahead, p)) {
        __real_inflateEnd(&p->copy);
        free(p);
        return false;
    }
    running = p;
    return true;
}

int __wrap_inflate(struct z_stream *stream, int flush) {
    if ((running && running->stream == stream) || begin(stream)) return take(running);
    return __real_inflate(stream, flush);
}

// All ends of decoding come by here, those after errors included.
int __wrap_inflateEnd(struct z_stream *stream) {
    if (running && running->stream == stream) {
        ops_ahead_join(&running->ahead);
        __real_inflateEnd(&running->copy);
        free(running);
        running = NULL;
    }
    return __real_inflateEnd(stream);
}

#endif
