/* See test.h. */
#define _GNU_SOURCE
#include "test.h"
#include "test_system.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1024 };

static struct {
    const char *name;
    test_function *test;
} tests[MOST];
static int test_count;

static struct {
    const char *name;
    child_function *body;
} children[MOST];
static int child_count;

static int failures;
static const char *subject, *argument;
static const char *folder; /* of temporary files, or NULL */

/* Strings that live until the program ends. Any thread may add a string. */
typedef struct strings {
    char *all[MOST];
    int count;
} strings;
static strings names, paths;

static const char *keep(strings *kept, char *string) {
    const int index = __atomic_fetch_add(&kept->count, 1, __ATOMIC_RELAXED);
    if (index >= MOST) abort();
    return kept->all[index] = string;
}

_Noreturn void give_up(const char *what) {
    fprintf(stderr, "the test program itself failed: %s: %s\n", what, strerror(errno));
    exit(2);
}

void add_test(const char *name, test_function *test) {
    if (test_count == MOST) abort();
    tests[test_count].name = name;
    tests[test_count++].test = test;
}

void add_child(const char *name, child_function *body) {
    if (child_count == MOST) abort();
    children[child_count].name = name;
    children[child_count++].body = body;
}

/* Checks. */

/* report counts a failed check, and prints its place and details in one piece, because several threads may print. */
__attribute__((format(printf, 5, 6))) static bool report(bool fine, const char *file, int line, const char *text,
                                                         const char *details, ...) {
    if (fine) return true;
    __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
    char found[2500];
    va_list values;
    va_start(values, details);
    vsnprintf(found, sizeof found, details, values);
    va_end(values);
    const char *slash = strrchr(file, '/'), *of = subject != NULL ? subject : "";
    fprintf(stderr, "%s:%d: %s\n%s%s%s%s", slash != NULL ? slash + 1 : file, line, text, *of != '\0' ? "    of: " : "", of,
            *of != '\0' ? "\n" : "", found);
    return false;
}

bool check_true(const char *file, int line, const char *text, bool found) { return report(found, file, line, text, "%s", ""); }

bool check_int(const char *file, int line, const char *text, int64_t expected, int64_t found) {
    return report(expected == found, file, line, text, "    expected %" PRId64 ", found %" PRId64 "\n", expected, found);
}

bool check_text(const char *file, int line, const char *text, const char *expected, const char *found) {
    return report(strcmp(expected, found) == 0, file, line, text, "    expected \"%s\", found \"%s\"\n", expected, found);
}

bool check_status(const char *file, int line, const char *text, int32_t code, const char *part, int32_t found) {
    const char *message = found == SHMCV_OK ? "" : last_error();
    return report(found == code && strstr(message, part) != NULL, file, line, text,
                  "    expected %d with \"%s\", found %d with \"%s\"\n", code, part, found, message);
}

void checking(const char *what) { subject = what; }

int failed_checks(void) { return __atomic_load_n(&failures, __ATOMIC_RELAXED); }

void stop_test(void) { exit(1); }

void skip(const char *why) {
    printf("SKIPPED: %s\n", why);
    exit(SKIPPED);
}

const char *test_argument(void) { return argument; }

const char *last_error(void) {
    static __thread char message[1024];
    if (shmcv_last_error(message, sizeof message) != SHMCV_OK) abort();
    return message;
}

/* Segments. */

const char *new_name(void) {
    char uuid[37], *name;
    if (!system_random_text(uuid)) give_up("a new name");
    if (asprintf(&name, "test-%s", uuid) < 0) abort();
    return keep(&names, name);
}

shmcv_segment new_segment(uint64_t size) {
    shmcv_segment seg = {0};
    NEED_OK(shmcv_create(new_name(), size, &seg));
    return seg;
}

unsigned char *pixels(shmcv_segment seg, uint64_t *size) {
    void *data = NULL;
    NEED_OK(shmcv_data(seg, &data, size));
    return data;
}

shmcv_image_info make_image(uint32_t width, uint32_t height, uint32_t order) {
    shmcv_image_info image = {0};
    image.width = width;
    image.height = height;
    image.depth = SHMCV_DEPTH_U8;
    image.order = order;
    image.channels = order == SHMCV_ORDER_GRAY ? 1 : order == SHMCV_ORDER_BGR || order == SHMCV_ORDER_RGB ? 3 : 4;
    image.stride = (uint64_t)image.channels * width;
    return image;
}

shmcv_segment counting(uint32_t width, uint32_t height, uint32_t order) {
    const shmcv_image_info image = make_image(width, height, order);
    const uint64_t size = image.stride * height;
    shmcv_segment seg = new_segment(size);
    unsigned char *data = pixels(seg, NULL);
    for (uint64_t i = 0; i < size; i++) data[i] = (unsigned char)i;
    NEED_OK(shmcv_image_set(seg, &image));
    return seg;
}

/* Files. */

const char *testdata(const char *file) {
    char *path;
    if (asprintf(&path, "%s/%s", SHMCV_TESTDATA, file) < 0) abort();
    return keep(&paths, path);
}

static void make_own_folder(void) {
    folder = system_make_folder();
    if (folder == NULL) give_up("a folder");
}

const char *temporary(const char *file) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_own_folder);
    char *path;
    if (asprintf(&path, "%s/%s", folder, file) < 0) abort();
    return keep(&paths, path);
}

void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) give_up(path);
}

unsigned char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) give_up(path);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*size + 1);
    if (data == NULL || fread(data, 1, *size, file) != *size) give_up(path);
    fclose(file);
    return data;
}

/* The program. */

static void clean_up(void) {
    for (int i = 0; i < names.count; i++) system_remove_segment(names.all[i]);
    if (folder != NULL) system_remove_folder(folder);
}

static int run_child(int argc, char **argv) {
    system_end_with_parent(); /* some children have no end of their own, and a test that is killed cannot kill them */
    for (int i = 0; i < child_count; i++)
        if (strcmp(children[i].name, argv[0]) == 0) return children[i].body(argc, argv);
    fprintf(stderr, "no child '%s'\n", argv[0]);
    return 2;
}

static int run_test(const char *name) {
    for (int i = 0; i < test_count; i++) {
        if (strcmp(name, tests[i].name) != 0) continue;
        tests[i].test();
        subject = NULL;
        printf("%s: %s\n", failures == 0 ? "ok" : "FAILED", name);
        return failures == 0 ? 0 : 1;
    }
    fprintf(stderr, "no test '%s'\n", name);
    return 2;
}

/* run_all runs each test in a process of its own, as ctest does. */
static int run_all(void) {
    int failed = 0;
    for (int i = 0; i < test_count; i++) {
        const int status = system_run_test(tests[i].name);
        const bool fine = status == 0 || status == SKIPPED;
        printf("%s %s, status %d\n", status == SKIPPED ? "SKIP" : fine ? "PASS" : "FAIL", tests[i].name, status);
        fflush(stdout);
        failed += !fine;
    }
    return failed == 0 ? 0 : 1;
}

int files_in(const char *path) {
    DIR *stream = opendir(path);
    NEED(stream != NULL);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return count;
}

int main(int argc, char **argv) {
    if (argc == 1) return run_all();
    atexit(clean_up);
    if (argc > 2 && strcmp(argv[1], "--child") == 0) return run_child(argc - 2, argv + 2);
    argument = argc > 2 ? argv[2] : NULL;
    return run_test(argv[1]);
}
