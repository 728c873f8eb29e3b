/* The limits that Linux sets a process are errors, and not its end: address space, and file descriptors. Windows has no such limit
 * that Wine keeps: a process has handles enough, and the memory of a job is not limited there. */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const extensions[] = {".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm"};
enum { EXTENSIONS = sizeof extensions / sizeof *extensions, WEBP = 2 };

/* fine_or_no_memory returns true if a call has succeeded. If it has not, the reason must be the memory. */
static bool fine_or_no_memory(const char *what, int32_t status) {
    checking(what);
    if (status != SHMCV_OK) CHECK_FAILS(SHMCV_E_NO_SPACE, "", status);
    return status == SHMCV_OK;
}

/* leave lets this process map so many bytes more, and not more. */
static void leave(uint64_t bytes) {
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages;
    struct rlimit limit, set;
    NEED(file != NULL && fscanf(file, "%lu", &pages) == 1 && getrlimit(RLIMIT_AS, &limit) == 0);
    fclose(file);
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    NEED(setrlimit(RLIMIT_AS, &limit) == 0 && getrlimit(RLIMIT_AS, &set) == 0);
    if (set.rlim_cur != limit.rlim_cur) skip("QEMU'S EMULATION OF PROCESSES SAYS YES TO A LIMIT OF THE ADDRESS SPACE, AND SETS NONE");
}

static void leave_all(void) {
    struct rlimit limit;
    NEED(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    NEED(setrlimit(RLIMIT_AS, &limit) == 0);
}

typedef struct work {
    shmcv_segment seg;
    const char *path;
} work;

static void *work_a_little(void *of) {
    const work *mine = of;
    for (int i = 0; i < 3; i++) NEED_OK(shmcv_save(mine->seg, mine->path, 50));
    return NULL;
}

/* let_go_make_its_threads has several threads call at once, so that Go has all the threads that it will want. Go ends the
 * process that cannot have another thread (README, Limits). */
static void let_go_make_its_threads(shmcv_segment seg) {
    enum { THREADS = 12 };
    pthread_t threads[THREADS];
    work works[THREADS];
    for (int i = 0; i < THREADS; i++) {
        char file[32];
        snprintf(file, sizeof file, "thread%d.jpg", i);
        works[i] = (work){seg, temporary(file)};
        NEED(pthread_create(&threads[i], NULL, work_a_little, &works[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) NEED(pthread_join(threads[i], NULL) == 0);
}

/* With some limits the work is done, with others the memory does not suffice. */
TEST(address_space_that_ends_is_an_error) {
    const uint64_t size = 3840 * 2160 * 3;
    const shmcv_segment seg = new_segment(size), other = new_segment(size);
    const char *paths[EXTENSIONS], *gray = temporary("large.pgm");
    const char header[] = "P5 6000 4000 255\n";
    write_file(gray, header, sizeof header - 1);
    NEED(truncate(gray, sizeof header - 1 + 6000 * 4000) == 0);
    NEED_OK(shmcv_load(seg, testdata("photograph.jpg"), SHMCV_LOAD_COLOR, NULL));
    let_go_make_its_threads(seg);
    leave(1 << 20);
    CHECK_FAILS(SHMCV_E_NO_SPACE, "bytes of memory wanted", shmcv_load(seg, gray, SHMCV_LOAD_UNCHANGED, NULL));
    leave_all();

    const shmcv_image_info part = make_image(3840, 500, SHMCV_ORDER_BGR);
    NEED_OK(shmcv_image_set(seg, &part));
    for (int i = 0; i < EXTENSIONS; i++) {
        char file[32];
        snprintf(file, sizeof file, "large%s", extensions[i]);
        paths[i] = temporary(file);
        NEED_OK(shmcv_save(seg, paths[i], i == WEBP ? 10 : SHMCV_QUALITY_DEFAULT));
    }
    for (uint64_t mebibytes = 1; mebibytes <= 32; mebibytes *= 2)
        for (int i = 0; i < EXTENSIONS; i++) {
            leave(mebibytes << 20);
            fine_or_no_memory(paths[i], shmcv_load(seg, paths[i], SHMCV_LOAD_COLOR, NULL));
            fine_or_no_memory("convert in place", shmcv_convert(seg, seg, SHMCV_ORDER_RGB));
            fine_or_no_memory("convert", shmcv_convert(seg, other, SHMCV_ORDER_BGRA));
            fine_or_no_memory("flip", shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
            fine_or_no_memory(extensions[i], shmcv_save(seg, paths[i], i == WEBP ? 10 : SHMCV_QUALITY_DEFAULT));
            fine_or_no_memory("flip", shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
            leave_all();
        }
    for (int i = 0; i < EXTENSIONS; i++) CHECK_OK(shmcv_load(seg, paths[i], SHMCV_LOAD_COLOR, NULL));
}

/* A call of a process that has few file descriptors left, or none. Arguments: the call, and how many are left. */
CHILD(call_with_few_descriptors) {
    if (argc != 3) return 2;
    dup2(STDOUT_FILENO, STDERR_FILENO);
    const char *call = argv[1], *file = testdata("small-bgr.png"), *name = new_name();
    const struct rlimit limit = {64, 64};
    NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int held[64], count = 0;
    for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0;) held[count++] = fd;
    for (int left = atoi(argv[2]); left > 0 && count > 0; left--) close(held[--count]);
    shmcv_image_info info;
    shmcv_segment seg;
    int32_t status = SHMCV_OK;
    if (strcmp(call, "create") == 0) status = shmcv_create(name, 1000, &seg);
    if (strcmp(call, "probe") == 0) status = shmcv_probe(file, SHMCV_LOAD_COLOR, &info);
    if (strcmp(call, "delay") == 0) status = shmcv_delay(1, NULL);
    if (status != SHMCV_OK) CHECK_FAILS(SHMCV_E_IO, "", status);
    while (count > 0) close(held[--count]);
    CHECK_OK(shmcv_create(new_name(), 1000, &seg));
    CHECK_OK(shmcv_probe(file, SHMCV_LOAD_COLOR, &info));
    return failed_checks();
}

TEST(few_file_descriptors_end_no_process) {
    static const char *const calls[] = {"create", "probe", "delay"};
    for (size_t call = 0; call < sizeof calls / sizeof *calls; call++)
        for (int n = 0; n <= 5; n++) {
            char left[16], line[4096];
            snprintf(left, sizeof left, "%d", n);
            process child = start("call_with_few_descriptors", calls[call], left, NULL);
            char all[1 << 14] = "";
            while (read_line(&child, line, sizeof line))
                if (strlen(all) + strlen(line) + 2 < sizeof all) strcat(strcat(all, line), "\n");
            if (!CHECK_INT(0, finish(&child))) fprintf(stderr, "%s, %s left:\n%.3000s\n", calls[call], left, all);
        }
}
