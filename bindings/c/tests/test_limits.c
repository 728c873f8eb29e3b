/* Memory that a process has no more of is an error, and not the end of the process. test_limits_linux.c has the limits that Linux
 * sets. */
#define _GNU_SOURCE
#include "scarce.h"
#include "test.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const files[] = {
    "small.jpg",           "small-progressive.jpg", "small-cmyk.jpg",       "small-bgr.png",  "small-bgra16.png",
    "small-interlaced.png", "small-palette-trns.png", "orientation-8-bgra.png", "small-bgr.tif", "small-bgr16.tif",
    "small-lossy.webp",    "small-lossless-bgra.webp", "small-bgr.bmp",      "small.ppm",      "orientation-6.jpg",
    "photograph.jpg",
};
static const char *const extensions[] = {".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm"};
enum { FILES = sizeof files / sizeof *files, EXTENSIONS = sizeof extensions / sizeof *extensions, WEBP = 2 };

/* fine_or_no_memory returns true if a call has succeeded. If it has not, the reason must be the memory. */
static bool fine_or_no_memory(const char *what, int32_t status) {
    checking(what);
    if (status != SHMCV_OK) CHECK_FAILS(SHMCV_E_NO_SPACE, "", status);
    return status == SHMCV_OK;
}

/* The children do the same work twice: with memory enough, and with memory that fails at random. What succeeds must give
 * the same. The argument is the seed. */

/* Everything, the codecs too. Some of them end the process where a small allocation fails (docs/host-safety.md): here
 * allocations of the size of a file or an image fail. A further argument is another size. */
CHILD(work_with_scarce_memory) {
    if (argc < 2 || !scarce_find()) return 2;
    const uint32_t seed = (uint32_t)number(argv[1]);
    const size_t from = argc > 2 ? (size_t)number(argv[2]) : 8 << 10;
    const int count = seed % 4 == 0 ? FILES : FILES - 1; /* the large one takes long */

    uint32_t sums[FILES];
    char saved[EXTENSIONS][32];
    const char *paths[EXTENSIONS];
    const char *sources[FILES];
    for (int i = 0; i < FILES; i++) sources[i] = testdata(files[i]);
    for (int i = 0; i < EXTENSIONS; i++) {
        snprintf(saved[i], sizeof saved[i], "saved%s", extensions[i]);
        paths[i] = temporary(saved[i]);
    }
    const shmcv_segment seg = new_segment(3840 * 2160 * 4), other = new_segment(3840 * 2160 * 4);
    const char *name = new_name();
    for (int i = 0; i < count; i++) {
        NEED_OK(shmcv_load(seg, sources[i], SHMCV_LOAD_COLOR, NULL));
        sums[i] = image_crc32(seg);
    }

    scarce_begin(seed, seed % 2 == 0 ? 3 : 20, from);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < count; i++) {
            shmcv_image_info info;
            shmcv_segment again;
            fine_or_no_memory("probe", shmcv_probe(sources[i], SHMCV_LOAD_COLOR, &info));
            if (fine_or_no_memory(files[i], shmcv_load(seg, sources[i], SHMCV_LOAD_COLOR, NULL)))
                CHECK_INT(sums[i], image_crc32(seg));
            fine_or_no_memory("flip", shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
            fine_or_no_memory("convert", shmcv_convert(seg, other, SHMCV_ORDER_RGBA));
            fine_or_no_memory("convert", shmcv_convert(seg, other, SHMCV_ORDER_GRAY));
            if (i % 5 == 0) fine_or_no_memory("convert in place", shmcv_convert(seg, seg, SHMCV_ORDER_RGB));
            fine_or_no_memory("save", shmcv_save(seg, paths[(i + round) % EXTENSIONS], SHMCV_QUALITY_DEFAULT));
            if (fine_or_no_memory("create", shmcv_create(name, 100000, &again))) {
                fine_or_no_memory("clear", shmcv_clear(name));
                fine_or_no_memory("close", shmcv_close(again));
            }
        }
    scarce_begin(0, 0, 0);
    shmcv_clear(name);
    printf("%u allocations have failed\n", (unsigned)scarce_failures());
    return failed_checks();
}

