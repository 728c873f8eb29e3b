/* The slots of a stream: how the writer and the readers of all processes share them. It is C, so that a frame changes
 * hands without Go, whose scheduler takes several times as long as the hand-over does. The gate (export/try.c) calls
 * these functions on a caller's thread, and shm calls them for all that is rare. docs/segment-format.md has the words and
 * the steps; the names of the steps are those of shm/protocol_test.go.
 *
 * No function here waits, allocates memory or makes a system call, except that publish and give_back wake sleepers. A
 * function may be called by several threads at once unless it says otherwise. Memory that a neighbour has cut off the file
 * is SHMCV_RING_CUT, not the end of the process; see guard.h. */
#ifndef SHMCV_RING_H
#define SHMCV_RING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SHMCV_RING_MOST_SLOTS = 1024,
    SHMCV_RING_PLACES = 63,
    SHMCV_RING_METADATA = 1024, /* bytes of the user's own with each frame, at most */
    SHMCV_RING_IDENTITY = 16,   /* words */
    SHMCV_RING_NOWHERE = -1,    /* no place, or no slot */
    SHMCV_RING_SPIN = 20000,    /* nanoseconds; see spinTime in shm/wait.go */
    SHMCV_RING_KNOWN = 4,       /* images that a party remembers */
};

/* What a function found. */
typedef enum shmcv_ring_status {
    SHMCV_RING_OK,
    SHMCV_RING_NOTHING,       /* there is no frame that is new enough */
    SHMCV_RING_ENDED,         /* nor will there be: the writer has ended the stream */
    SHMCV_RING_CLEARED,       /* as NOTHING or OK, and the stream's name has been removed: look at the name */
    SHMCV_RING_NO_PLACE,      /* the party has no place yet, and needs one to read */
    SHMCV_RING_NO_WRITER,     /* the party is not the stream's writer yet */
    SHMCV_RING_FILLING,       /* the writer has begun a frame before */
    SHMCV_RING_FULL,          /* readers hold all slots */
    SHMCV_RING_BEHIND,        /* a reader of every frame has not seen what the free slots hold */
    SHMCV_RING_STORING,       /* a call stores pixels in the frame */
    SHMCV_RING_NOT_BEGUN,     /* the frame is to be read, or has been published */
    SHMCV_RING_NO_IMAGE,      /* the frame has no image */
    SHMCV_RING_UNKNOWN_IMAGE, /* nobody has looked yet whether the frame's image fits */
    SHMCV_RING_CORRUPT,       /* the words make no sense */
    SHMCV_RING_CUT,           /* the file has been cut */
    SHMCV_RING_OVERTAKEN,     /* the writer has claimed the slot of a frame that was read without a place */
} shmcv_ring_status;

/* What the writer does when a reader of every frame is behind. */
enum { SHMCV_RING_DROP = 1, SHMCV_RING_BLOCK = 2, SHMCV_RING_FAIL = 3 };

/* abi.ImageInfo, which is shmcv_image_info, as words. */
typedef struct shmcv_ring_image {
    uint64_t words[8];
} shmcv_ring_image;

/* The frame in a slot. The stream's writer alone writes it, and a reader's mapping of it cannot be written to. */
typedef struct shmcv_ring_record {
    uint64_t sequence;     /* 0 while the slot is the writer's, and before */
    uint64_t time;         /* of publishing: CLOCK_MONOTONIC, nanoseconds */
    uint64_t capture_time; /* as the writer tells it, on the same clock; 0 if it does not */
    uint64_t turn;         /* of record i: the newest frame whose sequence is i modulo the slots, packed */
    uint64_t metadata_size;
    uint64_t reserved[3];
    shmcv_ring_image image;
    unsigned char metadata[SHMCV_RING_METADATA];
} shmcv_ring_record;

/* Who has a slot: a bit for each place that reads the frame, or that of the writer. */
typedef struct shmcv_ring_holders {
    uint64_t places;
    uint64_t unused[7];
} shmcv_ring_holders;

/* A party's place, which its file lock keeps. */
typedef struct shmcv_ring_place {
    uint64_t cursor; /* of a reader of every frame: the sequence that it wants next */
    uint64_t process;
    uint64_t emptied; /* 1 while the writer empties the place without its lock, and nobody may take it */
    uint64_t unused[5];
} shmcv_ring_place;

