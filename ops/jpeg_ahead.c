// Half of a JPEG's decoding is reading the Huffman code, the other half is making pixels of what was read. libjpeg-turbo
// asks its entropy decoder for one MCU (16 x 16 pixels, mostly) at a time. When a decoder has been set up, its entropy
// decoder is exchanged here for one that hands out what the true one, in the second thread, has put into the ring.
#include "ahead.h"
#include "codec.h"
#include "jpeg.h"

#ifdef SHMCV_BUNDLED_OPENCV

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// The ring fits a core's second cache, and is large enough that the threads seldom wait for each other.
enum { BATCHES = 8, BATCH_BYTES = 48 << 10 };

struct scan {
    struct jpeg_entropy_decoder entropy; // what cinfo has meanwhile; the first member, so that take finds the rest
    struct jpeg_decompress *cinfo;
    struct jpeg_entropy_decoder *decoder; // the true one

    // The reader's own: a copy of cinfo, which decoding changes, with an error manager that does not jump into the other
    // thread's stack. It has the file's position and the markers until the reader has ended.
    struct jpeg_decompress copy;
    struct jpeg_error_mgr err;
    jmp_buf failed;
    size_t made;
    const char *damage;

    struct ahead ahead; // counts MCUs
    bool joined;
    size_t total, batch, taken, available;
    jpeg_block *ring; // MCUs that are free are zero, which the decoder expects of them
};

static _Thread_local struct scan *running;
static _Thread_local bool known; // that libjpeg's structures are what we think

static void point_at(const struct scan *s, size_t n, jpeg_block *mcu[]) {
    const size_t blocks = (size_t)s->copy.blocks_in_MCU;
    for (size_t i = 0; i < blocks; i++) mcu[i] = s->ring + n % s->ahead.capacity * blocks + i;
}

static void *read_ahead(void *argument) {
    struct scan *s = argument;
    jpeg_block *mcu[10];
    if (setjmp(s->failed) == 0) {
        while (s->made < s->total) {
            if (s->made % s->batch == 0 && !ops_ahead_room(&s->ahead, s->made, s->batch)) break;
            point_at(s, s->made, mcu);
            if (!s->decoder->decode_mcu(&s->copy, mcu)) break; // the file ends here
            if (++s->made % s->batch == 0) ops_ahead_publish(&s->ahead, s->made, false);
        }
    }
    s->damage = ops_jpeg_damage();
    ops_ahead_publish(&s->ahead, s->made, true);
    return NULL;
}

// An error in the reader ends its work; the other thread then misses an MCU, as at the end of a file.
static void fail(void *copy) {
    struct scan *s = (struct scan *)((char *)copy - offsetof(struct scan, copy));
    longjmp(s->failed, 1);
}

// Ends the reader, and lets cinfo go on from where that was.
static void join(struct scan *s) {
    if (s->joined) return;
    ops_ahead_join(&s->ahead);
    s->joined = true;
    s->cinfo->unread_marker = s->copy.unread_marker;
    s->cinfo->entropy = s->decoder;
    if (s->damage) ops_jpeg_add_damage(s->damage);
}

// take stands in for decode_mcu. libjpeg zeroes the MCU of the last call before each, which makes it fit for the ring.
static int take(struct jpeg_decompress *cinfo, jpeg_block *mcu[]) {
    struct scan *s = (struct scan *)cinfo->entropy;
    if (s->taken % s->batch == 0 || s->taken == s->available) s->available = ops_ahead_more(&s->ahead, s->taken);
    if (s->taken == s->available) return 0;
    point_at(s, s->taken, mcu);
    if (++s->taken == s->total) join(s);
    return 1;
}

static void discard(struct scan *s) {
    free(s->ring);
    free(s);
}

// Without memory or a thread for it, everything stays as it is.
static void begin(struct jpeg_decompress *cinfo) {
    const size_t size = (size_t)cinfo->blocks_in_MCU * sizeof(jpeg_block);
    const size_t batch = BATCH_BYTES / size, capacity = BATCHES * batch;
    struct scan *s = calloc(1, sizeof *s);
    if (!s) return;
    s->entropy.decode_mcu = take;
    s->cinfo = cinfo;
    s->decoder = cinfo->entropy;
    s->err = *cinfo->err;
    s->err.error_exit = fail;
    s->copy = *cinfo;
    s->copy.err = &s->err;
    s->total = (size_t)cinfo->MCUs_per_row * cinfo->MCU_rows_in_scan;
    s->batch = batch;
    s->ring = aligned_alloc(64, capacity * size); // vector instructions read it
    if (s->ring) memset(s->ring, 0, capacity * size);
    if (!s->ring || !ops_ahead_start(&s->ahead, capacity, read_ahead, s)) {
        discard(s);
        return;
    }
    cinfo->entropy = &s->entropy;
    running = s;
}

// The file's one scan has everything, and lies in memory to its end.
static bool fits(const struct jpeg_decompress *cinfo) {
    const struct ahead_file *file = ops_ahead_file();
    const struct jpeg_source_mgr *src = cinfo->src;
    return known && !running && file->content && src->next_input_byte >= file->content &&
           src->next_input_byte + src->bytes_in_buffer == file->end && cinfo->comps_in_scan == cinfo->num_components &&
           !cinfo->buffered_image && !cinfo->progressive_mode && !cinfo->arith_code && // and not lossless:
           cinfo->Ss == 0 && cinfo->Se == 63 && cinfo->Ah == 0 && cinfo->Al == 0;
}

void __real_jpeg_CreateDecompress(struct jpeg_decompress *cinfo, int version, size_t size);
int __real_jpeg_start_decompress(struct jpeg_decompress *cinfo);
void __real_jpeg_destroy_decompress(struct jpeg_decompress *cinfo);

void __wrap_jpeg_CreateDecompress(struct jpeg_decompress *cinfo, int version, size_t size) {
    known = version == 70 && size == sizeof *cinfo;
    __real_jpeg_CreateDecompress(cinfo, version, size);
}

int __wrap_jpeg_start_decompress(struct jpeg_decompress *cinfo) {
    const bool together = fits(cinfo);
    const int started = __real_jpeg_start_decompress(cinfo);
    if (started && together) begin(cinfo);
    return started;
}

// All ends of decoding come by here, those after errors included.
void __wrap_jpeg_destroy_decompress(struct jpeg_decompress *cinfo) {
    if (running && running->cinfo == cinfo) {
        join(running);
        discard(running);
        running = NULL;
    }
    __real_jpeg_destroy_decompress(cinfo);
}

#endif
