#include "ring.h"

#include "guard.h"
#include "system.h"

#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(shmcv_ring_record) == 128 + SHMCV_RING_METADATA, "a record is whole cache lines");
_Static_assert(sizeof(shmcv_ring_holders) == 64 && sizeof(shmcv_ring_place) == 64, "each in a cache line of its own");
_Static_assert(sizeof(shmcv_ring_words) == 384, "six cache lines");

/* The holders' bit of the writer. The others are those of the places. */
static const uint64_t WRITER = (uint64_t)1 << SHMCV_RING_PLACES;

/* In held: a thread of this process takes or gives back the slot for all. */
static const uint32_t CHANGING = UINT32_MAX;

/* How often a reader begins again. It does when the writer has published as many frames as there are slots meanwhile, so
 * more than a few times mean that the reader was stopped each time; and many times at the same frame, that a neighbour has
 * written over the words. */
enum { ATTEMPTS = 10000, ATTEMPTS_AT_ONE = 64 };

/* All words are read and written in one order on which all processes agree. A place where less would do says so. */
#define load(word) __atomic_load_n(word, __ATOMIC_SEQ_CST)
#define store(word, value) __atomic_store_n(word, value, __ATOMIC_SEQ_CST)
#define swap(word, value) __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST)
#define add(word, value) __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST)
#define set_bits(word, bits) __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST)
#define clear_bits(word, bits) __atomic_fetch_and(word, ~(bits), __ATOMIC_SEQ_CST)
#define change(word, old, new) __atomic_compare_exchange_n(word, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* GUARDED begins a function that touches the file's memory, and RETURN ends it. */
#define GUARDED(ring, if_cut)                                                                                          \
    shmcv_guard guard;                                                                                                 \
    if (SHMCV_FAULTS(guard)) {                                                                                         \
        store(&(ring)->broken, 1);                                                                                     \
        return if_cut;                                                                                                 \
    }
#define RETURN(result)                                                                                                 \
    do {                                                                                                               \
        SHMCV_SAFE(guard);                                                                                             \
        return result;                                                                                                 \
    } while (0)

