/* Measures how long a frame takes from one process to another, and checks that eight readers see whole frames.
 * frames.py starts all sides. They print "key value" lines. */
#define _GNU_SOURCE
#include <shmcv.h>

#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 100000, WIDTH = 3840, HEIGHT = 2160, PAUSE_NS = 3000000 };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void check(int32_t status) {
    if (status == SHMCV_OK) return;
    char why[SHMCV_MESSAGE_SIZE];
    shmcv_last_error(why, sizeof why);
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static int compare(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t times[MOST];

static shmcv_image_info image_of(uint32_t width, uint32_t height) {
    return (shmcv_image_info){
        .width = width, .height = height, .channels = 3, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
}

/* stamp is the first 64 bytes of a frame's pixels. */
typedef struct stamp {
    uint64_t sent_at; /* The time just before the frame is published. */
    uint64_t number;  /* 1 for the first frame. */
    uint64_t rest[6];
} stamp;

static void put_stamp(void *pixels, uint64_t number) {
    stamp *s = pixels;
    s->number = number;
    for (int i = 0; i < 6; i++) s->rest[i] = number;
    s->sent_at = now();
}

/* record keeps how long ago the frame was sent, and returns its number. */
static uint64_t record(const void *pixels, int *recorded) {
    const uint64_t here = now();
    const stamp *s = pixels;
    if (*recorded < MOST) times[(*recorded)++] = here - s->sent_at;
    return s->number;
}

static void print_times(int recorded) {
    printf("times");
    for (int i = 0; i < recorded; i++) printf(" %" PRIu64, times[i]);
    printf("\n");
}

/* pause_for lets the time between two frames pass: busy, or asleep. */
static void pause_for(bool busy) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    if (!busy) nanosleep(&pause, NULL);
    for (const uint64_t end = now() + PAUSE_NS; busy && now() < end;) {}
}

/* say_ready tells the bench that the other side may be started. */
static void say_ready(void) {
    printf("ready\n");
    fflush(stdout);
}

/* stay keeps the writer until the bench has no more use for it: its reader may still read the last frame. */
static void stay(void) {
    for (char byte; read(STDIN_FILENO, &byte, 1) == 1;) {}
}

/* plain is a word on which one process sleeps until another one stores and wakes. No library can be faster. */
typedef struct plain {
    _Atomic uint32_t word;
    stamp pixels;
} plain;

static plain *plain_open(const char *name, int flags) {
    const int file = shm_open(name, flags | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, sizeof(plain)) != 0) exit(1);
    plain *shared = mmap(NULL, sizeof(plain), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) exit(1);
    close(file);
    return shared;
}

static void plain_read(const char *name, uint64_t count) {
    plain *shared = plain_open(name, O_CREAT | O_EXCL);
    int recorded = 0;
    say_ready();
    for (uint64_t number = 0; number < count;) {
        while (atomic_load(&shared->word) == number)
            syscall(SYS_futex, &shared->word, FUTEX_WAIT, (uint32_t)number, NULL, NULL, 0);
        number = record(&shared->pixels, &recorded);
    }
    shm_unlink(name);
    print_times(recorded);
}

static void plain_write(const char *name, bool busy, uint64_t count) {
    plain *shared = plain_open(name, 0);
    for (uint64_t number = 1; number <= count; number++) {
        pause_for(busy);
        put_stamp(&shared->pixels, number);
        atomic_store(&shared->word, (uint32_t)number);
        syscall(SYS_futex, &shared->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    }
    stay();
}

/* print_touched prints how much of a segment this process has touched, in KiB: the Rss of its mapping. */
static void print_touched(const char *name) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    long total = 0, kib;
    bool ours = false;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (strchr(line, '-') != NULL && strchr(line, ' ') != NULL && strstr(line, "kB") == NULL)
            ours = strstr(line, name) != NULL;
        if (ours && sscanf(line, "Rss: %ld kB", &kib) == 1) total += kib;
    }
    if (maps != NULL) fclose(maps);
    if (total == 0) exit(3); /* The process has touched the trailer at least, so the mapping was not found. */
    printf("touched %ld\n", total);
}

static void stream_read(const char *name, bool spins, uint64_t count) {
    shmcv_stream stream;
    shmcv_frame frame;
    shmcv_frame_info info = {0};
    void *data;
    int recorded = 0;
    check(shmcv_stream_create(name, (uint64_t)WIDTH * HEIGHT * 3, 4, SHMCV_WHEN_BEHIND_DROP, &stream));
    check(shmcv_stream_close(stream)); /* Opened again, the mapping has a name in /proc/self/smaps. */
    check(shmcv_stream_open(name, 0, &stream));
    if (spins) check(shmcv_stream_spin(stream, 1000000));
    say_ready();
    for (uint64_t number = 0; number < count;) {
        check(shmcv_stream_wait(stream, info.sequence, -1, &frame, &info));
        check(shmcv_data(frame.pixels, &data, NULL));
        number = record(data, &recorded);
        check(shmcv_frame_close(frame));
    }
    print_times(recorded);
    print_touched(name);
    check(shmcv_stream_clear(stream));
}

