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

/* All words are read and written in one order on which all processes agree, but for those that are handed over. Whoever reads
 * a word that was handed over also sees what its writer wrote before. The writer goes on at once: it does not wait until
 * other processors see the word, which takes about 0.1 us for each line of the cache. So a word may be handed over if nothing
 * that its writer reads afterwards must be newer. */
#define load(word) __atomic_load_n(word, __ATOMIC_SEQ_CST)
#define store(word, value) __atomic_store_n(word, value, __ATOMIC_SEQ_CST)
#define hand_over(word, value) __atomic_store_n(word, value, __ATOMIC_RELEASE)
#define swap(word, value) __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST)
#define add(word, value) __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST)
#define set_bits(word, bits) __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST)
#define clear_bits(word, bits) __atomic_fetch_and(word, ~(bits), __ATOMIC_SEQ_CST)
#define change(word, old, new) __atomic_compare_exchange_n(word, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* GUARDED begins a function that touches the file's memory, and RETURN ends it. The result is computed before the guard
 * ends, because that may touch the memory too. */
#define GUARDED(ring, if_cut)                                                                                          \
    shmcv_guard guard;                                                                                                 \
    if (SHMCV_FAULTS(guard)) {                                                                                         \
        store(&(ring)->broken, 1);                                                                                     \
        return if_cut;                                                                                                 \
    }
#define RETURN(result)                                                                                                 \
    do {                                                                                                               \
        const __typeof__(result) found_ = (result);                                                                    \
        SHMCV_SAFE(guard);                                                                                             \
        return found_;                                                                                                 \
    } while (0)

static inline void pause_briefly(unsigned attempt) {
    if (attempt % ATTEMPTS_AT_ONE == ATTEMPTS_AT_ONE - 1) ring_yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Each line of the cache comes from another processor in 0.1 to 0.3 us. Lines that are asked for together come together.
 * expect_read and expect_write ask for a line that the next steps read or write. The address may be anything. */
static inline void expect_read(const void *line) { __builtin_prefetch(line); }

static inline void expect_write(const void *line) {
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)line)); /* which the builtin gives to some processors only */
#else
    __builtin_prefetch(line, 1);
#endif
}

/* expect_frame asks for what a reader of a frame touches: who holds its slot, its record, and its first pixels. */
static void expect_frame(const shmcv_ring *ring, uint32_t slot) {
    if (slot >= ring->slots) return;
    expect_write(&ring->holders[slot]);
    expect_read(&ring->records[slot]);
    expect_read(&ring->records[slot].image);
    expect_read(ring->pixels + slot * ring->slot_size);
}

static inline uint64_t bit(int32_t place) { return (uint64_t)1 << place; }

/* ring_bell changes a bell, and wakes who sleeps on it. The mark goes before the value changes: if a reader still had the mark
 * when the new value is there, the reader would go to sleep on that value, and the mark would be taken from it then. */
static void ring_bell(intptr_t file, uint32_t *bell, uint32_t *asleep, bool always) {
    const bool sleepers = load(asleep) != 0 && swap(asleep, 0) != 0;
    add(bell, 1);
    if (sleepers || always) ring_wake(file, bell);
}

/* tell_readers rings the readers' bell, on which a reader may sleep that cannot say so. */
static void tell_readers(const shmcv_ring *ring) {
    ring_bell(ring->file, &ring->words->bell, &ring->words->asleep, ring->wakes_always);
}

/* wake_writer tells the writer that a slot may have come free, if it waits for one. */
static void wake_writer(shmcv_ring *ring) {
    if (load(&ring->words->wants_room) != 0) ring_bell(ring->file, &ring->words->room, &ring->words->wants_room, false);
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

/* sound looks at the identity. It is in the file's last page, which goes first when the file is cut. So a look at it tells
 * as much as the file's length would, without a system call. */
static shmcv_ring_status sound(const shmcv_ring *ring) {
    if (load(&ring->broken)) return SHMCV_RING_CUT;
    uint64_t different = 0; /* not by memcmp, whose code is elsewhere */
    for (int i = 0; i < SHMCV_RING_IDENTITY; i++) different |= load(&ring->identity[i]) ^ ring->found[i];
    return different == 0 ? SHMCV_RING_OK : SHMCV_RING_CORRUPT;
}

shmcv_ring_status shmcv_ring_whole(shmcv_ring *ring) {
    GUARDED(ring, SHMCV_RING_CUT);
    RETURN(sound(ring));
}

/* The slots of this party. Several of its frames may be on one slot, for which the place has one bit. */

/* let_go gives back what hold has taken. */
static void let_go(shmcv_ring *ring, uint32_t slot) {
    if (ring->only_reads) return;
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
        hand_over(held, 0);
        wake_writer(ring);
        return;
    }
}