/* What is the library's own code: every allocation may fail. */
CHILD(own_work_with_scarce_memory) {
    if (argc != 2 || !scarce_find()) return 2;
    const uint32_t seed = (uint32_t)number(argv[1]);
    static const char *const pngs[] = {"small-bgr.png", "small-bgra16.png", "small-interlaced.png", "small-palette-trns.png",
                                       "small-gray.png"};
    enum { PNGS = sizeof pngs / sizeof *pngs };
    uint32_t sums[PNGS];
    const char *sources[PNGS], *name = new_name(), *stream_name = new_name(), *missing = testdata("missing.png");
    const shmcv_segment seg = new_segment(100000), other = new_segment(100000);
    static unsigned char buffer[100000];
    for (int i = 0; i < PNGS; i++) {
        sources[i] = testdata(pngs[i]);
        NEED_OK(shmcv_load(seg, sources[i], SHMCV_LOAD_BGRA, NULL));
        sums[i] = image_crc32(seg);
    }

    scarce_begin(seed, seed % 2 == 0 ? 3 : 20, 0);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < PNGS; i++) {
            shmcv_image_info info;
            shmcv_segment again;
            shmcv_stream stream;
            shmcv_frame frame;
            fine_or_no_memory("probe", shmcv_probe(sources[i], SHMCV_LOAD_BGRA, &info));
            if (fine_or_no_memory(pngs[i], shmcv_load(seg, sources[i], SHMCV_LOAD_BGRA, &info))) {
                CHECK_INT(sums[i], image_crc32(seg));
                info.order = SHMCV_ORDER_RGB;
                info.channels = 3;
                info.stride = 0;
                fine_or_no_memory("read", shmcv_read(seg, &info, buffer, sizeof buffer, NULL));
            }
            fine_or_no_memory("flip", shmcv_flip(seg, other, SHMCV_FLIP_BOTH));
            fine_or_no_memory("convert", shmcv_convert(seg, other, SHMCV_ORDER_RGBA));
            fine_or_no_memory("convert", shmcv_convert(seg, seg, SHMCV_ORDER_RGB));
            CHECK_INT(SHMCV_E_NOT_FOUND, shmcv_load(seg, missing, SHMCV_LOAD_COLOR, NULL));
            if (fine_or_no_memory("create", shmcv_create(name, 100000, &again))) {
                fine_or_no_memory("clear", shmcv_clear(name));
                fine_or_no_memory("close", shmcv_close(again));
            }
            if (fine_or_no_memory("create a stream", shmcv_stream_create(stream_name, 100000, 0, SHMCV_WHEN_BEHIND_DROP, &stream))) {
                if (fine_or_no_memory("begin", shmcv_stream_begin(stream, 0, &frame))) {
                    fine_or_no_memory("flip", shmcv_flip(seg, frame.pixels, SHMCV_FLIP_BOTH));
                    fine_or_no_memory("close the frame", shmcv_frame_close(frame));
                }
                fine_or_no_memory("clear", shmcv_clear(stream_name));
                fine_or_no_memory("close the stream", shmcv_stream_close(stream));
            }
            CHECK_OK(shmcv_delay(1, NULL));
        }
    scarce_begin(0, 0, 0);
    shmcv_clear(name);
    shmcv_clear(stream_name);
    printf("%u allocations have failed\n", (unsigned)scarce_failures());
    return failed_checks();
}

/* What Go's runtime says when it ends the process for want of memory or threads. No library can prevent that. */
static bool is_gos(const char *line) {
    static const char *const words[] = {"runtime/cgo: out of memory", "runtime/cgo: pthread_create failed",
                                        "runtime: cannot allocate", "runtime: out of memory", "fatal error: out of memory"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(line, words[i]) != NULL) return true;
    return false;
}

/* Runs a child with many seeds. No child may end but by itself, or by Go's runtime. */
static void run_with_scarce_memory(const char *name, int processes) {
    int deaths_by_go = 0;
    if (test_argument() != NULL) processes = atoi(test_argument());
    unsigned failures = 0;
    scarce_prepare();
    for (int n = 1; n <= processes; n++) {
        char seed[16], line[4096], all[1 << 16] = "";
        unsigned failed = 0;
        bool gos = false;
        snprintf(seed, sizeof seed, "%d", n);
        process child = start(name, seed, NULL);
        while (read_line(&child, line, sizeof line)) {
            if (is_gos(line)) gos = true;
            if (sscanf(line, "%u allocations have failed", &failed) == 1) continue;
            if (strlen(all) + strlen(line) + 2 < sizeof all) strcat(strcat(all, line), "\n");
        }
        const int status = finish(&child);
        failures += failed;
        if (gos) deaths_by_go++;
        else if (!CHECK_INT(0, status)) fprintf(stderr, "seed %s:\n%.3000s\n", seed, all);
    }
    CHECK(failures > 0);
    printf("%u allocations have failed, and Go's runtime has ended %d of %d processes\n", failures, deaths_by_go, processes);
}

/* An argument is the number of processes. */
TEST(large_allocations_that_fail_at_random_end_no_process) { run_with_scarce_memory("work_with_scarce_memory", 12); }
TEST(small_allocations_that_fail_at_random_end_no_process) { run_with_scarce_memory("own_work_with_scarce_memory", 12); }
