/* Long runs: eight threads that call everything at once, and ten thousand rounds of create, load and clear. After each
 * run the process has no more memory, mappings and file descriptors than before.
 *
 * SHMCV_SOAK_ROUNDS sets the number of rounds. SHMCV_SOAK_SECONDS sets the length of the threads' run; the number after
 * the test's name does if SHMCV_SOAK_SECONDS is not set. */
#define _GNU_SOURCE
#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long setting(const char *name, long otherwise) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? strtol(value, NULL, 10) : otherwise;
}

static void compare(holdings before, holdings after, long kibibytes_allowed) {
    enum { OF_GO = 64 }; /* handles that Go's threads may have got meanwhile */
    printf("memory %ld -> %ld KiB, mapped segments %d -> %d, descriptors %d -> %d, others %d -> %d\n", before.kibibytes, after.kibibytes,
           before.mappings, after.mappings, before.descriptors, after.descriptors, before.others, after.others);
    CHECK(after.kibibytes - before.kibibytes <= kibibytes_allowed);
    CHECK_INT(before.mappings, after.mappings);
    CHECK_INT(before.descriptors, after.descriptors);
    CHECK(after.others - before.others <= OF_GO);
}

/* Rounds. */

static void rounds(long count) {
    const char *name = new_name(), *photo = testdata("small-bgr.png");
    for (long i = 0; i < count; i++) {
        shmcv_segment seg;
        NEED_OK(shmcv_create(name, 1 << 20, &seg));
        shmcv_image_info image = {0};
        NEED_OK(shmcv_load(seg, photo, SHMCV_LOAD_COLOR, &image));
        NEED(image.width == 67);
        NEED_OK(shmcv_clear(name));
        NEED_OK(shmcv_close(seg));
    }
}

TEST(rounds_of_create_load_clear_leave_nothing_behind) {
    const long count = setting("SHMCV_SOAK_ROUNDS", 10000);
    rounds(count / 10 + 1); /* until pools and caches have their full size */
    const holdings before = take_stock();
    rounds(count);
    /* Less than 1 KiB a round passes, because the garbage collector may hold that much. A round that leaked even its
     * smallest buffer would lose several times as much. Go's heap grows by some MiB at a time, which counts in few rounds. */
    const long few_rounds = 8000, allowed = count * 4 / 5;
    compare(before, take_stock(), allowed > few_rounds ? allowed : few_rounds);
}

/* Threads. */

enum { THREADS = 8, NAMES = 12, HANDLES = 24, SIZE = 64 << 10 };

static const char *soak_names[NAMES];
static uint64_t pool[HANDLES]; /* handles, some live, some closed; all threads read and write them atomically */
static bool windows;           /* there is a display */
static const char *files[] = {"small-bgr.png", "small.jpg", "small-bgra16.png", "small-lossy.webp", "truncated.png",
                              "corrupt.jpg",   "empty.png", "bomb.png",         "photograph.jpg",   "no-such-file.png"};
static const char *file_paths[sizeof files / sizeof *files];

static bool over;
static uint64_t calls, refusals;

typedef struct worker {
    uint64_t random;
    const char *name;       /* the name of this thread's own segment */
    const char *saved;      /* the path of the files that this thread saves, without their extension */
    unsigned char *outside; /* memory for copies */
} worker;

static uint32_t pick(worker *w, uint32_t below) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 32) % below;
}

/* any_handle returns a handle that some thread has or had; in one call of fifty, one that never existed. */
static shmcv_segment any_handle(worker *w) {
    if (pick(w, 50) == 0) return (shmcv_segment){w->random};
    return (shmcv_segment){__atomic_load_n(&pool[pick(w, HANDLES)], __ATOMIC_RELAXED)};
}

/* into_pool puts a handle into the pool. It closes the handle that it replaces. */
static int32_t into_pool(worker *w, int32_t status, const shmcv_segment *seg) {
    if (status != SHMCV_OK) return status;
    const shmcv_segment old = {__atomic_exchange_n(&pool[pick(w, HANDLES)], seg->handle, __ATOMIC_RELAXED)};
    return shmcv_close(old);
}

