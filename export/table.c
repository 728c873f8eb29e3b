#include "table.h"

#include <stdlib.h>

/* An item's word. The references are in the low bits, and shmcv_forks in the highest 8, as in every handle. */
static const uint64_t OPEN = 1u << 31, GIVEN_OUT = (uint64_t)1 << 32, REFERENCES = (1u << 31) - 1;
enum { LAST_OUT = (1 << 24) - 1 }; /* how often an item is given out */

/* Items are in blocks, which are made when they are needed, and stay. A bit of used says that an item is in use. */
enum { BLOCKS = 4096, IN_BLOCK = 64 };
typedef struct block {
    uint64_t used;
    shmcv_item items[IN_BLOCK];
} block;
static block *blocks[BLOCKS];

uint32_t shmcv_closings[SHMCV_CLOSINGS];

#define load(word) __atomic_load_n(word, __ATOMIC_SEQ_CST)
#define change(word, old, new) __atomic_compare_exchange_n(word, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

static block *block_at(uint32_t number) {
    block *there = load(&blocks[number]);
    if (there != NULL) return there;
    block *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    for (uint32_t i = 0; i < IN_BLOCK; i++) {
        made->items[i].index = number * IN_BLOCK + i;
        made->items[i].word = (uint64_t)shmcv_forks << 56;
    }
    if (change(&blocks[number], &there, made)) return made;
    free(made);
    return there;
}

shmcv_item *shmcv_item_reserve(void) {
    for (uint32_t number = 0; number < BLOCKS; number++) {
        block *from = block_at(number);
        if (from == NULL) return NULL;
        uint64_t used = load(&from->used);
        while (~used != 0) {
            const int i = __builtin_ctzll(~used);
            if (change(&from->used, &used, used | (uint64_t)1 << i)) return &from->items[i];
        }
    }
    return NULL;
}

void shmcv_item_give_back(shmcv_item *item) {
    if ((load(&item->word) >> 32 & LAST_OUT) == LAST_OUT) return; /* its numbers are used up */
    __atomic_fetch_and(&blocks[item->index / IN_BLOCK]->used, ~((uint64_t)1 << item->index % IN_BLOCK), __ATOMIC_SEQ_CST);
}

/* open_item opens the handle of a reserved item, which nobody else uses, and gives the handle. Whoever finds the handle open
 * also sees what the item holds. */
static uint64_t open_item(shmcv_item *item, uint32_t kind) {
    const uint64_t given_out = (load(&item->word) | (GIVEN_OUT - 1)) + 1;
    __atomic_store_n(&item->kind, kind, __ATOMIC_RELAXED);
    __atomic_store_n(&item->word, given_out | OPEN | 1, __ATOMIC_RELEASE);
    return given_out | SHMCV_IN_C | item->index;
}

uint64_t shmcv_item_make_stream(shmcv_item *item, shmcv_ring *ring) {
    item->ring = ring;
    item->stream = NULL;
    return open_item(item, SHMCV_STREAM);
}

uint64_t shmcv_item_make_frame(shmcv_item *item, shmcv_item *stream) {
    item->ring = NULL;
    item->stream = stream;
    return open_item(item, SHMCV_FRAME);
}

/* item_of gives the item that a number may name. */
static shmcv_item *item_of(uint64_t handle) {
    const uint32_t index = (uint32_t)handle & ~(uint32_t)SHMCV_IN_C;
    if (!((uint32_t)handle & SHMCV_IN_C) || index / IN_BLOCK >= BLOCKS) return NULL;
    block *in = load(&blocks[index / IN_BLOCK]);
    return in == NULL ? NULL : &in->items[index % IN_BLOCK];
}

static bool is_open(uint64_t word, uint64_t handle) { return word >> 32 == handle >> 32 && (word & OPEN); }

shmcv_item *shmcv_item_use(uint64_t handle, uint32_t kind) {
    shmcv_item *item = item_of(handle);
    if (item == NULL) return NULL;
    uint64_t word = load(&item->word);
    do { /* As long as the word does not change, the kind does not either. */
        if (!is_open(word, handle) || (kind != SHMCV_ANY && load(&item->kind) != kind)) return NULL;
    } while (!change(&item->word, &word, word + 1));
    return item;
}

shmcv_item *shmcv_item_close(uint64_t handle, uint32_t kind) {
    shmcv_item *item = item_of(handle);
    if (item == NULL) return NULL;
    uint64_t word = load(&item->word);
    do {
        if (!is_open(word, handle) || load(&item->kind) != kind) return NULL;
    } while (!change(&item->word, &word, word & ~OPEN));
    return item;
}

shmcv_ring *shmcv_item_drop(shmcv_item *item) {
    if ((__atomic_sub_fetch(&item->word, 1, __ATOMIC_SEQ_CST) & REFERENCES) != 0) return NULL;
    if (item->kind == SHMCV_STREAM) {
        shmcv_ring *ring = item->ring;
        shmcv_item_give_back(item);
        return ring;
    }
    shmcv_item *stream = item->stream;
    shmcv_ring_give_back(&item->frame);
    shmcv_item_give_back(item);
    return shmcv_item_drop(stream);
}