/* hold takes a slot for reading, and returns true if the slot has the frame of that sequence. */
static bool hold(shmcv_ring *ring, uint32_t slot, uint64_t sequence) {
    if (ring->only_reads) return load(&ring->records[slot].sequence) == sequence; /* L2 */
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
            hand_over(held, now & WRITER ? 0 : 1);
            if (now & WRITER) return false;
        }
        if (load(&ring->records[slot].sequence) == sequence) return true; /* R3 */
        let_go(ring, slot);
        return false;
    }
    return false;
}

/* is_still_there returns true if the slot of a frame that is not held has the frame still. Then all that this thread has read
 * of the slot is of that frame: the fence keeps these reads, of whatever kind, before the look at the sequence. The writer
 * sets the sequence to 0 before it writes, and has a fence too; see begin. */
static bool is_still_there(const shmcv_ring_frame *frame) {
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return load(&frame->ring->records[frame->slot].sequence) == frame->sequence; /* L4 */
}

shmcv_ring_status shmcv_ring_check_unheld(shmcv_ring_frame *frame) {
    if (load(&frame->state) != SHMCV_RING_READING) return SHMCV_RING_OK;
    GUARDED(frame->ring, SHMCV_RING_CUT);
    RETURN(is_still_there(frame) ? SHMCV_RING_OK : SHMCV_RING_OVERTAKEN);
}

/* describe fills a frame that hold has found. */
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
    if (ring->only_reads && !is_still_there(frame)) return SHMCV_RING_OVERTAKEN;
    if (frame->metadata_size > SHMCV_RING_METADATA) {
        let_go(ring, slot);
        return SHMCV_RING_CORRUPT;
    }
    return shmcv_ring_knows(ring, &frame->image) ? SHMCV_RING_OK : SHMCV_RING_UNKNOWN_IMAGE;
}

/* nothing tells whether there may be another frame. */
static shmcv_ring_status nothing(const shmcv_ring *ring, uint64_t newest) {
    if (load(&ring->words->ended) == newest + 1) return SHMCV_RING_ENDED;
    return load(&ring->words->cleared) != 0 ? SHMCV_RING_CLEARED : SHMCV_RING_NOTHING;
}

/* take_newest takes the frame that the word published named, or a newer one. The word is not read twice: the writer rings the
 * bell beside it meanwhile, and the line would have to come once more. */
static shmcv_ring_status take_newest(shmcv_ring *ring, uint64_t newer_than, uint64_t newest, shmcv_ring_frame *frame) {
    uint64_t last = 0;
    for (unsigned attempt = 0, at_one = 0; attempt < ATTEMPTS && at_one < ATTEMPTS_AT_ONE; attempt++) {
        const uint64_t sequence = shmcv_ring_sequence(newest);
        const uint32_t slot = shmcv_ring_slot(newest);
        if (sequence == 0 || sequence <= newer_than) return nothing(ring, sequence);
        if (slot >= ring->slots) return SHMCV_RING_CORRUPT;
        if (attempt > 0) expect_frame(ring, slot);
        if (hold(ring, slot, sequence)) {
            const uint64_t seen = newer_than > ring->joined ? newer_than : ring->joined;
            const shmcv_ring_status status = describe(ring, slot, sequence, sequence > seen ? sequence - seen - 1 : 0, frame);
            if (status != SHMCV_RING_OVERTAKEN) return status;
        }
        at_one = newest == last ? at_one + 1 : 0;
        last = newest;
        pause_briefly(attempt);
        newest = load(&ring->words->published); /* R1 */
    }
    return load(&ring->broken) ? SHMCV_RING_CUT : SHMCV_RING_CORRUPT;
}

/* move_cursor says that a reader of every frame wants no frame before. */
static void move_cursor(shmcv_ring *ring, uint64_t cursor) {
    ring->cursor = cursor;
    if (!ring->only_reads) store(&ring->places[ring->place].cursor, cursor);
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
            if (status != SHMCV_RING_OVERTAKEN) return status;
        }
        /* A claim that the writer takes back leaves the frame there. Otherwise the frame is gone. */
        const bool claimed = shmcv_ring_sequence(turn) == wanted && slot < ring->slots && load(&ring->records[slot].sequence) == wanted;
        at_one = claimed ? at_one + 1 : 0;
        if ((!claimed || at_one == ATTEMPTS_AT_ONE) && wanted < newest) wanted++;
        pause_briefly(attempt);
    }
    return load(&ring->broken) ? SHMCV_RING_CUT : SHMCV_RING_CORRUPT;
}

