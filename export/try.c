#include "native.h"
#include "table.h"
#include "_cgo_export.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(shmcv_image_info) == sizeof(shmcv_ring_image), "the ring's words are an image description");

enum {
    SLICE = 100000000,         /* of one sleep, as in shm/wait.go */
    UNMARKED_SLICE = 10000000, /* of a reader that cannot say that it sleeps */
    CLOSE_SLICE = 50000000,
    LOOKS = 128,               /* of a reader that spins, between two looks at the clock: half a microsecond */
};

/* release gives a reference back, and tells Go of a stream that nobody uses any more. */
static void release(shmcv_item *item) {
    shmcv_ring *unused = shmcv_item_drop(item);
    if (unused == NULL) return;
    shmcv_entry entry;
    shmcv_enter(&entry);
    goStreamUnused(unused);
    shmcv_leave(&entry);
}

int32_t shmcv_try_stream_begin(shmcv_stream stream, int32_t timeout_ms, shmcv_frame *frame, shmcv_nap *nap) {
    (void)timeout_ms, (void)nap; /* Go waits for a slot, because it may have to repair what a dead reader holds */
    if (frame == NULL) return SHMCV_ENTER_GO;
    shmcv_item *item = shmcv_item_use(stream.handle, SHMCV_STREAM);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_item *reserved = shmcv_item_reserve();
    if (reserved != NULL && shmcv_ring_begin(item->ring, false, &reserved->frame) == SHMCV_RING_OK) {
        frame->pixels.handle = shmcv_item_make_frame(reserved, item);
        return SHMCV_OK;
    }
    if (reserved != NULL) shmcv_item_give_back(reserved);
    release(item);
    return SHMCV_ENTER_GO;
}

