/* The bench's peer in C: shmcv through its header, and memcpy, which is the floor. It answers each line of its standard
 * input, which is a request, by one line. peers.py describes requests and answers. `peer once job path=FILE out=FILE`
 * loads, flips and saves a photograph, and ends. */
#define _GNU_SOURCE
#include <shmcv.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 16, CALLS = 20000 };

static jmp_buf next_request;

/* fail answers the request with an error, and goes on with the next request. */
static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("error ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    longjmp(next_request, 1);
}

static void check(int32_t status) {
    char why[SHMCV_MESSAGE_SIZE];
    if (status == SHMCV_OK) return;
    shmcv_last_error(why, sizeof why);
    fail("%s", why);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The words of the request: a verb, and key=value. */
static char *words[MOST_WORDS];
static int word_count;

static const char *value(const char *key) {
    const size_t length = strlen(key);
    for (int i = 1; i < word_count; i++)
        if (strncmp(words[i], key, length) == 0 && words[i][length] == '=') return words[i] + length + 1;
    fail("the request has no %s=", key);
}

static bool is(const char *key, const char *text) { return strcmp(value(key), text) == 0; }

static uint64_t number(const char *key) { return strtoull(value(key), NULL, 10); }

/* block is a segment, which is made again for each work. */
typedef struct block {
    const char *role;
    char name[64];
    shmcv_segment segment; /* {0} if there is none. */
    uint8_t *pixels;
} block;

static block source = {.role = "source"}, target = {.role = "target"};

static void drop(block *b) {
    if (b->segment.handle == 0) return;
    shmcv_clear(b->name);
    shmcv_close(b->segment);
    b->segment = (shmcv_segment){0};
}

static void renew(block *b, uint64_t size) {
    void *pixels;
    drop(b);
    snprintf(b->name, sizeof b->name, "shmcv-bench-%d-%s", (int)getpid(), b->role);
    check(shmcv_create(b->name, size, &b->segment));
    check(shmcv_data(b->segment, &pixels, NULL));
    b->pixels = pixels;
}

/* paint fills the memory with pseudo-random bytes, and thereby touches every page. */
static void paint(block *b, uint64_t size) {
    uint32_t state = 1;
    for (uint64_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        b->pixels[i] = (uint8_t)(state >> 24);
    }
}

/* What the works below share. prepare sets it, so that a repetition does nothing but the work. */
static shmcv_image_info image;
static uint64_t size;
static int32_t flags, code, interpolation;
static uint32_t to_width, to_height;
static bool fresh, in_place;
static char path[4096], out[4096];
static void *bitmap; /* malloc's memory, for a copy. */

static void remember_path(char *to, const char *key) { snprintf(to, sizeof path, "%s", value(key)); }

static void probe(const char *file) {
    check(shmcv_probe(file, flags, &image));
    check(shmcv_image_size(&image, &size));
}

static void repeat_load(void) { check(shmcv_load(target.segment, path, flags, NULL)); }

static void prepare_load(void) {
    remember_path(path, "path");
    flags = is("format", "png4") ? SHMCV_LOAD_UNCHANGED : SHMCV_LOAD_COLOR;
    fresh = is("into", "fresh");
    probe(path);
    renew(&target, size);
    repeat_load();
}

static void before_load(void) {
    if (fresh) renew(&target, size);
}

static uint8_t *file; /* The bytes of a file. */
static uint64_t file_size;
static const shmcv_load_options quarter = {.flags = SHMCV_LOAD_COLOR, .order = SHMCV_ORDER_BGRA, .scale = 4};

static void repeat_thumbnail(void) { check(shmcv_decode_with(target.segment, file, file_size, &quarter, NULL)); }

static void prepare_thumbnail(void) {
    FILE *f = fopen(value("path"), "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) fail("no file %s", value("path"));
    file_size = (uint64_t)ftell(f);
    rewind(f);
    free(file);
    file = malloc(file_size);
    if (file == NULL || fread(file, 1, file_size, f) != file_size) fail("%s cannot be read", value("path"));
    fclose(f);
    check(shmcv_probe_bytes_with(file, file_size, &quarter, &image));
    check(shmcv_image_size(&image, &size));
    renew(&target, size);
    repeat_thumbnail();
}

static void repeat_flip(void) {
    check(shmcv_flip(source.segment, in_place ? source.segment : target.segment, code));
}

/* verify_flip fails if the flip is wrong, because measuring wrong work is worth nothing. */
static void verify_flip(const uint8_t *before, const uint8_t *after, size_t pixel) {
    for (size_t y = 0; y < image.height; y++)
        for (size_t x = 0; x < image.width; x++) {
            const size_t from_y = code == SHMCV_FLIP_HORIZONTAL ? y : image.height - 1 - y;
            const size_t from_x = code == SHMCV_FLIP_VERTICAL ? x : image.width - 1 - x;
            const uint8_t *to = after + (y * image.width + x) * pixel;
            const uint8_t *from = before + (from_y * image.width + from_x) * pixel;
            if (memcmp(to, from, pixel) != 0)
                fail("the flip is wrong at (%zu, %zu)", x, y);
        }
}

/* make_source gives the source random pixels, as many as the request says, and returns the size of a pixel. */
static size_t make_source(void) {
    static const uint32_t orders[] = {0, SHMCV_ORDER_GRAY, 0, SHMCV_ORDER_BGR, SHMCV_ORDER_BGRA};
    image = (shmcv_image_info){.width = (uint32_t)number("width"), .height = (uint32_t)number("height")};
    image.channels = (uint32_t)number("channels");
    if (image.channels >= sizeof orders / sizeof *orders) fail("%u channels", image.channels);
    image.order = orders[image.channels];
    image.depth = is("depth", "16") ? SHMCV_DEPTH_U16 : SHMCV_DEPTH_U8;
    const size_t pixel = image.channels * (image.depth == SHMCV_DEPTH_U16 ? 2 : 1);
    size = (uint64_t)image.width * image.height * pixel;
    renew(&source, size);
    paint(&source, size);
    check(shmcv_image_set(source.segment, &image));
    return pixel;
}

static void prepare_flip(void) {
    code = (int32_t)strtol(value("code"), NULL, 10);
    in_place = is("where", "inplace");
    const size_t pixel = make_source();
    if (!in_place) renew(&target, size);
    uint8_t *before = malloc(size);
    if (before == NULL) fail("no memory");
    memcpy(before, source.pixels, size);
    repeat_flip();
    verify_flip(before, in_place ? source.pixels : target.pixels, pixel);
    free(before);
}

static void repeat_resize(void) {
    check(shmcv_resize(source.segment, target.segment, to_width, to_height, interpolation));
}

static void prepare_resize(void) {
    interpolation = (int32_t)number("interpolation");
    to_width = (uint32_t)number("to_width");
    to_height = (uint32_t)number("to_height");
    const size_t pixel = make_source();
    renew(&target, (uint64_t)to_width * to_height * pixel);
    repeat_resize();
}

static void repeat_save(void) { check(shmcv_save(source.segment, path, SHMCV_QUALITY_DEFAULT)); }

static void prepare_save(void) {
    remember_path(path, "path");
    flags = SHMCV_LOAD_COLOR;
    probe(value("source"));
    renew(&source, size);
    check(shmcv_load(source.segment, value("source"), flags, NULL));
}

static void repeat_copy(void) { memcpy(fresh ? bitmap : target.pixels, source.pixels, size); }

static void before_copy(void) {
    if (!fresh) return;
    free(bitmap);
    bitmap = malloc(size);
    if (bitmap == NULL) fail("no memory for %" PRIu64 " bytes", size);
}

/* prepare_copy: a copy between segments is the floor of the works there. A fresh copy goes to memory of malloc's, as
 * for a new bitmap. */
static void prepare_copy(void) {
    free(bitmap);
    bitmap = NULL;
    size = number("bytes");
    fresh = is("into", "fresh");
    renew(&source, size);
    paint(&source, size);
    if (!fresh) {
        renew(&target, size);
        repeat_copy();
    }
}

static void repeat_job(void) {
    check(shmcv_load(source.segment, path, SHMCV_LOAD_COLOR, NULL));
    check(shmcv_flip(source.segment, target.segment, SHMCV_FLIP_HORIZONTAL));
    check(shmcv_save(target.segment, out, SHMCV_QUALITY_DEFAULT));
}

static void prepare_job(void) {
    remember_path(path, "path");
    remember_path(out, "out");
    flags = SHMCV_LOAD_COLOR;
    probe(path);
    renew(&source, size);
    renew(&target, size);
}

static void repeat_abi_version(void) {
    for (int i = 0; i < CALLS; i++) shmcv_abi_version();
}

static void repeat_image_get(void) {
    for (int i = 0; i < CALLS; i++) shmcv_image_get(source.segment, &image);
}

static void prepare_call(void) {
    image = (shmcv_image_info){
        .width = 4, .height = 4, .channels = 3, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
    renew(&source, 48);
    check(shmcv_image_set(source.segment, &image));
}

typedef struct work {
    const char *name, *call;
    void (*prepare)(void), (*before)(void), (*repeat)(void);
    uint64_t inner; /* Operations in a repetition. */
} work;

static const work works[] = {
    {"load", NULL, prepare_load, before_load, repeat_load, 1},
    {"thumbnail", NULL, prepare_thumbnail, NULL, repeat_thumbnail, 1},
    {"flip", NULL, prepare_flip, NULL, repeat_flip, 1},
    {"resize", NULL, prepare_resize, NULL, repeat_resize, 1},
    {"save", NULL, prepare_save, NULL, repeat_save, 1},
    {"copy", NULL, prepare_copy, before_copy, repeat_copy, 1},
    {"job", NULL, prepare_job, NULL, repeat_job, 1},
    {"call", "abi_version", prepare_call, NULL, repeat_abi_version, CALLS},
    {"call", "image_get", prepare_call, NULL, repeat_image_get, CALLS},
};
static const work *prepared;

static void prepare(void) {
    prepared = NULL;
    drop(&source);
    drop(&target);
    for (size_t i = 0; i < sizeof works / sizeof *works && prepared == NULL; i++)
        if (is("work", works[i].name) && (works[i].call == NULL || is("name", works[i].call))) prepared = &works[i];
    if (prepared == NULL) {
        printf("skip there is no %s in C\n", value("work"));
        return;
    }
    prepared->prepare();
    printf("ok inner=%" PRIu64 "\n", prepared->inner);
}

static uint64_t page_faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_minflt;
}

/* repeat prints how far the meter moved in each of count repetitions. */
static void repeat(uint64_t (*meter)(void)) {
    uint64_t told[1000];
    const uint64_t count = number("count");
    if (prepared == NULL) fail("nothing is prepared");
    if (count > sizeof told / sizeof *told) fail("count=%" PRIu64 " is too many", count);
    for (uint64_t i = 0; i < count; i++) {
        if (prepared->before != NULL) prepared->before();
        const uint64_t start = meter();
        prepared->repeat();
        told[i] = meter() - start;
    }
    printf("ok");
    for (uint64_t i = 0; i < count; i++) printf(" %.3f", (double)told[i] / (double)prepared->inner);
    printf("\n");
}

static void tell_memory(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib, resident = 0, peak = 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) resident = kib;
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) peak = kib;
    }
    if (status != NULL) fclose(status);
    printf("ok rss_kib=%ld peak_kib=%ld\n", resident, peak);
}

