// Half of a JPEG's decoding is reading the Huffman code, the other half is making pixels of what was read.
// libjpeg-turbo asks its entropy decoder for one MCU at a time. When decompression has started, the entropy decoder is
// exchanged here for one that hands out what the true one, in the second thread, has put into a ring.
#include "jpeg.h"

#ifdef SHMCV_BUNDLED_OPENCV

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JPEG_INTERNALS // for the entropy decoder
#include <jpeglib.h>

#include "jpeg_ring.h"

struct scan {
    struct jpeg_entropy_decoder entropy; // what cinfo has meanwhile; the first member, so that take finds the others
    j_decompress_ptr cinfo;
    struct jpeg_entropy_decoder *decoder; // the true one

    // The reader's own. Decoding changes the copy of cinfo, whose error manager does not jump into the other thread's
    // stack. Until the reader has ended, the copy has the file's position and markers.
    struct jpeg_decompress_struct copy;
    struct jpeg_error_mgr err;
    jmp_buf failed;
    size_t made;
    const char *damage;

    struct ops_ring ring; // MCUs that are free are zero, as the decoder expects of them
    bool joined;
    size_t total, taken, available; // MCUs
};

static _Thread_local struct scan *running;

static void read_ahead(void *argument) {
    struct scan *s = argument;
    JBLOCKROW mcu[D_MAX_BLOCKS_IN_MCU];
    if (setjmp(s->failed) == 0) {
        while (s->made < s->total) {
            if (s->made % s->ring.batch == 0 && !ops_ring_room(&s->ring, s->made)) break;
            ops_ring_point(&s->ring, s->made, mcu);
            if (!s->decoder->decode_mcu(&s->copy, mcu)) break; // the file ends here
            if (++s->made % s->ring.batch == 0) ops_ring_publish(&s->ring, s->made, false);
        }
    }
    s->damage = ops_jpeg_damage();
    ops_ring_publish(&s->ring, s->made, true);
}

// An error in the reader ends its work. The other thread then misses an MCU, as at the end of a file.
static void fail(j_common_ptr copy) {
    struct scan *s = (struct scan *)((char *)copy - offsetof(struct scan, copy));
    longjmp(s->failed, 1);
}

// Ends the reader. cinfo goes on from where the reader was.
static void join(struct scan *s) {
    if (s->joined) return;
    ops_ring_join(&s->ring);
    s->joined = true;
    s->cinfo->unread_marker = s->copy.unread_marker;
    s->cinfo->entropy = s->decoder;
    if (s->damage) ops_jpeg_add_damage(s->damage);
}

// take stands in for decode_mcu. Before each call libjpeg zeroes the MCU of the call before, which the ring needs.
static boolean take(j_decompress_ptr cinfo, JBLOCKROW *mcu) {
    struct scan *s = (struct scan *)cinfo->entropy;
    if (s->taken % s->ring.batch == 0 || s->taken == s->available) s->available = ops_ring_more(&s->ring, s->taken);
    if (s->taken == s->available) return FALSE;
    ops_ring_point(&s->ring, s->taken, mcu);
    if (++s->taken == s->total) join(s);
    return TRUE;
}

// Returns true if the file's one scan has everything, and lies in memory to its end.
static bool fits(const struct jpeg_decompress_struct *cinfo) {
    const struct ops_jpeg_file *file = ops_jpeg_file();
    const struct jpeg_source_mgr *src = cinfo->src;
    return !running && file->content && src->next_input_byte >= file->content &&
           src->next_input_byte + src->bytes_in_buffer == file->end && !cinfo->inputctl->has_multiple_scans &&
           cinfo->comps_in_scan == cinfo->num_components && !cinfo->buffered_image && !cinfo->progressive_mode &&
           !cinfo->arith_code && // and not lossless:
           cinfo->Ss == 0 && cinfo->Se == DCTSIZE2 - 1 && cinfo->Ah == 0 && cinfo->Al == 0;
}

// Returns true if scans may be missing from a file of several. A progressive file has all its scans when the last bit of
// each coefficient is known. Another one is believed if it has its end marker.
static bool may_lack_scans(const struct jpeg_decompress_struct *cinfo) {
    if (!cinfo->inputctl->has_multiple_scans || !ops_jpeg_file()->end_added) return false;
    if (!cinfo->progressive_mode || !cinfo->coef_bits) return true;
    for (int component = 0; component < cinfo->num_components; component++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (cinfo->coef_bits[component][k] != 0) return true;
    return false;
}

// Without memory or a thread for it, everything stays as it is.
void ops_jpeg_decompress_started(j_decompress_ptr cinfo) {
    if (may_lack_scans(cinfo)) ops_jpeg_add_damage("it has no end marker, and scans are missing");
    if (!fits(cinfo)) return;
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
    if (!ops_ring_start(&s->ring, (size_t)cinfo->blocks_in_MCU, read_ahead, s)) {
        free(s);
        return;
    }
    cinfo->entropy = &s->entropy;
    running = s;
}

void ops_jpeg_decompress_ending(j_decompress_ptr cinfo) {
    if (!running || running->cinfo != cinfo) return;
    join(running);
    ops_ring_free(&running->ring);
    free(running);
    running = NULL;
}

#endif