int32_t shmcv_try_frame_publish(shmcv_frame frame, uint64_t *sequence) {
    shmcv_item *item = shmcv_item_use(frame.pixels.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    uint64_t published;
    const bool done = shmcv_ring_publish(&item->frame, &published) == SHMCV_RING_OK;
    if (done) {
        if (sequence != NULL) *sequence = published;
        shmcv_item *closed = shmcv_item_close(frame.pixels.handle, SHMCV_FRAME); /* NULL if another thread has just closed it */
        if (closed != NULL) release(closed);
    }
    release(item);
    return done ? SHMCV_OK : SHMCV_ENTER_GO;
}

int32_t shmcv_try_frame_check(shmcv_frame frame) {
    shmcv_item *item = shmcv_item_use(frame.pixels.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    const bool is_whole = shmcv_ring_check(&item->frame) == SHMCV_RING_OK;
    release(item);
    return is_whole ? SHMCV_OK : SHMCV_ENTER_GO;
}

/* overtaken gives the result of closing a frame that was not whole. */
static int32_t overtaken(uint64_t sequence) {
    char message[160];
    const int length = snprintf(message, sizeof message, "shmcv: frame %llu, which is closed now: its writer has begun to write "
                                "over it, and what was read of it may be of two frames", (unsigned long long)sequence);
    shmcv_set_error(message, (size_t)length);
    return SHMCV_E_OVERTAKEN;
}

int32_t shmcv_try_frame_close(shmcv_frame frame) {
    shmcv_item *item = shmcv_item_close(frame.pixels.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    const bool is_whole = shmcv_ring_check(&item->frame) != SHMCV_RING_OVERTAKEN;
    const uint64_t sequence = item->frame.sequence;
    release(item);
    return is_whole ? SHMCV_OK : overtaken(sequence);
}

/* watch spins for the time that the party spins, and takes a frame as soon as it is there. It ends when the handle is closed. */
static shmcv_ring_status watch(shmcv_ring *ring, uint64_t newer_than, uint64_t deadline, uint32_t closing, const uint32_t *closings,
                               shmcv_ring_frame *frame) {
    const uint64_t now = shmcv_now(), spin = __atomic_load_n(&ring->spin, __ATOMIC_RELAXED);
    const uint64_t end = deadline - now < spin ? deadline : now + spin;
    shmcv_ring_stage stage;
    shmcv_ring_set_stage(&stage);
    do {
        shmcv_ring_status status = shmcv_ring_wait(ring, newer_than, LOOKS, frame);
        if (status != SHMCV_RING_NOTHING) return status;
        shmcv_ring_rehearse(&stage);
        status = shmcv_ring_whole(ring);
        if (status != SHMCV_RING_OK) return status;
    } while (shmcv_now() < end && __atomic_load_n(closings, __ATOMIC_RELAXED) == closing);
    return SHMCV_RING_NOTHING;
}

/* watch_or_sleep is for a reader that has found nothing. It watches. If there is still nothing, and the time is not up, it
 * prepares the reader's first sleep, for which nap has words then. */
static shmcv_ring_status watch_or_sleep(shmcv_ring *ring, uint64_t newer_than, int32_t timeout_ms, uint32_t closing,
                                        uint32_t *closings, shmcv_ring_frame *frame, shmcv_nap *nap) {
    nap->deadline = timeout_ms < 0 ? UINT64_MAX : shmcv_now() + (uint64_t)timeout_ms * 1000000;
    shmcv_ring_status status = SHMCV_RING_NOTHING;
    if (shmcv_processors > 1) status = watch(ring, newer_than, nap->deadline, closing, closings, frame);
    if (status != SHMCV_RING_NOTHING) return status;
    const uint32_t value = shmcv_ring_listen(ring);
    status = shmcv_ring_wait(ring, newer_than, 1, frame);
    const uint64_t now = shmcv_now();
    if (status != SHMCV_RING_NOTHING || now >= nap->deadline) return status;
    nap->words[0] = shmcv_word_of(ring->file, &ring->words->bell, value);
    nap->words[1] = shmcv_word_of(SHMCV_NO_FILE, closings, closing);
    nap->count = 2;
    const uint64_t slice = ring->unmarked ? UNMARKED_SLICE : SLICE;
    nap->until = nap->deadline - now < slice ? nap->deadline : now + slice;
    nap->soon = now + CLOSE_SLICE;
    return status;
}

/* is_settled returns true if nothing need be asked when there is no frame. Only Go finds out whether there is a writer, takes
 * a descriptor down, and looks now and then which file has the stream's name. */
static bool is_settled(shmcv_ring *ring) {
    if (__atomic_load_n(&ring->heeds, __ATOMIC_SEQ_CST) || __atomic_load_n(&ring->polled, __ATOMIC_SEQ_CST)) return false;
    const uint64_t now = shmcv_now();
    if (now - __atomic_load_n(&ring->asked, __ATOMIC_RELAXED) >= SLICE) {
        __atomic_store_n(&ring->asked, now, __ATOMIC_RELAXED);
        return false;
    }
    return shmcv_ring_whole(ring) == SHMCV_RING_OK;
}

/* no_frame is the answer to a reader that asks again and again. Go's, with the stream's name, takes ten times as long. */
static int32_t no_frame(void) {
    static const char message[] = "shm: there is no frame yet that is newer, and the call was not to wait for one (a timeout of 0)";
    shmcv_set_error(message, sizeof message - 1);
    return SHMCV_E_TIMEOUT;
}

int32_t shmcv_try_stream_wait(shmcv_stream stream, uint64_t newer_than, int32_t timeout_ms, shmcv_frame *frame,
                              shmcv_frame_info *info, shmcv_nap *nap) {
    if (frame == NULL) return SHMCV_ENTER_GO;
    uint32_t *closings = shmcv_closing_of(stream.handle);
    const uint32_t closing = __atomic_load_n(closings, __ATOMIC_SEQ_CST); /* before the look-up, so that no close is missed */
    shmcv_item *item = shmcv_item_use(stream.handle, SHMCV_STREAM);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_item *reserved = shmcv_item_reserve(); /* before the frame is there, because time counts afterwards */
    if (reserved == NULL) {
        release(item);
        return SHMCV_ENTER_GO;
    }
    shmcv_ring_frame *taken = &reserved->frame;
    shmcv_ring_status status = shmcv_ring_wait(item->ring, newer_than, 1, taken);
    /* Only Go finds out whether there is a writer and, when a sleep has ended without news, looks at the file and its name. */
    if (status == SHMCV_RING_NOTHING && timeout_ms != 0 && nap->deadline == 0 && !__atomic_load_n(&item->ring->heeds, __ATOMIC_SEQ_CST)) {
        status = watch_or_sleep(item->ring, newer_than, timeout_ms, closing, closings, taken, nap);
        if (nap->count > 0) {
            shmcv_item_give_back(reserved);
            release(item);
            return SHMCV_OK; /* the shim sleeps, and calls again */
        }
    }
    if (status == SHMCV_RING_OK) {
        if (info != NULL) {
            *info = (shmcv_frame_info){
                .sequence = taken->sequence,
                .time_ns = taken->time,
                .missed = taken->missed,
                .capture_time_ns = taken->capture_time,
                .metadata_size = taken->metadata_size,
                .data = shmcv_ring_bytes(taken),
                .size = taken->ring->slot_size,
                .held = shmcv_ring_is_held(taken),
            };
            memcpy(&info->image, &taken->image, sizeof info->image);
        }
        frame->pixels.handle = shmcv_item_make_frame(reserved, item); /* last, because any thread may close the handle */
        return SHMCV_OK;
    }
    if (status == SHMCV_RING_UNKNOWN_IMAGE) shmcv_ring_give_back(taken);
    const bool nothing = status == SHMCV_RING_NOTHING && timeout_ms == 0 && is_settled(item->ring);
    shmcv_item_give_back(reserved);
    release(item);
    return nothing ? no_frame() : SHMCV_ENTER_GO;
}

int32_t shmcv_try_data(shmcv_segment seg, void **ptr, uint64_t *size) {
    shmcv_item *item = shmcv_item_use(seg.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_ring *ring = item->frame.ring;
    const bool there = shmcv_ring_state(&item->frame) != SHMCV_RING_PUBLISHED && shmcv_ring_whole(ring) == SHMCV_RING_OK &&
                       shmcv_ring_check(&item->frame) == SHMCV_RING_OK;
    if (there) {
        if (ptr != NULL) *ptr = shmcv_ring_bytes(&item->frame);
        if (size != NULL) *size = ring->slot_size;
    }
    release(item);
    return there ? SHMCV_OK : SHMCV_ENTER_GO;
}

int32_t shmcv_try_image_get(shmcv_segment seg, shmcv_image_info *out) {
    if (out == NULL) return SHMCV_ENTER_GO;
    shmcv_item *item = shmcv_item_use(seg.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_ring_image image;
    const bool there = shmcv_ring_state(&item->frame) != SHMCV_RING_PUBLISHED && shmcv_ring_get_image(&item->frame, &image) &&
                       shmcv_ring_check(&item->frame) == SHMCV_RING_OK;
    if (there) memcpy(out, &image, sizeof *out);
    release(item);
    return there ? SHMCV_OK : SHMCV_ENTER_GO;
}

/* complete gives an image as words, with the stride that a caller may leave out. What makes no sense, no ring knows. */
static shmcv_ring_image complete(const shmcv_image_info *image) {
    shmcv_image_info whole = *image;
    const uint64_t sample = whole.depth == SHMCV_DEPTH_F32 ? 4 : whole.depth;
    if (whole.stride == 0) whole.stride = (uint64_t)whole.width * whole.channels * sample;
    shmcv_ring_image words;
    memcpy(&words, &whole, sizeof words);
    return words;
}

int32_t shmcv_try_image_set(shmcv_segment seg, const shmcv_image_info *image) {
    if (image == NULL) return SHMCV_ENTER_GO;
    shmcv_item *item = shmcv_item_use(seg.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    const shmcv_ring_image wanted = complete(image);
    const bool fits = shmcv_ring_state(&item->frame) == SHMCV_RING_WRITING && shmcv_ring_knows(item->frame.ring, &wanted);
    if (fits) shmcv_ring_set_image(&item->frame, &wanted);
    release(item);
    return fits ? SHMCV_OK : SHMCV_ENTER_GO;
}
