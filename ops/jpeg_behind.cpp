// A JPEG's encoding is making coefficients of pixels, and then writing them as Huffman code, which takes almost as long.
// libjpeg-turbo gives its entropy encoder one MCU (16 x 16 pixels, mostly) at a time. When the first has come, the
// entropy encoder is exchanged here for one that puts MCUs into the ring, and the true one takes them from there, in the
// second thread. This is C++ because OpenCV's destination is: what it throws there, for want of memory, is thrown again
// in the thread that OpenCV catches it in.
#include "ahead.h"
#include "jpeg.h"

#ifdef SHMCV_BUNDLED_OPENCV

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>

#include <opencv2/core.hpp>

namespace {

// The ring fits a core's second cache, and is large enough that the threads seldom wait for each other.
enum { BATCHES = 8, BATCH_BYTES = 48 << 10 };

struct scan {
    jpeg_entropy_encoder entropy; // what cinfo has meanwhile; the first member, so that give finds the rest
    jpeg_compress *cinfo;
    jpeg_entropy_encoder *encoder; // the true one

    // The writer's own: a copy of cinfo, with an error manager that does not jump into the other thread's stack. Until
    // the writer has ended, the destination is the writer's too.
    jpeg_compress copy;
    jpeg_error_mgr err;
    std::exception_ptr failure;

    struct ahead ahead; // counts MCUs
    size_t batch, made;
    jpeg_block *ring;
};

thread_local scan *running;
thread_local bool known; // that libjpeg's structures are what we think
thread_local decltype(jpeg_entropy_encoder::encode_mcu) encode_mcu; // the true one, while begin stands in for it

void point_at(const scan *s, size_t n, jpeg_block *mcu[]) {
    const auto blocks = static_cast<size_t>(s->copy.blocks_in_MCU);
    for (size_t i = 0; i < blocks; i++) mcu[i] = s->ring + n % s->ahead.capacity * blocks + i;
}

// After a failure the writer goes on taking, since the other thread waits for room.
void *write_behind(void *argument) {
    auto *s = static_cast<scan *>(argument);
    jpeg_block *mcu[10];
    for (size_t written = 0, made; (made = ops_ahead_more(&s->ahead, written)) > written;) {
        const size_t end = std::min(made, written + s->batch);
        try {
            for (; written < end && !s->failure; written++) {
                point_at(s, written, mcu);
                s->encoder->encode_mcu(&s->copy, mcu);
            }
        } catch (...) {
            s->failure = std::current_exception();
        }
        written = end;
    }
    return nullptr;
}

void fail(void *copy) {
    char message[200]; // JMSG_LENGTH_MAX
    auto *cinfo = static_cast<jpeg_compress *>(copy);
    cinfo->err->format_message(copy, message);
    throw cv::Exception(cv::Error::StsError, message, "encode_mcu", "libjpeg", 0);
}

void discard(scan *s) {
    std::free(s->ring);
    delete s;
}

// Lets the writer write what there is, and cinfo go on from there. Gives what went wrong.
std::exception_ptr join(scan *s) {
    ops_ahead_publish(&s->ahead, s->made, true);
    ops_ahead_join(&s->ahead);
    s->cinfo->entropy = s->encoder;
    const std::exception_ptr failure = s->failure;
    discard(s);
    running = nullptr;
    return failure;
}

// give stands in for encode_mcu, and has the next MCU made in the ring.
int give(jpeg_compress *cinfo, jpeg_block *mcu[]) {
    auto *s = reinterpret_cast<scan *>(cinfo->entropy);
    if (++s->made % s->batch == 0) {
        ops_ahead_publish(&s->ahead, s->made, false);
        ops_ahead_room(&s->ahead, s->made, s->batch);
    }
    point_at(s, s->made, mcu);
    return 1;
}

// finish stands in for finish_pass.
void finish(jpeg_compress *cinfo) {
    if (const std::exception_ptr failure = join(running)) std::rethrow_exception(failure);
    cinfo->entropy->finish_pass(cinfo);
}

// begin stands in for encode_mcu at the first MCU: the headers are written, and to the end of the scan nobody but the
// entropy encoder writes any more. Without memory or a thread for it, everything stays as it is.
int begin(jpeg_compress *cinfo, jpeg_block *mcu[]) {
    cinfo->entropy->encode_mcu = encode_mcu;
    const int done = encode_mcu(cinfo, mcu);
    auto *s = new (std::nothrow) scan();
    if (!s) return done;
    const size_t size = static_cast<size_t>(cinfo->blocks_in_MCU) * sizeof(jpeg_block);
    s->entropy.encode_mcu = give;
    s->entropy.finish_pass = finish;
    s->cinfo = cinfo;
    s->encoder = cinfo->entropy;
    s->err = *cinfo->err;
    s->err.error_exit = fail;
    s->copy = *cinfo;
    s->copy.err = &s->err;
    s->batch = BATCH_BYTES / size;
    const size_t capacity = BATCHES * s->batch;
    s->ring = static_cast<jpeg_block *>(std::aligned_alloc(64, capacity * size)); // vector instructions write it
    if (!s->ring || !ops_ahead_start(&s->ahead, capacity, write_behind, s)) {
        discard(s);
        return done;
    }
    cinfo->entropy = &s->entropy;
    point_at(s, 0, mcu); // libjpeg makes each MCU where these pointers say
    running = s;
    return done;
}

// The file's one scan has everything, and is written while it is made.
bool fits(const jpeg_compress *cinfo) {
    return known && !running && ops_ahead_file()->encoded && cinfo->num_scans <= 1 &&
           cinfo->comps_in_scan == cinfo->num_components && !cinfo->optimize_coding && !cinfo->progressive_mode &&
           !cinfo->arith_code && // and not lossless:
           cinfo->Ss == 0 && cinfo->Se == 63 && cinfo->Ah == 0 && cinfo->Al == 0;
}

} // namespace

extern "C" {

void __real_jpeg_CreateCompress(jpeg_compress *cinfo, int version, size_t size);
void __real_jpeg_start_compress(jpeg_compress *cinfo, int write_all_tables);
void __real_jpeg_destroy_compress(jpeg_compress *cinfo);

void __wrap_jpeg_CreateCompress(jpeg_compress *cinfo, int version, size_t size) {
    known = version == 70 && size == sizeof *cinfo;
    __real_jpeg_CreateCompress(cinfo, version, size);
}

void __wrap_jpeg_start_compress(jpeg_compress *cinfo, int write_all_tables) {
    __real_jpeg_start_compress(cinfo, write_all_tables);
    if (!fits(cinfo)) return;
    encode_mcu = cinfo->entropy->encode_mcu;
    cinfo->entropy->encode_mcu = begin;
}

// An error ends encoding here, without finish.
void __wrap_jpeg_destroy_compress(jpeg_compress *cinfo) {
    if (running && running->cinfo == cinfo) join(running);
    __real_jpeg_destroy_compress(cinfo);
}
}

#endif
