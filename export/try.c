#include "native.h"
#include "table.h"
#include "_cgo_export.h"

#include <string.h>

_Static_assert(sizeof(shmcv_image_info) == sizeof(shmcv_ring_image), "the ring's words are an image description");

enum {
    SLICE = 100000000,         /* of one sleep, as in shm/wait.go */
    CLOSE_SLICE = 50000000,
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

/* give_frame gives a frame its handle. It takes over the reference to the stream if it succeeds. */
static bool give_frame(shmcv_item *stream, shmcv_ring_frame *taken, shmcv_frame *out) {
    shmcv_item *item = shmcv_item_new_frame(stream, taken);
    if (item == NULL) {
        shmcv_ring_give_back(taken);
        return false;
    }
    out->pixels.handle = shmcv_item_handle(item);
    return true;
}

int32_t shmcv_try_stream_begin(shmcv_stream stream, int32_t timeout_ms, shmcv_frame *frame, shmcv_nap *nap) {
    (void)timeout_ms, (void)nap; /* Go waits for a slot, because it may have to repair what a dead reader holds */
    if (frame == NULL) return SHMCV_ENTER_GO;
    shmcv_item *item = shmcv_item_use(stream.handle, SHMCV_STREAM);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_ring_frame begun;
    if (shmcv_ring_begin(item->ring, &begun) == SHMCV_RING_OK && give_frame(item, &begun, frame)) return SHMCV_OK;
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

int32_t shmcv_try_frame_close(shmcv_frame frame) {
    shmcv_item *item = shmcv_item_close(frame.pixels.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    release(item);
    return SHMCV_OK;
}

/* watch spins until there is news or the handle is closed, for the time that the party spins. */
static void watch(shmcv_ring *ring, uint64_t newer_than, uint64_t deadline, uint32_t closing, const uint32_t *closings) {
    const uint64_t now = shmcv_now(), spin = __atomic_load_n(&ring->spin, __ATOMIC_RELAXED);
    const uint64_t end = deadline - now < spin ? deadline : now + spin;
    do {
        for (int i = 0; i < 32; i++) {
            if (shmcv_ring_is_new(ring, newer_than)) return;
        }
    } while (shmcv_now() < end && __atomic_load_n(closings, __ATOMIC_RELAXED) == closing);
}

/* sleep_on_bell prepares the sleep of a reader that has found nothing. It returns false if there is something now, or if the
 * time is up. */
static bool sleep_on_bell(shmcv_ring *ring, uint64_t newer_than, int32_t timeout_ms, uint32_t closing, uint32_t *closings,
                          shmcv_nap *nap) {
    const bool first = nap->deadline == 0;
    if (first) {
        nap->deadline = timeout_ms < 0 ? UINT64_MAX : shmcv_now() + (uint64_t)timeout_ms * 1000000;
        if (shmcv_processors > 1) watch(ring, newer_than, nap->deadline, closing, closings);
    } else if (shmcv_ring_whole(ring) != SHMCV_RING_OK) {
        return false;
    }
    const uint32_t value = shmcv_ring_listen(ring);
    if (shmcv_ring_is_new(ring, newer_than)) return false;
    const uint64_t now = shmcv_now();
    if (now >= nap->deadline) return false;
    nap->words[0] = shmcv_word_of(ring->file, &ring->words->bell, value);
    nap->words[1] = shmcv_word_of(SHMCV_NO_FILE, closings, closing);
    nap->count = 2;
    nap->until = nap->deadline - now < SLICE ? nap->deadline : now + SLICE;
    nap->soon = now + CLOSE_SLICE;
    return true;
}

int32_t shmcv_try_stream_wait(shmcv_stream stream, uint64_t newer_than, int32_t timeout_ms, shmcv_frame *frame,
                              shmcv_frame_info *info, shmcv_nap *nap) {
    if (frame == NULL) return SHMCV_ENTER_GO;
    uint32_t *closings = shmcv_closing_of(stream.handle);
    const uint32_t closing = __atomic_load_n(closings, __ATOMIC_SEQ_CST); /* before the look-up, so that no close is missed */
    shmcv_item *item = shmcv_item_use(stream.handle, SHMCV_STREAM);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_ring_frame taken;
    shmcv_ring_status status = shmcv_ring_wait(item->ring, newer_than, &taken);
    /* Only Go finds out whether there is a writer. */
    if (status == SHMCV_RING_NOTHING && timeout_ms != 0 && !__atomic_load_n(&item->ring->heeds, __ATOMIC_SEQ_CST)) {
        if (sleep_on_bell(item->ring, newer_than, timeout_ms, closing, closings, nap)) {
            release(item);
            return SHMCV_OK; /* the shim sleeps, and calls again */
        }
        status = shmcv_ring_wait(item->ring, newer_than, &taken);
    }
    if (status == SHMCV_RING_UNKNOWN_IMAGE) shmcv_ring_give_back(&taken);
    if (status == SHMCV_RING_OK && give_frame(item, &taken, frame)) {
        if (info != NULL) {
            memset(info, 0, sizeof *info);
            info->sequence = taken.sequence;
            info->time_ns = taken.time;
            info->missed = taken.missed;
            info->capture_time_ns = taken.capture_time;
            info->metadata_size = taken.metadata_size;
            memcpy(&info->image, &taken.image, sizeof info->image);
        }
        return SHMCV_OK;
    }
    release(item);
    return SHMCV_ENTER_GO;
}

int32_t shmcv_try_data(shmcv_segment seg, void **ptr, uint64_t *size) {
    shmcv_item *item = shmcv_item_use(seg.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_ring *ring = item->frame.ring;
    const bool there = shmcv_ring_state(&item->frame) != SHMCV_RING_PUBLISHED && shmcv_ring_whole(ring) == SHMCV_RING_OK;
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
    const bool there = shmcv_ring_state(&item->frame) != SHMCV_RING_PUBLISHED && shmcv_ring_get_image(&item->frame, &image);
    if (there) memcpy(out, &image, sizeof *out);
    release(item);
    return there ? SHMCV_OK : SHMCV_ENTER_GO;
}

int32_t shmcv_try_image_set(shmcv_segment seg, const shmcv_image_info *image) {
    if (image == NULL) return SHMCV_ENTER_GO;
    shmcv_item *item = shmcv_item_use(seg.handle, SHMCV_FRAME);
    if (item == NULL) return SHMCV_ENTER_GO;
    shmcv_ring_image wanted;
    memcpy(&wanted, image, sizeof wanted);
    const bool fits = shmcv_ring_state(&item->frame) == SHMCV_RING_WRITING && shmcv_ring_knows(item->frame.ring, &wanted);
    if (fits) shmcv_ring_set_image(&item->frame, &wanted);
    release(item);
    return fits ? SHMCV_OK : SHMCV_ENTER_GO;
}
