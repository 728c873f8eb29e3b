// Half of a JPEG's decoding is the Huffman code, which has to be read in order; the other half makes pixels of what was
// read. For large images a second thread does the first half, some MCUs (16 x 16 pixels, mostly) ahead of the caller's,
// which does the second.
//
// libjpeg-turbo asks its entropy decoder for one MCU at a time. In the bundled OpenCV the linker leads the calls of
// jpeg_start_decompress here (--wrap, see scripts/native.sh). When the decoder is set up, its entropy decoder is exchanged
// for one that hands out what the true one, in the second thread, has put into a ring. Both threads run libjpeg's own
// code in its own order, so that pixels and warnings are what one thread would have made.
#define _GNU_SOURCE
#include "codec.h"
#include "jpeg.h"

#ifdef SHMCV_BUNDLED_OPENCV

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Of the ring, which fits a core's L2 cache: large enough that the threads seldom wait for each other.
enum { BATCHES = 8, BATCH_BYTES = 48 << 10 };

struct pipeline {
    struct jpeg_entropy_decoder entropy; // what the caller's cinfo has meanwhile; the first member, so that take finds us
    struct jpeg_decompress *cinfo;
    struct jpeg_entropy_decoder *decoder; // the true one

    // The second thread's own: a copy of cinfo, as decoding changes it, with an error manager that does not jump into
    // the caller's stack. It takes the file's position and the markers over until it has ended.
    struct jpeg_decompress ahead;
    struct jpeg_error_mgr err;
    jmp_buf failed;
    size_t next;
    const char *damage;

    pthread_t thread;
    bool joined;
    size_t total, batch, capacity; // MCUs: of the image, published at once, in the ring
    jpeg_block *ring;              // free MCUs are zero, which the decoder expects of them
    size_t taken, available;       // the caller's

    pthread_mutex_t mutex; // guards:
    pthread_cond_t changed;
    size_t decoded, released;
    bool ended, unwanted; // nothing will be added; nothing will be taken
};

static _Thread_local struct {
    const unsigned char *content, *end;
    uint64_t from;
    int threads;
    bool known; // that the library's structures are as we think
    struct pipeline *running;
} file;

static jpeg_block *mcu_at(const struct pipeline *p, size_t n) {
    return p->ring + n % p->capacity * (size_t)p->ahead.blocks_in_MCU;
}

// Publishes what has been decoded. The other side is woken when there is enough to do for a while.
static void publish(struct pipeline *p, bool ended) {
    pthread_mutex_lock(&p->mutex);
    p->decoded = p->next;
    p->ended = ended;
    if (ended || p->decoded - p->released >= p->capacity / 2) pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->mutex);
}

// Waits until another batch has room; false when nobody wants it.
static bool wait_for_room(struct pipeline *p) {
    pthread_mutex_lock(&p->mutex);
    if (p->next + p->batch - p->released > p->capacity)
        while (!p->unwanted && p->next - p->released > p->capacity / 2) pthread_cond_wait(&p->changed, &p->mutex);
    const bool wanted = !p->unwanted;
    pthread_mutex_unlock(&p->mutex);
    return wanted;
}

// Gives what has been taken back to the ring, and waits for more; false when there is none.
static bool wait_for_more(struct pipeline *p) {
    pthread_mutex_lock(&p->mutex);
    p->released = p->taken;
    if (p->decoded - p->released <= p->capacity / 2) pthread_cond_signal(&p->changed);
    if (p->decoded == p->taken)
        while (!p->ended && p->decoded - p->taken < p->capacity / 2) pthread_cond_wait(&p->changed, &p->mutex);
    p->available = p->decoded;
    pthread_mutex_unlock(&p->mutex);
    return p->available > p->taken;
}

static void point_at(const struct pipeline *p, size_t n, jpeg_block *mcu[]) {
    for (int i = 0; i < p->ahead.blocks_in_MCU; i++) mcu[i] = mcu_at(p, n) + i;
}

static void *decode_ahead(void *argument) {
    struct pipeline *p = argument;
    jpeg_block *mcu[10];
    if (setjmp(p->failed) == 0) {
        while (p->next < p->total) {
            if (p->next % p->batch == 0 && !wait_for_room(p)) break;
            point_at(p, p->next, mcu);
            if (!p->decoder->decode_mcu(&p->ahead, mcu)) break; // the file is at its end
            if (++p->next % p->batch == 0) publish(p, false);
        }
    }
    p->damage = ops_jpeg_damage();
    publish(p, true);
    return NULL;
}

// An error in the second thread ends its work, and is an MCU that is missing to the first.
static void fail(void *ahead) {
    struct pipeline *p = (struct pipeline *)((char *)ahead - offsetof(struct pipeline, ahead));
    longjmp(p->failed, 1);
}