/* look gives the word published, and returns true if there is something to tell: a frame, the stream's end, or a fault. */
static bool look(const shmcv_ring *ring, uint64_t newer_than, uint64_t *published) {
    const uint64_t packed = load(&ring->words->published), newest = shmcv_ring_sequence(packed); /* R1 */
    *published = packed;
    if (newest > newer_than && (!load(&ring->every) || newest >= ring->cursor)) {
        expect_frame(ring, shmcv_ring_slot(packed));
        return true;
    }
    return nothing(ring, newest) != SHMCV_RING_NOTHING || load(&ring->broken);
}

shmcv_ring_status shmcv_ring_wait(shmcv_ring *ring, uint64_t newer_than, uint32_t looks, shmcv_ring_frame *frame) {
    GUARDED(ring, SHMCV_RING_CUT);
    uint64_t published;
    while (!look(ring, newer_than, &published)) {
        if (--looks == 0) RETURN(SHMCV_RING_NOTHING);
    }
    const bool every = load(&ring->every);
    const uint64_t newest = shmcv_ring_sequence(published);
    if (!every && newest <= newer_than && !load(&ring->broken)) RETURN(nothing(ring, newest));
    shmcv_ring_status status = sound(ring);
    if (status != SHMCV_RING_OK) RETURN(status);
    if (ring->place == SHMCV_RING_NOWHERE && !ring->only_reads) RETURN(SHMCV_RING_NO_PLACE);
    if (!every) RETURN(take_newest(ring, newer_than, published, frame));
    for (unsigned attempt = 0; swap(&ring->taking, 1) != 0 && !load(&ring->broken); attempt++) pause_briefly(attempt);
    status = take_next(ring, newer_than, frame);
    store(&ring->taking, 0);
    RETURN(status);
}

void shmcv_ring_set_stage(shmcv_ring_stage *stage) {
    memset(&stage->ring, 0, sizeof stage->ring);
    stage->ring = (shmcv_ring){
        .slots = 1,
        .identity = stage->ring.found,
        .pixels = (const unsigned char *)&stage->record,
        .records = &stage->record,
        .holders = &stage->holders,
        .places = &stage->place,
        .words = &stage->words,
        .held = &stage->held,
        .known_turn = 2,
    };
    stage->words.published = shmcv_ring_packed(1, 0);
    stage->words.wants_room = 0;
    stage->holders.places = 0;
    stage->held = 0;
    memset(&stage->record, 0, offsetof(shmcv_ring_record, metadata));
    stage->record.sequence = 1;
}

void shmcv_ring_rehearse(shmcv_ring_stage *stage) {
    shmcv_ring_frame frame;
    if (shmcv_ring_wait(&stage->ring, 0, 1, &frame) == SHMCV_RING_OK) shmcv_ring_give_back(&frame);
}

shmcv_ring_status shmcv_ring_follow(shmcv_ring *ring, bool from_oldest) {
    GUARDED(ring, SHMCV_RING_CUT);
    move_cursor(ring, 1);                           /* J1 */
    if (!ring->only_reads) set_bits(&ring->words->every, bit(ring->place)); /* J2 */
    /* From here on the writer heeds the cursor. So frames that are published later wait for this reader. Of the earlier ones,
     * those do that the writer has not claimed: it looks at the cursor once more after a claim. */
    const uint64_t newest = shmcv_ring_sequence(load(&ring->words->published)); /* J3 */
    uint64_t first = newest + 1;
    while (from_oldest && first > 1 && newest + 1 - first < ring->slots && is_there(ring, first - 1)) first--; /* J4 */
    move_cursor(ring, first);                                                                                  /* J5 */
    store(&ring->every, 1);
    if (!ring->only_reads) wake_writer(ring);
    RETURN(SHMCV_RING_OK);
}

shmcv_ring_status shmcv_ring_unfollow(shmcv_ring *ring) {
    GUARDED(ring, SHMCV_RING_CUT);
    store(&ring->every, 0);
    if (ring->only_reads) RETURN(SHMCV_RING_OK);
    clear_bits(&ring->words->every, bit(ring->place));
    move_cursor(ring, 0);
    wake_writer(ring);
    RETURN(SHMCV_RING_OK);
}