/* The stream's words in the trailer, from byte 320 on. */
typedef struct shmcv_ring_words {
    uint64_t published; /* the newest frame, packed; 0 before the first */
    uint32_t bell;      /* grows with everything that readers wait for */
    uint32_t unused1[13];
    uint32_t asleep; /* not 0: somebody may sleep on the bell */
    uint32_t unused2[15];
    uint32_t writer; /* process id, for messages */
    uint32_t writers; /* how many there have been */
    uint64_t writer_start;
    uint64_t ended; /* 1 more than the sequence with which the writer has ended the stream; 0 if it has not */
    uint32_t cleared; /* not 0: the stream's name has been removed; stored once, and read with ended */
    uint32_t unused3[9];
    uint32_t room; /* a bell that grows when a slot comes free, if the next word says so */
    uint32_t unused4[15];
    uint32_t wants_room; /* not 0: the writer may sleep on the bell before */
    uint32_t unused5[15];
    uint64_t every; /* a bit for each place that reads every frame */
    uint64_t unused6[7];
} shmcv_ring_words;

/* A frame is named by its sequence and its slot in one word. */
enum { SHMCV_RING_SLOT_BITS = 10 };
static inline uint64_t shmcv_ring_packed(uint64_t sequence, uint32_t slot) { return sequence << SHMCV_RING_SLOT_BITS | slot; }
static inline uint64_t shmcv_ring_sequence(uint64_t packed) { return packed >> SHMCV_RING_SLOT_BITS; }
static inline uint32_t shmcv_ring_slot(uint64_t packed) { return packed & (SHMCV_RING_MOST_SLOTS - 1); }

/* What a party knows of a stream that it has open. shm fills the first part, before any other call, and calls
 * shmcv_ring_open. */
typedef struct shmcv_ring {
    /* The file, as system.h wants to know it, and where its parts are in this process. They do not change. */
    intptr_t file;
    uint64_t slot_size;
    uint32_t slots;
    uint32_t when_behind;
    const uint64_t *identity;            /* in the trailer */
    uint64_t found[SHMCV_RING_IDENTITY]; /* the same, as it was when the stream was opened */
    const unsigned char *pixels;         /* of the first slot; not writable */
    const shmcv_ring_record *records;    /* not writable */
    shmcv_ring_holders *holders;
    shmcv_ring_place *places;
    shmcv_ring_words *words;

    uint32_t broken; /* memory has gone, and functions give up */
    uint64_t joined; /* the sequence of the newest frame when the party opened the stream */

    /* Of a party that may only read. shm sets them. */
    uint32_t only_reads; /* it never takes a place: its frames are not held, and the writer may write over them */
    uint32_t unmarked;   /* the stream's words are not writable: it cannot say that it sleeps */

    /* The reader's. */
    int32_t place;    /* SHMCV_RING_NOWHERE before shm takes one */
    uint32_t every;   /* it reads every frame */
    uint32_t taking;  /* a thread takes the next of them */
    uint64_t cursor;  /* what it wants next: the copy in the place can be written by anybody */
    uint32_t heeds;   /* it wants to be told when there is no writer */
    uint32_t polled;  /* it has a descriptor, which a look that finds nothing takes down */
    uint64_t asked;   /* when Go was asked last, by a look that has found nothing and does not sleep */
    uint64_t spin;    /* nanoseconds for which a wait watches the bell before it sleeps */
    uint32_t *held;   /* of each slot: how many frames of this party are on it */

    /* The writer's. */
    unsigned char *writable;       /* the pixels; NULL before shm maps them to be written to */
    shmcv_ring_record *written;    /* the records */
    uint32_t writes;               /* the party is the stream's writer */
    uint32_t wakes_always;         /* somebody may sleep who cannot say so */
    uint32_t filling;              /* it has begun a frame */
    uint64_t newest;               /* the sequence of the newest frame: the word in the trailer can be written by anybody */
    int32_t newest_slot;

    /* Images that shm has found to fit into a slot, so that frames like them need no other look. */
    uint32_t known_turn; /* odd while one is being stored, and 0 before the first */
    uint32_t next_known;
    shmcv_ring_image known[SHMCV_RING_KNOWN];
} shmcv_ring;

/* What a frame is. */
enum { SHMCV_RING_WRITING = 1, SHMCV_RING_READING = 2, SHMCV_RING_PUBLISHED = 3 };

