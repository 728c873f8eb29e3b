// A JPEG's encoding is making coefficients of pixels, and then writing them as Huffman code, which takes almost as
// long. libjpeg-turbo gives its entropy encoder one MCU at a time. When the first has come, the entropy encoder is
// exchanged here for one that puts MCUs into a ring. The true one takes them from there, in the second thread. This is
// C++ because OpenCV's destination is: an exception that the destination throws for want of memory is thrown again in
// the thread in which OpenCV catches it.
#include "jpeg.h"

#ifdef SHMCV_BUNDLED_OPENCV

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>

extern "C" {
#define JPEG_INTERNALS // for the entropy encoder
#include <jpeglib.h>
}

#include <opencv2/core.hpp>

#include "jpeg_ring.h"

namespace {

struct scan {
    jpeg_entropy_encoder entropy; // what cinfo has meanwhile; the first member, so that give finds the others
    j_compress_ptr cinfo;
    jpeg_entropy_encoder *encoder; // the true one

    // The writer's own: a copy of cinfo, with an error manager that does not jump into the other thread's stack. Until
    // the writer has ended, the destination is the writer's too.
    jpeg_compress_struct copy;
    jpeg_error_mgr err;
    std::exception_ptr failure;
    int number = 0; // errno at the failure; ENOMEM if it is for want of memory

    ops_ring ring;
    size_t made;
};

thread_local scan *running;
thread_local decltype(jpeg_entropy_encoder::encode_mcu) encode_mcu; // the true one, while begin stands in for it

// After a failure the writer goes on taking, since the other thread waits for room.
void write_behind(void *argument) {
    auto *s = static_cast<scan *>(argument);
    JBLOCKROW mcu[C_MAX_BLOCKS_IN_MCU];
    for (size_t written = 0, made; (made = ops_ring_more(&s->ring, written)) > written;) {
        const size_t end = std::min(made, written + s->ring.batch);
        try {
            for (; written < end && !s->failure; written++) {
                ops_ring_point(&s->ring, written, mcu);
                s->encoder->encode_mcu(&s->copy, mcu);
            }
        } catch (...) {
            s->number = errno;
            s->failure = std::current_exception();
        }
        written = end;
    }
}

void fail(j_common_ptr copy) {
    char message[JMSG_LENGTH_MAX];
    copy->err->format_message(copy, message);
    throw cv::Exception(cv::Error::StsError, message, "encode_mcu", "libjpeg", 0);
}

// Lets the writer write what there is. cinfo goes on from there. Returns what went wrong in the writer.
std::exception_ptr join(scan *s) {
    ops_ring_publish(&s->ring, s->made, true);
    ops_ring_join(&s->ring);
    ops_ring_free(&s->ring);
    s->cinfo->entropy = s->encoder;
    const std::exception_ptr failure = s->failure;
    if (failure) errno = s->number;
    delete s;
    running = nullptr;
    return failure;
}

// give stands in for encode_mcu. libjpeg makes each MCU where the pointers say: the next one in the ring.
boolean give(j_compress_ptr cinfo, JBLOCKROW *mcu) {
    auto *s = reinterpret_cast<scan *>(cinfo->entropy);
    if (++s->made % s->ring.batch == 0) {
        ops_ring_publish(&s->ring, s->made, false);
        ops_ring_room(&s->ring, s->made);
    }
    ops_ring_point(&s->ring, s->made, mcu);
    return TRUE;
}

// finish stands in for finish_pass.
void finish(j_compress_ptr cinfo) {
    if (const std::exception_ptr failure = join(running)) std::rethrow_exception(failure);
    cinfo->entropy->finish_pass(cinfo);
}

// begin stands in for encode_mcu at the first MCU: the headers are written, and until the end of the scan only the
// entropy encoder writes. Without memory or a thread for it, everything stays as it is.
boolean begin(j_compress_ptr cinfo, JBLOCKROW *mcu) {
    cinfo->entropy->encode_mcu = encode_mcu;
    const boolean done = encode_mcu(cinfo, mcu);
    auto *s = new (std::nothrow) scan();
    if (!s) return done;
    s->entropy.encode_mcu = give;
    s->entropy.finish_pass = finish;
    s->cinfo = cinfo;
    s->encoder = cinfo->entropy;
    s->err = *cinfo->err;
    s->err.error_exit = fail;
    s->copy = *cinfo;
    s->copy.err = &s->err;
    if (!ops_ring_start(&s->ring, static_cast<size_t>(cinfo->blocks_in_MCU), write_behind, s)) {
        delete s;
        return done;
    }
    cinfo->entropy = &s->entropy;
    ops_ring_point(&s->ring, 0, mcu);
    running = s;
    return done;
}

// Returns true if the file's one scan has everything, and is written while it is made.
bool fits(const jpeg_compress_struct *cinfo) {
    return !running && ops_jpeg_file()->encoded && cinfo->num_scans <= 1 &&
           cinfo->comps_in_scan == cinfo->num_components && !cinfo->optimize_coding && !cinfo->progressive_mode &&
           !cinfo->arith_code && // and not lossless:
           cinfo->Ss == 0 && cinfo->Se == DCTSIZE2 - 1 && cinfo->Ah == 0 && cinfo->Al == 0;
}

} // namespace

void ops_jpeg_compress_started(j_compress_ptr cinfo) {
    if (!fits(cinfo)) return;
    encode_mcu = cinfo->entropy->encode_mcu;
    cinfo->entropy->encode_mcu = begin;
}

// An error ends encoding without finish.
void ops_jpeg_compress_ending(j_compress_ptr cinfo) {
    if (running && running->cinfo == cinfo) join(running);
}

#endif
