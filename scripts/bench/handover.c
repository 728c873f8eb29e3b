/* How long a frame takes from one process to another that sleeps, and whether eight readers see whole frames. Called by
 * frames.py; prints "key value" lines. */
#define _GNU_SOURCE
#include <shmcv.h>

#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 200, MOST = 100000, WIDTH = 3840, HEIGHT = 2160 };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void check(int32_t status) {
    if (status == SHMCV_OK) return;
    char why[1024];
    shmcv_last_error(why, sizeof why);
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static int compare(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t times[3][MOST];

static void print_p50(const char *key, uint64_t *measured, int count) {
    qsort(measured, (size_t)count, sizeof *measured, compare);
    printf("%s %" PRIu64 "\n", key, measured[count / 2]);
    fflush(stdout);
}

/* Long enough for the other side to have gone to sleep: ten times what the library spins. */
static void let_sleep(void) {
    const struct timespec pause = {.tv_nsec = 200000};
    nanosleep(&pause, NULL);
}

/* Whether the reader and the writers have a processor each. Left to itself, Linux runs two processes that only wake each
 * other on one, where the woken one waits until the other has gone to sleep; with more threads about it does sometimes this
 * and sometimes that, and the difference is larger than what is to be measured. */
static bool pinned;

enum { READER, WRITER };

/* run_on puts the calling thread, and what it will start, on one of the processors that there are. */
static void run_on(int which) {
    if (!pinned) return;
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) exit(1);
    CPU_ZERO(&one);
    which %= CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && which-- == 0) CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) exit(1);
}

/* A word that one process stores and wakes, and the other sleeps on: what no library can be faster than. */
typedef struct plain {
    _Atomic uint32_t word;
    _Atomic uint64_t at;
} plain;

/* tell is the child that stores and wakes, once for each byte that it reads from order. */
static void tell(plain *shared, int order) {
    run_on(WRITER);
    for (char byte; read(order, &byte, 1) == 1;) {
        let_sleep();
        atomic_store(&shared->at, now());
        atomic_fetch_add(&shared->word, 1);
        syscall(SYS_futex, &shared->word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    }
    _exit(0);
}

static uint64_t be_told(plain *shared) {
    const uint32_t before = atomic_load(&shared->word);
    static int order = -1;
    if (order < 0) {
        int ends[2];
        if (pipe(ends) != 0) exit(1);
        if (fork() == 0) {
            close(ends[1]);
            tell(shared, ends[0]);
        }
        close(ends[0]);
        order = ends[1];
    }
    if (write(order, "x", 1) != 1) exit(1);
    while (atomic_load(&shared->word) == before)
        syscall(SYS_futex, &shared->word, FUTEX_WAIT, before, NULL, NULL, 0);
    return now() - atomic_load(&shared->at);
}

static shmcv_image_info image_of(uint32_t width, uint32_t height) {
    return (shmcv_image_info){.width = width, .height = height, .channels = 3, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
}

/* resident tells how much of a segment this process has ever touched, in KiB: its mapping's Rss. */
static long resident(const char *name) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    long total = 0, kib;
    bool ours = false;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (strchr(line, '-') != NULL && strchr(line, ' ') != NULL && strstr(line, "kB") == NULL) ours = strstr(line, name) != NULL;
        if (ours && sscanf(line, "Rss: %ld kB", &kib) == 1) total += kib;
    }
    if (maps != NULL) fclose(maps);
    if (total == 0) exit(3); /* the trailer at least: the mapping was not found */
    return total;
}

/* publish NAME WIDTH HEIGHT, or publish_pinned: a frame, once the reader has gone to sleep, for each byte that comes in. */
static void publish(const char *name, uint32_t width, uint32_t height) {
    shmcv_segment stream, frame;
    const shmcv_image_info image = image_of(width, height);
    run_on(WRITER);
    check(shmcv_open(name, &stream));
    for (char byte; read(STDIN_FILENO, &byte, 1) == 1;) {
        let_sleep();
        check(shmcv_stream_begin(stream, &frame));
        check(shmcv_image_set(frame, &image));
        check(shmcv_stream_publish(frame, NULL));
    }
    fprintf(stderr, "touched %ld\n", resident(name));
}

/* A stream with its publisher, seen from the reader. */
typedef struct party {
    char name[64];
    shmcv_segment stream;
    shmcv_frame_info info;
    int order, report;
} party;