/* A slot that a party may use: the writer's, or one that a reader holds. The caller owns the memory. */
typedef struct shmcv_ring_frame {
    shmcv_ring *ring;
    uint32_t slot;
    uint32_t state;
    int32_t storing; /* calls that store pixels in it; -1 while it is being published */

    uint32_t image_turn; /* 1 while a thread reads or stores the image */
    uint32_t has_image;
    shmcv_ring_image image;

    /* Of one to be read. */
    uint64_t sequence, time, capture_time;
    uint64_t missed;
    uint64_t metadata_size;
} shmcv_ring_frame;

/* shmcv_ring_open prepares a party. held has a word for each slot, all 0. */
shmcv_ring_status shmcv_ring_open(shmcv_ring *ring, uint32_t *held);

/* shmcv_ring_whole returns OK, or CUT if the file has lost its end, or CORRUPT if its identity is another one. */
shmcv_ring_status shmcv_ring_whole(shmcv_ring *ring);

/* shmcv_ring_take_over makes the party the writer. The caller has the writer's lock, and has set writable. It
 * forgets the frame that a dead writer had not published. One thread at a time. */
shmcv_ring_status shmcv_ring_take_over(shmcv_ring *ring, uint32_t process, uint64_t start);

/* shmcv_ring_resign makes the party writer no longer. The caller then gives the lock back. */
shmcv_ring_status shmcv_ring_resign(shmcv_ring *ring);

/* shmcv_ring_end tells readers that no frame follows the newest. The party is the writer, and has begun no frame. */
shmcv_ring_status shmcv_ring_end(shmcv_ring *ring);

/* shmcv_ring_begin gives the writer a slot that nobody uses. In a stream whose name has been removed it gives CLEARED and no
 * slot, unless the caller has looked at the name and wants one although_cleared. */
shmcv_ring_status shmcv_ring_begin(shmcv_ring *ring, bool although_cleared, shmcv_ring_frame *frame);

/* shmcv_ring_publish makes a frame that was begun the newest, and gives its sequence. */
shmcv_ring_status shmcv_ring_publish(shmcv_ring_frame *frame, uint64_t *sequence);

/* shmcv_ring_give_back gives a slot back: one that was read, or one that was begun and not published. The frame is not
 * used after that. */
void shmcv_ring_give_back(shmcv_ring_frame *frame);

/* shmcv_ring_wait gives the next frame whose sequence is greater than newer_than: the newest, or, to a reader of every
 * frame, the one after the last. It looks so many times, at least once, until there is one or other news. UNKNOWN_IMAGE gives the frame too,
 * for a look at its image. The caller gives the frame back, lets the ring know the image if it fits, and waits again. */
shmcv_ring_status shmcv_ring_wait(shmcv_ring *ring, uint64_t newer_than, uint32_t looks, shmcv_ring_frame *frame);

/* shmcv_ring_is_held returns true if the writer cannot write over the frame. */
static inline bool shmcv_ring_is_held(const shmcv_ring_frame *frame) { return !frame->ring->only_reads; }

/* shmcv_ring_check returns OK if a frame to be read is whole: what was read of it before the call is of that frame. It
 * returns OVERTAKEN if the writer has claimed the slot, which it never does while the frame is held. */
shmcv_ring_status shmcv_ring_check_unheld(shmcv_ring_frame *frame);
static inline shmcv_ring_status shmcv_ring_check(shmcv_ring_frame *frame) {
    return shmcv_ring_is_held(frame) ? SHMCV_RING_OK : shmcv_ring_check_unheld(frame);
}

/* A reader that spins rehearses the taking of a frame on a stage: a stream of its own, which always has a frame. When the frame
 * comes that it waits for, the processor has the code at hand; without that, to fetch it takes longer than to run it. */
typedef struct shmcv_ring_stage {
    shmcv_ring ring;
    shmcv_ring_words words;
    shmcv_ring_record record;
    shmcv_ring_holders holders;
    shmcv_ring_place place;
    uint32_t held;
} shmcv_ring_stage;

void shmcv_ring_set_stage(shmcv_ring_stage *stage);
void shmcv_ring_rehearse(shmcv_ring_stage *stage);

/* shmcv_ring_follow makes the party a reader of every frame, from the next one on, or from the oldest that there is. It
 * has a place. */
shmcv_ring_status shmcv_ring_follow(shmcv_ring *ring, bool from_oldest);

/* shmcv_ring_unfollow makes the party a reader of the newest frame again. */
shmcv_ring_status shmcv_ring_unfollow(shmcv_ring *ring);

/* shmcv_ring_spin lets a wait of this party watch the bell for so many nanoseconds before it sleeps. */
void shmcv_ring_spin(shmcv_ring *ring, uint64_t nanoseconds);