static inline void pause_briefly(unsigned attempt) {
    if (attempt % ATTEMPTS_AT_ONE == ATTEMPTS_AT_ONE - 1) ring_yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline uint64_t bit(int32_t place) { return (uint64_t)1 << place; }

/* ring_bell changes a bell, and wakes who sleeps on it. */
static void ring_bell(const shmcv_ring *ring, uint32_t *bell, uint32_t *asleep) {
    add(bell, 1);
    if (load(asleep) != 0 && swap(asleep, 0) != 0) ring_wake(ring->file, bell);
}

/* wake_writer tells the writer that a slot may have come free, if it waits for one. */
static void wake_writer(shmcv_ring *ring) {
    if (load(&ring->words->wants_room) != 0) ring_bell(ring, &ring->words->room, &ring->words->wants_room);
}

shmcv_ring_status shmcv_ring_open(shmcv_ring *ring, uint32_t *held) {
    ring->held = held;
    ring->place = SHMCV_RING_NOWHERE;
    ring->newest_slot = SHMCV_RING_NOWHERE;
    ring->spin = SHMCV_RING_SPIN;
    GUARDED(ring, SHMCV_RING_CUT);
    ring->joined = shmcv_ring_sequence(load(&ring->words->published));
    RETURN(SHMCV_RING_OK);
}

/* sound looks at the identity. whole looks at the file's length first, which is a system call. */
static shmcv_ring_status sound(const shmcv_ring *ring) {
    if (load(&ring->broken)) return SHMCV_RING_CUT;
    return memcmp(ring->identity, ring->found, sizeof ring->found) == 0 ? SHMCV_RING_OK : SHMCV_RING_CORRUPT;
}

static shmcv_ring_status whole(const shmcv_ring *ring) {
    return ring_file_size(ring->file) < ring->file_size ? SHMCV_RING_CUT : sound(ring);
}

shmcv_ring_status shmcv_ring_whole(shmcv_ring *ring) {
    GUARDED(ring, SHMCV_RING_CUT);
    RETURN(whole(ring));
}

/* The slots of this party. Several of its frames may be on one slot, for which the place has one bit. */

/* let_go gives back what hold has taken. */
static void let_go(shmcv_ring *ring, uint32_t slot) {
    uint32_t *held = &ring->held[slot];
    for (unsigned attempt = 0; !load(&ring->broken); attempt++) {
        uint32_t frames = load(held);
        if (frames == CHANGING) {
            pause_briefly(attempt);
            continue;
        }
        if (!change(held, &frames, frames == 1 ? CHANGING : frames - 1)) continue;
        if (frames > 1) return;
        clear_bits(&ring->holders[slot].places, bit(ring->place)); /* R4 */
        store(held, 0);
        wake_writer(ring);
        return;
    }
}

/* hold takes a slot for reading, and returns true if the slot has the frame of that sequence. */
static bool hold(shmcv_ring *ring, uint32_t slot, uint64_t sequence) {
    uint32_t *held = &ring->held[slot];
    uint64_t *places = &ring->holders[slot].places;
    for (unsigned attempt = 0; !load(&ring->broken); attempt++) {
        uint32_t frames = load(held);
        if (frames == CHANGING) {
            pause_briefly(attempt);
            continue;
        }
        if (!change(held, &frames, frames == 0 ? CHANGING : frames + 1)) continue;
        if (frames == 0) {
            uint64_t now = load(places);
            while (!(now & WRITER) && !change(places, &now, now | bit(ring->place))) {} /* R2 */
            store(held, now & WRITER ? 0 : 1);
            if (now & WRITER) return false;
        }
        if (load(&ring->records[slot].sequence) == sequence) return true; /* R3 */
        let_go(ring, slot);
        return false;
    }
    return false;
}

/* describe fills a frame that is held. */
static shmcv_ring_status describe(shmcv_ring *ring, uint32_t slot, uint64_t sequence, uint64_t missed, shmcv_ring_frame *frame) {
    const shmcv_ring_record *record = &ring->records[slot];
    frame->ring = ring;
    frame->slot = slot;
    frame->state = SHMCV_RING_READING;
    frame->storing = 0;
    frame->image_turn = 0;
    frame->has_image = 1;
    frame->image = record->image;
    frame->sequence = sequence;
    frame->time = record->time;
    frame->capture_time = record->capture_time;
    frame->metadata_size = record->metadata_size;
    frame->missed = missed;
    if (frame->metadata_size > SHMCV_RING_METADATA) {
        let_go(ring, slot);
        return SHMCV_RING_CORRUPT;
    }
    return shmcv_ring_knows(ring, &frame->image) ? SHMCV_RING_OK : SHMCV_RING_UNKNOWN_IMAGE;
}

/* nothing tells whether there may be another frame. */
static shmcv_ring_status nothing(const shmcv_ring *ring, uint64_t newest) {
    return load(&ring->words->ended) == newest + 1 ? SHMCV_RING_ENDED : SHMCV_RING_NOTHING;
}

static shmcv_ring_status take_newest(shmcv_ring *ring, uint64_t newer_than, shmcv_ring_frame *frame) {
    uint64_t last = 0;
    for (unsigned attempt = 0, at_one = 0; attempt < ATTEMPTS && at_one < ATTEMPTS_AT_ONE; attempt++) {
        const uint64_t newest = load(&ring->words->published); /* R1 */
        const uint64_t sequence = shmcv_ring_sequence(newest);
        const uint32_t slot = shmcv_ring_slot(newest);
        if (sequence == 0 || sequence <= newer_than) return nothing(ring, sequence);
        if (slot >= ring->slots) return SHMCV_RING_CORRUPT;
        if (hold(ring, slot, sequence)) {
            const uint64_t seen = newer_than > ring->joined ? newer_than : ring->joined;
            return describe(ring, slot, sequence, sequence > seen ? sequence - seen - 1 : 0, frame);
        }
        at_one = newest == last ? at_one + 1 : 0;
        last = newest;
        pause_briefly(attempt);
    }
    return load(&ring->broken) ? SHMCV_RING_CUT : SHMCV_RING_CORRUPT;
}

/* move_cursor says that a reader of every frame wants no frame before. */
static void move_cursor(shmcv_ring *ring, uint64_t cursor) {
    ring->cursor = cursor;
    store(&ring->places[ring->place].cursor, cursor);
}

/* is_there returns true if a slot has the frame of that sequence, and the writer does not claim it. */
static bool is_there(const shmcv_ring *ring, uint64_t sequence) {
    const uint64_t turn = load(&ring->records[sequence % ring->slots].turn);
    const uint32_t slot = shmcv_ring_slot(turn);
    return shmcv_ring_sequence(turn) == sequence && slot < ring->slots && !(load(&ring->holders[slot].places) & WRITER) &&
           load(&ring->records[slot].sequence) == sequence;
}

static shmcv_ring_status take_next(shmcv_ring *ring, uint64_t newer_than, shmcv_ring_frame *frame) {
    uint64_t wanted = ring->cursor;
    if (wanted <= newer_than) wanted = newer_than + 1;
    for (unsigned attempt = 0, at_one = 0; attempt < ATTEMPTS; attempt++) {
        const uint64_t newest = shmcv_ring_sequence(load(&ring->words->published)); /* E1 */
        if (wanted > newest) return nothing(ring, newest);
        if (newest - wanted >= ring->slots) wanted = newest - ring->slots + 1;
        const uint64_t turn = load(&ring->records[wanted % ring->slots].turn); /* E2 */
        const uint32_t slot = shmcv_ring_slot(turn);
        if (shmcv_ring_sequence(turn) == wanted && slot < ring->slots && hold(ring, slot, wanted)) {
            const uint64_t first = ring->cursor > newer_than ? ring->cursor : newer_than + 1;
            const shmcv_ring_status status = describe(ring, slot, wanted, wanted - first, frame);
            if (status == SHMCV_RING_OK) move_cursor(ring, wanted + 1); /* E3 */
            return status;
        }
        /* A claim that the writer takes back leaves the frame there. Otherwise the frame is gone. */
        const bool claimed = shmcv_ring_sequence(turn) == wanted && slot < ring->slots && load(&ring->records[slot].sequence) == wanted;
        at_one = claimed ? at_one + 1 : 0;
        if ((!claimed || at_one == ATTEMPTS_AT_ONE) && wanted < newest) wanted++;
        pause_briefly(attempt);
    }
    return load(&ring->broken) ? SHMCV_RING_CUT : SHMCV_RING_CORRUPT;
}

shmcv_ring_status shmcv_ring_wait(shmcv_ring *ring, uint64_t newer_than, shmcv_ring_frame *frame) {
    GUARDED(ring, SHMCV_RING_CUT);
    if (!load(&ring->every)) {
        const uint64_t newest = shmcv_ring_sequence(load(&ring->words->published));
        if (newest <= newer_than && !load(&ring->broken)) RETURN(nothing(ring, newest));
    }
    shmcv_ring_status status = sound(ring);
    if (status != SHMCV_RING_OK) RETURN(status);
    if (ring->place == SHMCV_RING_NOWHERE) RETURN(SHMCV_RING_NO_PLACE);
    if (!load(&ring->every)) RETURN(take_newest(ring, newer_than, frame));
    for (unsigned attempt = 0; swap(&ring->taking, 1) != 0 && !load(&ring->broken); attempt++) pause_briefly(attempt);
    status = take_next(ring, newer_than, frame);
    store(&ring->taking, 0);
    RETURN(status);
}

bool shmcv_ring_is_new(shmcv_ring *ring, uint64_t newer_than) {
    GUARDED(ring, true);
    const uint64_t newest = shmcv_ring_sequence(load(&ring->words->published));
    const bool wanted = newest > newer_than && (!load(&ring->every) || newest >= ring->cursor);
    RETURN(wanted || nothing(ring, newest) != SHMCV_RING_NOTHING || load(&ring->broken));
}

shmcv_ring_status shmcv_ring_follow(shmcv_ring *ring, bool from_oldest) {
    GUARDED(ring, SHMCV_RING_CUT);
    move_cursor(ring, 1);                           /* J1 */
    set_bits(&ring->words->every, bit(ring->place)); /* J2 */
    /* From here on the writer heeds the cursor. So frames that are published later wait for this reader. Of the earlier ones,
     * those do that the writer has not claimed: it looks at the cursor once more after a claim. */
    const uint64_t newest = shmcv_ring_sequence(load(&ring->words->published)); /* J3 */
    uint64_t first = newest + 1;
    while (from_oldest && first > 1 && newest + 1 - first < ring->slots && is_there(ring, first - 1)) first--; /* J4 */
    move_cursor(ring, first);                                                                                  /* J5 */
    store(&ring->every, 1);
    wake_writer(ring);
    RETURN(SHMCV_RING_OK);
}

shmcv_ring_status shmcv_ring_unfollow(shmcv_ring *ring) {
    GUARDED(ring, SHMCV_RING_CUT);
    store(&ring->every, 0);
    clear_bits(&ring->words->every, bit(ring->place));
    move_cursor(ring, 0);
    wake_writer(ring);
    RETURN(SHMCV_RING_OK);
}

void shmcv_ring_spin(shmcv_ring *ring, uint64_t nanoseconds) { store(&ring->spin, nanoseconds); }

void shmcv_ring_heed(shmcv_ring *ring, bool heed) { store(&ring->heeds, heed); }

shmcv_ring_status shmcv_ring_forget(shmcv_ring *ring, int32_t place) {
    GUARDED(ring, SHMCV_RING_CUT);
    clear_bits(&ring->words->every, bit(place));
    for (uint32_t slot = 0; slot < ring->slots; slot++) clear_bits(&ring->holders[slot].places, bit(place));
    store(&ring->places[place].cursor, 0);
    store(&ring->places[place].process, 0);
    wake_writer(ring);
    RETURN(SHMCV_RING_OK);
}

/* The writer. */

shmcv_ring_status shmcv_ring_take_over(shmcv_ring *ring, uint32_t process, uint64_t start) {
    GUARDED(ring, SHMCV_RING_CUT);
    shmcv_ring_words *words = ring->words;
    const uint64_t published = load(&words->published);
    const uint64_t newest = shmcv_ring_sequence(published);
    const uint32_t newest_slot = shmcv_ring_slot(published);
    if (newest > UINT64_MAX >> (SHMCV_RING_SLOT_BITS + 1) || newest_slot >= ring->slots) RETURN(SHMCV_RING_CORRUPT);
    for (uint32_t slot = 0; slot < ring->slots; slot++) {
        /* A frame in a slot that was claimed is whole until the slot is marked by a sequence of 0. */
        uint64_t *sequence = &ring->written[slot].sequence;
        if (load(sequence) > newest) store(sequence, 0);
        clear_bits(&ring->holders[slot].places, WRITER);
    }
    ring->newest = newest;
    ring->newest_slot = SHMCV_RING_NOWHERE;
    if (newest > 0 && load(&ring->written[newest_slot].sequence) == newest) ring->newest_slot = (int32_t)newest_slot;
    store(&words->writer, process);
    store(&words->writer_start, start);
    add(&words->writers, 1);
    store(&words->ended, 0);
    store(&ring->filling, 0);
    store(&ring->writes, 1);
    ring_bell(ring, &words->bell, &words->asleep);
    RETURN(SHMCV_RING_OK);
}

shmcv_ring_status shmcv_ring_resign(shmcv_ring *ring) {
    store(&ring->writes, 0);
    GUARDED(ring, SHMCV_RING_CUT);
    store(&ring->words->writer, 0);
    RETURN(SHMCV_RING_OK);
}

shmcv_ring_status shmcv_ring_end(shmcv_ring *ring) {
    GUARDED(ring, SHMCV_RING_CUT);
    if (!load(&ring->writes)) RETURN(SHMCV_RING_NO_WRITER);
    if (swap(&ring->filling, 1) != 0) RETURN(SHMCV_RING_FILLING);
    store(&ring->words->ended, ring->newest + 1);
    store(&ring->filling, 0);
    ring_bell(ring, &ring->words->bell, &ring->words->asleep);
    RETURN(SHMCV_RING_OK);
}

/* awaiting gives the places of readers of every frame that have not had the frame in a slot. */
static uint64_t awaiting(const shmcv_ring *ring, uint32_t slot) {
    uint64_t found = 0, every = load(&ring->words->every) & ~WRITER;
    if (every == 0) return 0;
    const uint64_t sequence = load(&ring->records[slot].sequence);
    if (sequence == 0) return 0;
    for (; every != 0; every &= every - 1) {
        const int32_t place = __builtin_ctzll(every);
        if (load(&ring->places[place].cursor) <= sequence) found |= bit(place);
    }
    return found;
}

static bool heeds(const shmcv_ring *ring) { return ring->when_behind != SHMCV_RING_DROP; }

/* claim takes a slot for the writer, and tells why it did not. */
static shmcv_ring_status claim(shmcv_ring *ring, uint32_t slot) {
    uint64_t *places = &ring->holders[slot].places;
    /* A look before the claim, in which readers would have to wait. The writer has begun no frame, so its bit is a
     * neighbour's scribble. */
    uint64_t nobody = load(places) & WRITER;
    if (heeds(ring) && awaiting(ring, slot)) return SHMCV_RING_BEHIND;
    if (!change(places, &nobody, WRITER)) return SHMCV_RING_FULL; /* W1 */
    if (heeds(ring) && awaiting(ring, slot)) {                   /* W2 */
        clear_bits(places, WRITER);
        return SHMCV_RING_BEHIND;
    }
    return SHMCV_RING_OK;
}

/* next_slot gives the slots in a ring, from the oldest frame's on, which leaves readers the longest time. */
static uint32_t next_slot(const shmcv_ring *ring, uint32_t i) { return (uint32_t)(ring->newest_slot + 1 + (int32_t)i) % ring->slots; }

static shmcv_ring_status begin(shmcv_ring *ring, shmcv_ring_frame *frame) {
    shmcv_ring_status why = SHMCV_RING_FULL;
    for (uint32_t i = 0; i < ring->slots; i++) {
        const uint32_t slot = next_slot(ring, i);
        if ((int32_t)slot == ring->newest_slot) continue;
        const shmcv_ring_status status = claim(ring, slot);
        if (status == SHMCV_RING_BEHIND) why = status;
        if (status != SHMCV_RING_OK) continue;
        store(&ring->written[slot].sequence, 0);
        if (load(&ring->words->ended) != 0) store(&ring->words->ended, 0); /* the writer goes on */
        *frame = (shmcv_ring_frame){.ring = ring, .slot = slot, .state = SHMCV_RING_WRITING};
        return SHMCV_RING_OK;
    }
    return why;
}

shmcv_ring_status shmcv_ring_begin(shmcv_ring *ring, shmcv_ring_frame *frame) {
    GUARDED(ring, SHMCV_RING_CUT);
    if (!load(&ring->writes)) RETURN(SHMCV_RING_NO_WRITER);
    shmcv_ring_status status = sound(ring);
    if (status != SHMCV_RING_OK) RETURN(status);
    if (swap(&ring->filling, 1) != 0) RETURN(SHMCV_RING_FILLING);
    status = begin(ring, frame);
    if (status != SHMCV_RING_OK) store(&ring->filling, 0);
    RETURN(status);
}

uint64_t shmcv_ring_blockers(shmcv_ring *ring) {
    GUARDED(ring, 0);
    uint64_t found = 0;
    for (uint32_t slot = 0; slot < ring->slots; slot++) {
        if ((int32_t)slot == ring->newest_slot) continue;
        found |= load(&ring->holders[slot].places) & ~WRITER;
        if (heeds(ring)) found |= awaiting(ring, slot);
    }
    RETURN(found);
}

static shmcv_ring_status publish(shmcv_ring_frame *frame, uint64_t *sequence) {
    shmcv_ring *ring = frame->ring;
    shmcv_ring_words *words = ring->words;
    shmcv_ring_record *record = &ring->written[frame->slot];
    const uint64_t next = ring->newest + 1, packed = shmcv_ring_packed(next, frame->slot);
    shmcv_ring_get_image(frame, &record->image); /* W3 */
    record->time = ring_now();
    record->capture_time = frame->capture_time;
    record->metadata_size = frame->metadata_size;
    store(&record->sequence, next); /* W4 */
    store(&ring->written[next % ring->slots].turn, packed);
    clear_bits(&ring->holders[frame->slot].places, WRITER);
    ring->newest = next;
    ring->newest_slot = (int32_t)frame->slot;
    store(&frame->state, SHMCV_RING_PUBLISHED);
    store(&words->published, packed); /* W5 */
    store(&ring->filling, 0); /* not before: another thread may publish the next frame then */
    ring_bell(ring, &words->bell, &words->asleep);
    *sequence = next;
    return SHMCV_RING_OK;
}

shmcv_ring_status shmcv_ring_publish(shmcv_ring_frame *frame, uint64_t *sequence) {
    shmcv_ring *ring = frame->ring;
    int32_t nobody = 0;
    if (load(&frame->state) != SHMCV_RING_WRITING) return SHMCV_RING_NOT_BEGUN;
    if (!change(&frame->storing, &nobody, -1)) return SHMCV_RING_STORING;
    GUARDED(ring, SHMCV_RING_CUT);
    shmcv_ring_status status = SHMCV_RING_NOT_BEGUN; /* if another thread has just published it */
    if (load(&frame->state) == SHMCV_RING_WRITING) status = load(&frame->has_image) ? publish(frame, sequence) : SHMCV_RING_NO_IMAGE;
    store(&frame->storing, 0);
    RETURN(status);
}

bool shmcv_ring_begin_storing(shmcv_ring_frame *frame) {
    int32_t calls = load(&frame->storing);
    while (calls >= 0 && !change(&frame->storing, &calls, calls + 1)) {}
    return calls >= 0;
}

void shmcv_ring_end_storing(shmcv_ring_frame *frame) { add(&frame->storing, -1); }

uint32_t shmcv_ring_state(shmcv_ring_frame *frame) { return load(&frame->state); }

void shmcv_ring_describe(shmcv_ring_frame *frame, uint64_t capture_time, const void *metadata, uint64_t size) {
    GUARDED(frame->ring, );
    if (size > 0) memcpy(frame->ring->written[frame->slot].metadata, metadata, size);
    frame->capture_time = capture_time;
    frame->metadata_size = size;
    RETURN();
}

void shmcv_ring_give_back(shmcv_ring_frame *frame) {
    shmcv_ring *ring = frame->ring;
    GUARDED(ring, );
    switch (frame->state) {
    case SHMCV_RING_READING: let_go(ring, frame->slot); break;
    case SHMCV_RING_WRITING:
        clear_bits(&ring->holders[frame->slot].places, WRITER);
        store(&ring->filling, 0);
        break;
    default: break;
    }
    RETURN();
}

uint32_t shmcv_ring_listen(shmcv_ring *ring) {
    GUARDED(ring, 0);
    store(&ring->words->asleep, 1);
    RETURN(ring_value(ring->file, &ring->words->bell));
}

/* Images. */

static shmcv_ring_status newest_image(const shmcv_ring_words *words, const shmcv_ring_record *records, uint32_t slots,
                                      shmcv_ring_image *image) {
    for (unsigned attempt = 0; attempt < ATTEMPTS_AT_ONE; attempt++) {
        const uint64_t newest = load(&words->published);
        if (shmcv_ring_sequence(newest) == 0) return SHMCV_RING_NOTHING;
        if (shmcv_ring_slot(newest) >= slots) return SHMCV_RING_CORRUPT;
        const shmcv_ring_record *record = &records[shmcv_ring_slot(newest)];
        for (int i = 0; i < 8; i++) image->words[i] = load(&record->image.words[i]);
        if (load(&record->sequence) == shmcv_ring_sequence(newest)) return SHMCV_RING_OK;
        pause_briefly(attempt);
    }
    return SHMCV_RING_FULL;
}

shmcv_ring_status shmcv_ring_newest_image(const shmcv_ring_words *words, const shmcv_ring_record *records, uint32_t slots,
                                          shmcv_ring_image *image) {
    shmcv_guard guard;
    if (SHMCV_FAULTS(guard)) return SHMCV_RING_CUT;
    RETURN(newest_image(words, records, slots, image));
}

void shmcv_ring_accept(shmcv_ring *ring, const shmcv_ring_image *asked, const shmcv_ring_image *image) {
    shmcv_ring_image there = *asked;
    if (shmcv_ring_knows(ring, &there)) return;
    shmcv_ring_known *known = &ring->known[ring->next_known++ % SHMCV_RING_KNOWN];
    add(&ring->known_turn, 1);
    for (int i = 0; i < 8; i++) {
        store(&known->asked.words[i], asked->words[i]);
        store(&known->image.words[i], image->words[i]);
    }
    add(&ring->known_turn, 1);
}

static bool same(const shmcv_ring_image *a, const shmcv_ring_image *b) {
    uint64_t different = 0;
    for (int i = 0; i < 8; i++) different |= load(&a->words[i]) ^ b->words[i];
    return different == 0;
}

/* knows looks at what another thread may be storing. */
bool shmcv_ring_knows(shmcv_ring *ring, shmcv_ring_image *image) {
    const uint32_t turn = load(&ring->known_turn);
    if (turn == 0 || turn % 2 != 0) return false;
    for (int k = 0; k < SHMCV_RING_KNOWN; k++) {
        const shmcv_ring_known *known = &ring->known[k];
        shmcv_ring_image found = *image;
        if (!same(&known->image, image)) {
            if (!same(&known->asked, image)) continue;
            for (int i = 0; i < 8; i++) found.words[i] = load(&known->image.words[i]);
        }
        if (load(&ring->known_turn) != turn) return false;
        *image = found;
        return true;
    }
    return false;
}

static void take_image_turn(shmcv_ring_frame *frame) {
    for (unsigned attempt = 0; swap(&frame->image_turn, 1) != 0; attempt++) pause_briefly(attempt);
}

void shmcv_ring_set_image(shmcv_ring_frame *frame, const shmcv_ring_image *image) {
    take_image_turn(frame);
    if (image != NULL) frame->image = *image;
    store(&frame->has_image, image != NULL);
    store(&frame->image_turn, 0);
}

bool shmcv_ring_get_image(shmcv_ring_frame *frame, shmcv_ring_image *image) {
    if (load(&frame->state) == SHMCV_RING_READING) { /* nobody stores one */
        *image = frame->image;
        return true;
    }
    take_image_turn(frame);
    const bool there = load(&frame->has_image) != 0;
    if (there) *image = frame->image;
    store(&frame->image_turn, 0);
    return there;
}

_Static_assert(SHMCV_RING_OK == 0 && SHMCV_RING_CUT == 13, "status.go has the same values");
