/* Measures how long a frame takes from one process to another that sleeps, and checks that eight readers see whole
 * frames. frames.py calls it. It prints "key value" lines. */
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
    char why[SHMCV_MESSAGE_SIZE];
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

/* let_sleep waits until the other side sleeps: ten times as long as the library spins. */
static void let_sleep(void) {
    const struct timespec pause = {.tv_nsec = 200000};
    nanosleep(&pause, NULL);
}

/* pinned is true if the reader and the writers have a processor each. By default Linux runs two processes that only
 * wake each other on one processor, where the woken process waits until the other one sleeps. With more threads Linux
 * does so only sometimes, and the difference is larger than the time that is measured. */
static bool pinned;

enum { READER, WRITER };

/* run_on puts the calling thread, and the processes that it will start, on one of the allowed processors. */
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

/* plain is a word on which one process sleeps until another one stores and wakes. No library can be faster. */
typedef struct plain {
    _Atomic uint32_t word;
    _Atomic uint64_t at;
} plain;

/* tell runs in the child. It stores and wakes once for each byte that it reads from order. */
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
    return (shmcv_image_info){
        .width = width, .height = height, .channels = 3, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
}

/* resident returns how much of a segment this process has touched, in KiB: the Rss of its mapping. */
static long resident(const char *name) {
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
    return total;
}

/* publish NAME WIDTH HEIGHT, or publish_pinned: publishes a frame for each byte of the input when the reader sleeps. */
static void publish(const char *name, uint32_t width, uint32_t height) {
    shmcv_stream stream;
    shmcv_frame frame;
    const shmcv_image_info image = image_of(width, height);
    run_on(WRITER);
    check(shmcv_stream_open(name, &stream));
    for (char byte; read(STDIN_FILENO, &byte, 1) == 1;) {
        let_sleep();
        check(shmcv_stream_begin(stream, &frame));
        check(shmcv_image_set(frame.pixels, &image));
        check(shmcv_frame_publish(frame, NULL));
    }
    fprintf(stderr, "touched %ld\n", resident(name));
}

/* party is a stream and its publisher, as the reader has them. */
typedef struct party {
    char name[64];
    shmcv_stream stream;
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
    check(shmcv_stream_create(p.name, (uint64_t)width * height * 3, 4, &p.stream));
    check(shmcv_stream_close(p.stream)); /* Opened again, the mapping has a name in /proc/self/smaps. */
    check(shmcv_stream_open(p.name, &p.stream));
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
    shmcv_frame frame;
    if (write(p->order, "x", 1) != 1) exit(1);
    check(shmcv_stream_wait(p->stream, p->info.sequence, -1, &frame, &p->info));
    const uint64_t here = now();
    check(shmcv_frame_close(frame));
    return here - p->info.time_ns;
}

/* hand_over NAME COUNT, or hand_over_pinned: plain C, a small frame and a 4K frame take turns, so that the machine's
 * other work disturbs all alike. */
static void hand_over(const char *name, int count) {
    plain *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) exit(1);
    (void)be_told(shared); /* Forks its child before the others' pipes are there. */
    party small = start(name, 32, 32), large = start(name, WIDTH, HEIGHT);
    run_on(READER); /* Not earlier: the children would inherit it. */
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

/* create NAME SLOTS: makes a stream of 4K frames. */
static void create(const char *name, unsigned slots) {
    shmcv_stream stream;
    check(shmcv_stream_create(name, words * 8, slots, &stream));
}

/* write NAME SECONDS: publishes 4K frames, in which every word is the frame's number. */
static void write_frames(const char *name, unsigned seconds) {
    shmcv_stream stream;
    shmcv_frame frame;
    void *data;
    uint64_t sequence = 0;
    const shmcv_image_info image = image_of(WIDTH, HEIGHT);
    check(shmcv_stream_open(name, &stream));
    const uint64_t end = now() + seconds * UINT64_C(1000000000);
    while (now() < end) {
        check(shmcv_stream_begin(stream, &frame));
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
    check(shmcv_stream_open(name, &stream));
    for (;;) {
        const int32_t status = shmcv_stream_wait(stream, info.sequence, seen == 0 ? 20000 : 2000, &frame, &info);
        if (status == SHMCV_E_TIMEOUT) break;
        check(status);
        const uint64_t lag = now() - info.time_ns;
        check(shmcv_data(frame.pixels, &data, NULL));
        torn += !painted(data, words, info.sequence);
        check(shmcv_frame_close(frame));
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