/* shmcv_ring_heed says that the party wants to be told when there is no writer, which is for shm to find out. */
void shmcv_ring_heed(shmcv_ring *ring, bool heed);

/* shmcv_ring_polled says that the party has a descriptor, for which shm has to know when a look finds nothing. */
void shmcv_ring_polled(shmcv_ring *ring);

/* shmcv_ring_describe gives a frame that was begun its time of capture and at most SHMCV_RING_METADATA bytes of metadata. It
 * does nothing if the memory has gone. */
void shmcv_ring_describe(shmcv_ring_frame *frame, uint64_t capture_time, const void *metadata, uint64_t size);

/* shmcv_ring_forget empties a place: its party has ended, or has not begun. The caller has the place's lock. */
shmcv_ring_status shmcv_ring_forget(shmcv_ring *ring, int32_t place);

/* shmcv_ring_set_emptied says that the place is being emptied by the writer, who could not have its lock, or no longer. Only
 * the writer calls it. shmcv_ring_is_emptied tells a party that has just got the lock. */
void shmcv_ring_set_emptied(shmcv_ring *ring, int32_t place, bool emptied);
bool shmcv_ring_is_emptied(shmcv_ring *ring, int32_t place);

/* shmcv_ring_blockers gives the places for which the writer cannot begin a frame. */
uint64_t shmcv_ring_blockers(shmcv_ring *ring);

/* shmcv_ring_listen sets the mark that somebody may be asleep until readers' news, if it can, and gives the bell's value. 0
 * if the memory has gone. */
uint32_t shmcv_ring_listen(shmcv_ring *ring);

/* shmcv_ring_seen gives the sequence before the one that a reader of every frame wants next; 0 for other parties. */
uint64_t shmcv_ring_seen(shmcv_ring *ring);

/* shmcv_ring_clear marks the stream as one whose name has been removed, and wakes all who wait on it, so that they look at
 * the name. For callers that need be no party. */
shmcv_ring_status shmcv_ring_clear(intptr_t file, shmcv_ring_words *words);

/* shmcv_ring_accept remembers an image that fits into a slot, if it does not know it yet. One thread at a time. */
void shmcv_ring_accept(shmcv_ring *ring, const shmcv_ring_image *image);

/* shmcv_ring_knows returns true if an image was accepted. */
bool shmcv_ring_knows(shmcv_ring *ring, const shmcv_ring_image *image);

/* shmcv_ring_set_image and shmcv_ring_get_image store and give a frame's image. get returns false if there is none. To
 * store NULL takes it away. */
void shmcv_ring_set_image(shmcv_ring_frame *frame, const shmcv_ring_image *image);
bool shmcv_ring_get_image(shmcv_ring_frame *frame, shmcv_ring_image *image);

/* shmcv_ring_newest_image gives the image of a stream's newest frame, to callers that are no party. FULL if the frames follow
 * each other too fast. */
shmcv_ring_status shmcv_ring_newest_image(const shmcv_ring_words *words, const shmcv_ring_record *records, uint32_t slots,
                                          shmcv_ring_image *image);

/* shmcv_ring_begin_storing says that a call stores pixels in the frame, which cannot be published until
 * shmcv_ring_end_storing. It returns false if the frame is being published. */
bool shmcv_ring_begin_storing(shmcv_ring_frame *frame);
void shmcv_ring_end_storing(shmcv_ring_frame *frame);

/* shmcv_ring_state gives what the frame is. */
uint32_t shmcv_ring_state(shmcv_ring_frame *frame);

/* shmcv_ring_bytes gives the frame's pixels, slot_size bytes. Those of a frame to be read are not writable. */
static inline unsigned char *shmcv_ring_bytes(const shmcv_ring_frame *frame) {
    const shmcv_ring *ring = frame->ring;
    const unsigned char *first = frame->state == SHMCV_RING_READING ? ring->pixels : ring->writable;
    return (unsigned char *)first + frame->slot * ring->slot_size;
}

/* shmcv_ring_metadata gives the frame's metadata: to be filled in a frame that was begun, where metadata_size is set too. */
static inline unsigned char *shmcv_ring_metadata(const shmcv_ring_frame *frame) {
    const shmcv_ring *ring = frame->ring;
    const shmcv_ring_record *records = frame->state == SHMCV_RING_READING ? ring->records : ring->written;
    return (unsigned char *)records[frame->slot].metadata;
}

#endif