static void stream_write(const char *name, bool busy, uint64_t count) {
    shmcv_stream stream;
    shmcv_frame frame;
    void *data;
    const shmcv_image_info image = image_of(WIDTH, HEIGHT);
    check(shmcv_stream_open(name, 0, &stream));
    for (uint64_t number = 1; number <= count; number++) {
        if (number == count) print_touched(name); /* When the reader has the last frame, it clears the name. */
        pause_for(busy);
        check(shmcv_stream_begin(stream, 0, &frame));
        check(shmcv_image_set(frame.pixels, &image));
        check(shmcv_data(frame.pixels, &data, NULL));
        put_stamp(data, number);
        check(shmcv_frame_publish(frame, NULL));
    }
    stay();
}

static bool painted(const uint64_t *pixels, size_t words, uint64_t mark) {
    uint64_t difference = 0;
    for (size_t i = 0; i < words; i++) difference |= pixels[i] ^ mark;
    return difference == 0;
}

static const size_t words = (size_t)WIDTH * HEIGHT * 3 / 8;

/* create NAME SLOTS: makes a stream of 4K frames. */
static void create(const char *name, unsigned slots) {
    shmcv_stream stream;
    check(shmcv_stream_create(name, words * 8, slots, SHMCV_WHEN_BEHIND_DROP, &stream));
}

/* write NAME SECONDS: publishes 4K frames, in which every word is the frame's number. */
static void write_frames(const char *name, unsigned seconds) {
    shmcv_stream stream;
    shmcv_frame frame;
    void *data;
    uint64_t sequence = 0;
    const shmcv_image_info image = image_of(WIDTH, HEIGHT);
    check(shmcv_stream_open(name, 0, &stream));
    const uint64_t end = now() + seconds * UINT64_C(1000000000);
    while (now() < end) {
        check(shmcv_stream_begin(stream, 0, &frame));
        check(shmcv_data(frame.pixels, &data, NULL));
        uint64_t *pixels = data;
        for (size_t i = 0; i < words; i++) pixels[i] = sequence + 1;
        check(shmcv_image_set(frame.pixels, &image));
        check(shmcv_frame_publish(frame, &sequence));
    }
    printf("published %" PRIu64 "\n", sequence);
}

/* read NAME: checks frames until none comes for two seconds. */
static void read_frames(const char *name) {
    shmcv_stream stream;
    shmcv_frame frame;
    void *data;
    shmcv_frame_info info = {0};
    int seen = 0, torn = 0, recorded = 0;
    uint64_t missed = 0;
    check(shmcv_stream_open(name, 0, &stream));
    for (;;) {
        const int32_t status = shmcv_stream_wait(stream, info.sequence, seen == 0 ? 20000 : 2000, &frame, &info);
        if (status == SHMCV_E_TIMEOUT) break;
        check(status);
        const uint64_t lag = now() - info.time_ns;
        check(shmcv_data(frame.pixels, &data, NULL));
        torn += !painted(data, words, info.sequence);
        check(shmcv_frame_close(frame));
        if (recorded < MOST) times[recorded++] = lag;
        if (seen++ > 0) missed += info.missed;
    }
    qsort(times, (size_t)recorded, sizeof *times, compare);
    printf("reader seen %d torn %d missed %" PRIu64 " lag_p50 %" PRIu64 " lag_max %" PRIu64 "\n", seen, torn, missed,
           recorded > 0 ? times[recorded / 2] : 0, recorded > 0 ? times[recorded - 1] : 0);
}

/* hand_over does one side's part: reader|writer shmcv|futex waits|spins asleep|busy NAME COUNT. */
static bool hand_over(char **words) {
    const bool reads = strcmp(words[0], "reader") == 0, plainly = strcmp(words[1], "futex") == 0;
    const bool spins = strcmp(words[2], "spins") == 0, busy = strcmp(words[3], "busy") == 0;
    const uint64_t count = strtoull(words[5], NULL, 10);
    if ((!reads && strcmp(words[0], "writer") != 0) || count == 0 || count > MOST) return false;
    if (plainly && reads) plain_read(words[4], count);
    if (plainly && !reads) plain_write(words[4], busy, count);
    if (!plainly && reads) stream_read(words[4], spins, count);
    if (!plainly && !reads) stream_write(words[4], busy, count);
    return true;
}

int main(int argc, char **argv) {
    const char *role = argc > 1 ? argv[1] : "";
    if (argc == 7) return hand_over(argv + 1) ? 0 : 2;
    if (strcmp(role, "create") == 0 && argc == 4)
        create(argv[2], (unsigned)atoi(argv[3]));
    else if (strcmp(role, "write") == 0 && argc == 4)
        write_frames(argv[2], (unsigned)atoi(argv[3]));
    else if (strcmp(role, "read") == 0 && argc == 3)
        read_frames(argv[2]);
    else
        return 2;
    return 0;
}