static party start(const char *name, uint32_t width, uint32_t height) {
    party p = {.order = 0};
    int order[2], report[2];
    char columns[20], rows[20];
    snprintf(p.name, sizeof p.name, "%s-%u", name, width);
    snprintf(columns, sizeof columns, "%u", width);
    snprintf(rows, sizeof rows, "%u", height);
    check(shmcv_create_stream(p.name, (uint64_t)width * height * 3, 4, &p.stream));
    check(shmcv_close(p.stream)); /* opened anew, the mapping has a name in /proc/self/smaps */
    check(shmcv_open(p.name, &p.stream));
    if (pipe2(order, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0) exit(1);
    if (fork() == 0) {
        dup2(order[0], STDIN_FILENO);
        dup2(report[1], STDERR_FILENO);
        execl("/proc/self/exe", "handover", pinned ? "publish_pinned" : "publish", p.name, columns, rows, (char *)NULL);
        _exit(127);
    }
    close(order[0]);
    close(report[1]);
    p.order = order[1];
    p.report = report[0];
    return p;
}

static uint64_t be_handed(party *p) {
    shmcv_segment frame;
    if (write(p->order, "x", 1) != 1) exit(1);
    check(shmcv_stream_wait(p->stream, p->info.sequence, -1, &frame, &p->info));
    const uint64_t here = now();
    check(shmcv_close(frame));
    return here - p->info.time;
}

/* hand_over NAME COUNT, or hand_over_pinned: plain C, a small frame and a 4K frame in turn, so that the machine's other work is the same for all. */
static void hand_over(const char *name, int count) {
    plain *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) exit(1);
    (void)be_told(shared); /* its child is forked before the others' pipes are there */
    party small = start(name, 32, 32), large = start(name, WIDTH, HEIGHT);
    run_on(READER); /* only now: the others would inherit it */
    for (int i = -WARM_UP; i < count; i++) {
        const uint64_t told = be_told(shared), handed = be_handed(&small), handed_large = be_handed(&large);
        if (i < 0) continue;
        times[0][i] = told;
        times[1][i] = handed;
        times[2][i] = handed_large;
    }
    print_p50("plain", times[0], count);
    print_p50("small", times[1], count);
    print_p50("large", times[2], count);
    printf("reader_touched %ld\n", resident(large.name));
    close(small.order);
    close(large.order);
    char text[100] = "";
    if (read(large.report, text, sizeof text - 1) > 0) printf("writer_%s", text);
    check(shmcv_clear(small.name));
    check(shmcv_clear(large.name));
}

static bool painted(const uint64_t *pixels, size_t words, uint64_t mark) {
    uint64_t difference = 0;
    for (size_t i = 0; i < words; i++) difference |= pixels[i] ^ mark;
    return difference == 0;
}

static const size_t words = (size_t)WIDTH * HEIGHT * 3 / 8;

/* create NAME SLOTS: a stream of 4K frames. */
static void create(const char *name, unsigned slots) {
    shmcv_segment stream;
    check(shmcv_create_stream(name, words * 8, slots, &stream));
}

/* write NAME SECONDS: 4K frames that are their number all over. */
static void write_frames(const char *name, unsigned seconds) {
    shmcv_segment stream, frame;
    void *data;
    uint64_t sequence = 0;
    const shmcv_image_info image = image_of(WIDTH, HEIGHT);
    check(shmcv_open(name, &stream));
    const uint64_t end = now() + seconds * UINT64_C(1000000000);
    while (now() < end) {
        check(shmcv_stream_begin(stream, &frame));
        check(shmcv_data(frame, &data, NULL));
        uint64_t *pixels = data;
        for (size_t i = 0; i < words; i++) pixels[i] = sequence + 1;
        check(shmcv_image_set(frame, &image));
        check(shmcv_stream_publish(frame, &sequence));
    }
    printf("published %" PRIu64 "\n", sequence);
}

/* read NAME: until no frame comes for two seconds. */
static void read_frames(const char *name) {
    shmcv_segment stream, frame;
    void *data;
    shmcv_frame_info info = {0};
    int seen = 0, torn = 0, recorded = 0;
    uint64_t missed = 0;
    check(shmcv_open(name, &stream));
    for (;;) {
        const int32_t status = shmcv_stream_wait(stream, info.sequence, seen == 0 ? 20000 : 2000, &frame, &info);
        if (status == SHMCV_E_TIMEOUT) break;
        check(status);
        const uint64_t lag = now() - info.time;
        check(shmcv_data(frame, &data, NULL));
        torn += !painted(data, words, info.sequence);
        check(shmcv_close(frame));
        if (recorded < MOST) times[0][recorded++] = lag;
        if (seen++ > 0) missed += info.missed;
    }
    qsort(times[0], (size_t)recorded, sizeof **times, compare);
    printf("reader seen %d torn %d missed %" PRIu64 " lag_p50 %" PRIu64 " lag_max %" PRIu64 "\n", seen, torn, missed,
           recorded > 0 ? times[0][recorded / 2] : 0, recorded > 0 ? times[0][recorded - 1] : 0);
}

int main(int argc, char **argv) {
    const char *role = argc > 1 ? argv[1] : "";
    pinned = strstr(role, "_pinned") != NULL;
    if (strncmp(role, "hand_over", 9) == 0 && argc == 4)
        hand_over(argv[2], atoi(argv[3]));
    else if (strncmp(role, "publish", 7) == 0 && argc == 5)
        publish(argv[2], (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
    else if (strcmp(role, "create") == 0 && argc == 4)
        create(argv[2], (unsigned)atoi(argv[3]));
    else if (strcmp(role, "write") == 0 && argc == 4)
        write_frames(argv[2], (unsigned)atoi(argv[3]));
    else if (strcmp(role, "read") == 0 && argc == 3)
        read_frames(argv[2]);
    else
        return 2;
    return 0;
}