static int32_t one_call(worker *w) {
    const char *name = soak_names[pick(w, NAMES)];
    const char *file = file_paths[pick(w, sizeof files / sizeof *files)];
    static const int32_t flags[] = {SHMCV_LOAD_COLOR, SHMCV_LOAD_GRAY, SHMCV_LOAD_UNCHANGED, SHMCV_LOAD_BGRA, 77};
    static const char *const endings[] = {"png", "jpg", "bmp", "webp", "xyz"};
    const int32_t flag = flags[pick(w, 5)];
    const shmcv_segment seg = any_handle(w);
    shmcv_segment made = {0};
    shmcv_image_info image = make_image(1 + pick(w, 80), 1 + pick(w, 80), 1 + pick(w, 6));
    shmcv_segment_info infos[4];
    void *data;
    uint64_t size;
    char path[320], message[256];
    if (windows && pick(w, 200) == 0) {
        char window[16];
        snprintf(window, sizeof window, "soak %u", pick(w, 3));
        switch (pick(w, 4)) {
        case 0: return shmcv_show(window, seg);
        case 1: return shmcv_delay(1, NULL);
        case 2: return shmcv_close_window(window);
        default: return shmcv_close_windows();
        }
    }
    switch (pick(w, 22)) {
    case 0:
    case 1: return into_pool(w, shmcv_create(name, SIZE, &made), &made);
    case 2:
    case 3: return into_pool(w, shmcv_open(name, &made), &made);
    case 4: return shmcv_close(seg);
    case 5: return shmcv_clear(name);
    case 6: return pick(w, 20) == 0 ? shmcv_clear_all() : shmcv_last_error(message, sizeof message);
    case 7: return shmcv_data(seg, &data, &size);
    case 8: return shmcv_info(seg, infos);
    case 9: return shmcv_list(infos, 4, &size);
    case 10: return shmcv_image_get(seg, &image);
    case 11: return shmcv_image_set(seg, &image);
    case 12: return shmcv_read(seg, &image, w->outside, 80 * 80 * 4, NULL);
    case 13: return shmcv_write(seg, &image, w->outside, 80 * 80 * 4, (int32_t)pick(w, 7));
    case 14: return shmcv_probe(file, flag, &image);
    case 15:
    case 16: return shmcv_load(seg, file, flag, &image);
    case 17:
        snprintf(path, sizeof path, "%s.%s", w->saved, endings[pick(w, 5)]);
        return shmcv_save(seg, path, SHMCV_QUALITY_DEFAULT);
    case 18:
    case 19: return shmcv_flip(seg, any_handle(w), (int32_t)pick(w, 5) - 2);
    case 20: return shmcv_convert(seg, any_handle(w), (int32_t)pick(w, 7));
    default:
        /* This thread's own segment: its memory must exist, and no other thread may change it. */
        if (shmcv_create(w->name, SIZE, &made) != SHMCV_OK) return SHMCV_E_INTERNAL;
        if (shmcv_data(made, &data, &size) != SHMCV_OK || size != SIZE) return SHMCV_E_INTERNAL;
        memset(data, 0xa5, SIZE);
        image = make_image(100, 100, SHMCV_ORDER_BGR);
        if (shmcv_image_set(made, &image) != SHMCV_OK || shmcv_flip(made, made, SHMCV_FLIP_BOTH) != SHMCV_OK) return SHMCV_E_INTERNAL;
        if (((unsigned char *)data)[0] != 0xa5 || ((unsigned char *)data)[SIZE - 1] != 0xa5) return SHMCV_E_INTERNAL;
        shmcv_clear(w->name); /* fails if clear_all of another thread has cleared the segment */
        return shmcv_close(made);
    }
}

static void *soak(void *number) {
    worker w = {.random = 0x9e3779b97f4a7c15 * (uint64_t)(uintptr_t)number, .name = new_name(), .outside = calloc(80 * 80, 4)};
    NEED(w.outside != NULL);
    w.saved = temporary(w.name);
    uint64_t done = 0, refused = 0;
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        const int32_t status = one_call(&w);
        done++;
        refused += status != SHMCV_OK;
        if (!CHECK(status <= SHMCV_OK && status > SHMCV_E_INTERNAL)) {
            fprintf(stderr, "    answered %d: %s\n", status, last_error());
            break;
        }
    }
    __atomic_add_fetch(&calls, done, __ATOMIC_RELAXED);
    __atomic_add_fetch(&refusals, refused, __ATOMIC_RELAXED);
    free(w.outside);
    return NULL;
}

static void wait_until(struct timespec end) {
    const struct timespec step = {.tv_nsec = 10000000};
    struct timespec now;
    do {
        nanosleep(&step, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

static void soak_for(long seconds) {
    pthread_t threads[THREADS];
    struct timespec end;
    over = false;
    for (uintptr_t i = 0; i < THREADS; i++) NEED(pthread_create(&threads[i], NULL, soak, (void *)(i + 1)) == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    wait_until(end);
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < HANDLES; i++) shmcv_close((shmcv_segment){pool[i]});
    memset(pool, 0, sizeof pool);
    shmcv_close_windows();
    shmcv_clear_all();
    for (int i = 0; i < NAMES; i++) shmcv_clear(soak_names[i]);
}

#ifdef SHMCV_RACE
/* Every program with Go's race detector has this function. */
extern void __tsan_init(void) __attribute__((weak));
#endif

TEST(eight_threads_calling_everything_leave_nothing_behind) {
#ifdef SHMCV_RACE
    NEED(__tsan_init != NULL);
#endif
    for (int i = 0; i < NAMES; i++) soak_names[i] = new_name();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) file_paths[i] = testdata(files[i]);
    windows = may_have_display() && shmcv_show("soak 0", counting(16, 16, SHMCV_ORDER_BGR)) == SHMCV_OK;
    const long seconds = setting("SHMCV_SOAK_SECONDS", test_argument() != NULL ? strtol(test_argument(), NULL, 10) : 60);
    soak_for(seconds / 10 + 2); /* until pools and caches have their full size, and all threads exist */
    calls = refusals = 0;
    const holdings before = take_stock();
    soak_for(seconds);
    printf("%ld s, %d threads, %s windows: %" PRIu64 " calls, %" PRIu64 " of them refused\n", seconds, THREADS,
           windows ? "with" : "without", calls, refusals);
    CHECK(calls > refusals && refusals > 0); /* some calls succeeded, and some were refused */
    compare(before, take_stock(), 64 << 10);
}