// Ends the second thread, and lets cinfo go on by itself from where that was.
static void join(struct pipeline *p) {
    if (p->joined) return;
    p->joined = true;
    pthread_mutex_lock(&p->mutex);
    p->unwanted = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
    p->cinfo->unread_marker = p->ahead.unread_marker;
    p->cinfo->entropy = p->decoder;
    if (p->damage) ops_jpeg_add_damage(p->damage);
}

// take stands in for decode_mcu. libjpeg zeroes the MCU of the last call before each, which makes it ready for the ring.
static int take(struct jpeg_decompress *cinfo, jpeg_block *mcu[]) {
    struct pipeline *p = (struct pipeline *)cinfo->entropy;
    if ((p->taken % p->batch == 0 || p->taken == p->available) && !wait_for_more(p)) return 0;
    point_at(p, p->taken, mcu);
    if (++p->taken == p->total) join(p);
    return 1;
}

static void destroy(struct pipeline *p) {
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->mutex);
    free(p->ring);
    free(p);
}

// start_thread blocks all signals in the new thread: their handlers are the host's, and want its threads.
static int start_thread(pthread_t *thread, void *(*run)(void *), void *argument) {
    sigset_t all, before;
    pthread_attr_t small;
    if (pthread_attr_init(&small) != 0) return -1;
    pthread_attr_setstacksize(&small, 256 << 10);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(thread, &small, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&small);
    return failed;
}

// begin lets a second thread decode ahead; without memory or threads for that, everything stays as it is.
static void begin(struct jpeg_decompress *cinfo) {
    const size_t size = (size_t)cinfo->blocks_in_MCU * sizeof(jpeg_block);
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p) return;
    p->entropy.decode_mcu = take;
    p->cinfo = cinfo;
    p->decoder = cinfo->entropy;
    p->err = *cinfo->err;
    p->err.error_exit = fail;
    p->ahead = *cinfo;
    p->ahead.err = &p->err;
    p->total = (size_t)cinfo->MCUs_per_row * cinfo->MCU_rows_in_scan;
    p->batch = BATCH_BYTES / size;
    p->capacity = BATCHES * p->batch;
    p->ring = aligned_alloc(64, p->capacity * size); // vector instructions read it
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (p->ring) memset(p->ring, 0, p->capacity * size);
    if (!p->ring || start_thread(&p->thread, decode_ahead, p) != 0) {
        destroy(p);
        return;
    }
    cinfo->entropy = &p->entropy;
    file.running = p;
    file.threads = 2;
}

static bool several_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1; // it fails when there are more than 1024
}

// The one scan has everything, its end is in memory, and it is long enough.
static bool worth_it(const struct jpeg_decompress *cinfo) {
    const struct jpeg_source_mgr *src = cinfo->src;
    return file.known && !file.running && cinfo->comps_in_scan == cinfo->num_components &&
           !cinfo->buffered_image && !cinfo->progressive_mode && !cinfo->arith_code &&
           cinfo->Ss == 0 && cinfo->Se == 63 && cinfo->Ah == 0 && cinfo->Al == 0 &&
           src->next_input_byte >= file.content && src->next_input_byte + src->bytes_in_buffer == file.end &&
           (uint64_t)cinfo->image_width * cinfo->image_height >= file.from && several_processors();
}

void __real_jpeg_CreateDecompress(struct jpeg_decompress *cinfo, int version, size_t size);
int __real_jpeg_start_decompress(struct jpeg_decompress *cinfo);
void __real_jpeg_destroy_decompress(struct jpeg_decompress *cinfo);

void __wrap_jpeg_CreateDecompress(struct jpeg_decompress *cinfo, int version, size_t size) {
    file.known = version == 70 && size == sizeof *cinfo;
    __real_jpeg_CreateDecompress(cinfo, version, size);
}

int __wrap_jpeg_start_decompress(struct jpeg_decompress *cinfo) {
    const bool pipelined = file.end && worth_it(cinfo);
    const int started = __real_jpeg_start_decompress(cinfo);
    if (started && pipelined) begin(cinfo);
    return started;
}

// All ends of decoding come by here, damage and exceptions included.
void __wrap_jpeg_destroy_decompress(struct jpeg_decompress *cinfo) {
    struct pipeline *p = file.running;
    if (p && p->cinfo == cinfo) {
        join(p);
        destroy(p);
        file.running = NULL;
    }
    __real_jpeg_destroy_decompress(cinfo);
}

void ops_jpeg_pipeline_allow(const void *content, size_t size, uint64_t from) {
    file.content = content;
    file.end = file.content + size;
    file.from = from;
    file.threads = 1;
}

int ops_jpeg_threads(void) { return file.threads; }

#else

void ops_jpeg_pipeline_allow(const void *content, size_t size, uint64_t from) {
    (void)content, (void)size, (void)from;
}

int ops_jpeg_threads(void) { return 1; }

#endif