void shmcv_ring_spin(shmcv_ring *ring, uint64_t nanoseconds) { store(&ring->spin, nanoseconds); }

void shmcv_ring_heed(shmcv_ring *ring, bool heed) { store(&ring->heeds, heed); }

void shmcv_ring_polled(shmcv_ring *ring) { store(&ring->polled, 1); }

shmcv_ring_status shmcv_ring_forget(shmcv_ring *ring, int32_t place) {
    GUARDED(ring, SHMCV_RING_CUT);
    clear_bits(&ring->words->every, bit(place));
    for (uint32_t slot = 0; slot < ring->slots; slot++) clear_bits(&ring->holders[slot].places, bit(place));
    store(&ring->places[place].cursor, 0);
    store(&ring->places[place].process, 0);
    wake_writer(ring);
    RETURN(SHMCV_RING_OK);
}

void shmcv_ring_set_emptied(shmcv_ring *ring, int32_t place, bool emptied) {
    GUARDED(ring, );
    store(&ring->places[place].emptied, emptied);
    SHMCV_SAFE(guard);
}

bool shmcv_ring_is_emptied(shmcv_ring *ring, int32_t place) {
    GUARDED(ring, false);
    RETURN(load(&ring->places[place].emptied) != 0);
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
    for (int32_t place = 0; place < SHMCV_RING_PLACES; place++) store(&ring->places[place].emptied, 0); /* of a dead writer */
    ring->newest = newest;
    ring->newest_slot = SHMCV_RING_NOWHERE;
    if (newest > 0 && load(&ring->written[newest_slot].sequence) == newest) ring->newest_slot = (int32_t)newest_slot;
    store(&words->writer, process);
    store(&words->writer_start, start);
    add(&words->writers, 1);
    store(&words->ended, 0);
    store(&ring->filling, 0);
    store(&ring->writes, 1);
    tell_readers(ring);
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
    tell_readers(ring);
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

/* expect_publish asks for what publish writes before readers can see the frame, and for the first pixels. The word published
 * is not asked for: a reader that spins on it would ask for it back at once. */
static void expect_publish(const shmcv_ring_frame *frame) {
    const shmcv_ring *ring = frame->ring;
    expect_write(&ring->written[frame->slot]);
    expect_write(&ring->written[frame->slot].image);
    expect_write(&ring->written[(ring->newest + 1) % ring->slots]);
    expect_write(ring->writable + frame->slot * ring->slot_size);
}

static shmcv_ring_status begin(shmcv_ring *ring, shmcv_ring_frame *frame) {
    shmcv_ring_status why = SHMCV_RING_FULL;
    for (uint32_t i = 0; i < ring->slots; i++) {
        const uint32_t slot = next_slot(ring, i);
        if ((int32_t)slot == ring->newest_slot) continue;
        const shmcv_ring_status status = claim(ring, slot);
        if (status == SHMCV_RING_BEHIND) why = status;
        if (status != SHMCV_RING_OK) continue;
        store(&ring->written[slot].sequence, 0);
        __atomic_thread_fence(__ATOMIC_RELEASE); /* no store of W3 comes before: see is_still_there */
        if (load(&ring->words->ended) != 0) store(&ring->words->ended, 0); /* the writer goes on */
        *frame = (shmcv_ring_frame){.ring = ring, .slot = slot, .state = SHMCV_RING_WRITING};
        expect_publish(frame); /* the lines come while the caller writes pixels */
        return SHMCV_RING_OK;
    }
    return why;
}

shmcv_ring_status shmcv_ring_begin(shmcv_ring *ring, bool although_cleared, shmcv_ring_frame *frame) {
    GUARDED(ring, SHMCV_RING_CUT);
    if (!load(&ring->writes)) RETURN(SHMCV_RING_NO_WRITER);
    if (!although_cleared && load(&ring->words->cleared) != 0) RETURN(SHMCV_RING_CLEARED);
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
    hand_over(&record->sequence, next); /* W4 */
    hand_over(&ring->written[next % ring->slots].turn, packed);
    hand_over(&ring->holders[frame->slot].places, 0); /* nobody sets a bit beside the writer's */
    ring->newest = next;
    ring->newest_slot = (int32_t)frame->slot;
    hand_over(&frame->state, SHMCV_RING_PUBLISHED);
    /* Not by store, for which the processor would ask for the line only when all stores before are done. tell_readers reads
     * whether somebody sleeps after the fence, as it would after store. */
    hand_over(&words->published, packed); /* W5 */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    hand_over(&ring->filling, 0); /* not before: another thread may publish the next frame then */
    tell_readers(ring);
    *sequence = next;
    return SHMCV_RING_OK;
}

shmcv_ring_status shmcv_ring_publish(shmcv_ring_frame *frame, uint64_t *sequence) {
    shmcv_ring *ring = frame->ring;
    int32_t nobody = 0;
    if (load(&frame->state) != SHMCV_RING_WRITING) return SHMCV_RING_NOT_BEGUN;
    expect_publish(frame);
    if (!change(&frame->storing, &nobody, -1)) return SHMCV_RING_STORING;
    GUARDED(ring, SHMCV_RING_CUT);
    shmcv_ring_status status = SHMCV_RING_NOT_BEGUN; /* if another thread has just published it */
    if (load(&frame->state) == SHMCV_RING_WRITING) status = load(&frame->has_image) ? publish(frame, sequence) : SHMCV_RING_NO_IMAGE;
    hand_over(&frame->storing, 0);
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
    SHMCV_SAFE(guard);
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
    SHMCV_SAFE(guard);
}

uint32_t shmcv_ring_listen(shmcv_ring *ring) {
    GUARDED(ring, 0);
    uint32_t value = 0;
    for (unsigned attempt = 0; attempt < ATTEMPTS_AT_ONE; attempt++) {
        if (!ring->unmarked) store(&ring->words->asleep, 1);
        value = ring_value(ring->file, &ring->words->bell);
        if (ring->unmarked || load(&ring->words->asleep) != 0) break; /* else the value may be one for which nobody is woken */
    }
    RETURN(value);
}

uint64_t shmcv_ring_seen(shmcv_ring *ring) { return load(&ring->every) ? load(&ring->cursor) - 1 : 0; }

shmcv_ring_status shmcv_ring_clear(intptr_t file, shmcv_ring_words *words) {
    shmcv_guard guard;
    if (SHMCV_FAULTS(guard)) return SHMCV_RING_CUT;
    store(&words->cleared, 1);
    ring_bell(file, &words->bell, &words->asleep, false);
    ring_bell(file, &words->room, &words->wants_room, false);
    RETURN(SHMCV_RING_OK);
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

void shmcv_ring_accept(shmcv_ring *ring, const shmcv_ring_image *image) {
    if (shmcv_ring_knows(ring, image)) return;
    shmcv_ring_image *known = &ring->known[ring->next_known++ % SHMCV_RING_KNOWN];
    add(&ring->known_turn, 1);
    for (int i = 0; i < 8; i++) store(&known->words[i], image->words[i]);
    add(&ring->known_turn, 1);
}

static bool same(const shmcv_ring_image *a, const shmcv_ring_image *b) {
    uint64_t different = 0;
    for (int i = 0; i < 8; i++) different |= load(&a->words[i]) ^ b->words[i];
    return different == 0;
}

/* knows looks at what another thread may be storing. */
bool shmcv_ring_knows(shmcv_ring *ring, const shmcv_ring_image *image) {
    const uint32_t turn = load(&ring->known_turn);
    if (turn == 0 || turn % 2 != 0) return false;
    for (int k = 0; k < SHMCV_RING_KNOWN; k++) {
        if (same(&ring->known[k], image)) return load(&ring->known_turn) == turn;
    }
    return false;
}

static void take_image_turn(shmcv_ring_frame *frame) {
    for (unsigned attempt = 0; swap(&frame->image_turn, 1) != 0; attempt++) pause_briefly(attempt);
}

void shmcv_ring_set_image(shmcv_ring_frame *frame, const shmcv_ring_image *image) {
    take_image_turn(frame);
    if (image != NULL) frame->image = *image;
    hand_over(&frame->has_image, image != NULL);
    hand_over(&frame->image_turn, 0);
}

bool shmcv_ring_get_image(shmcv_ring_frame *frame, shmcv_ring_image *image) {
    if (load(&frame->state) == SHMCV_RING_READING) { /* nobody stores one */
        *image = frame->image;
        return true;
    }
    take_image_turn(frame);
    const bool there = load(&frame->has_image) != 0;
    if (there) *image = frame->image;
    hand_over(&frame->image_turn, 0);
    return there;
}

_Static_assert(SHMCV_RING_OK == 0 && SHMCV_RING_CLEARED == 3 && SHMCV_RING_OVERTAKEN == 15, "status.go has the same values");