static void answer(void) {
    const char *verb = words[0];
    if (strcmp(verb, "hello") == 0) printf("ok name=c shmcv=%s gcc=%d.%d\n", shmcv_version(), __GNUC__, __GNUC_MINOR__);
    else if (strcmp(verb, "prepare") == 0) prepare();
    else if (strcmp(verb, "run") == 0) repeat(now);
    else if (strcmp(verb, "faults") == 0) repeat(page_faults);
    else if (strcmp(verb, "memory") == 0) tell_memory();
    else fail("there is no '%s'", verb);
}

static int serve(void) {
    static char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        word_count = 0;
        for (char *word = strtok(line, " \n"); word != NULL && word_count < MOST_WORDS; word = strtok(NULL, " \n"))
            words[word_count++] = word;
        if (word_count == 0) continue;
        if (strcmp(words[0], "quit") == 0) break;
        if (setjmp(next_request) == 0) answer();
        fflush(stdout);
    }
    return shmcv_clear_all();
}

int main(int argc, char **argv) {
    if (argc == 1) return serve();
    if (argc != 5 || strcmp(argv[1], "once") != 0 || strcmp(argv[2], "job") != 0)
        return fprintf(stderr, "usage: peer [once job path=FILE out=FILE]\n"), 2;
    for (word_count = 0; word_count < argc - 2; word_count++) words[word_count] = argv[word_count + 2];
    if (setjmp(next_request) != 0) return shmcv_clear_all(), 1;
    prepare_job();
    repeat_job();
    return shmcv_clear_all();
}
