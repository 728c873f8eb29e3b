/* Measures what a call costs. `call_cost LIBRARY [handler]` prints nanoseconds for a call that stays in C
 * (shmcv_abi_version), for a call that enters Go and does little there (shmcv_image_get), and for a frame from its begin to its
 * reader's close, which stays in C. With `handler`, the program handles SIGRTMIN before it loads the library, as CoreCLR does,
 * so that each call holds signals back. See docs/host-safety.md. */
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <signal.h>
#endif
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../include/shmcv.h"

#ifdef _WIN32
enum { CALLS = 20000 }; /* each enters Go anew, which takes Wine long */
static void *load(const char *path) { return (void *)LoadLibraryA(path); }
static void *find(void *library, const char *name) { return (void *)GetProcAddress((HMODULE)library, name); }
static void handle_suspension(void) {}
#else
enum { CALLS = 1000000 };
static void *load(const char *path) { return dlopen(path, RTLD_NOW); }
static void *find(void *library, const char *name) { return dlsym(library, name); }
static void nothing(int signal) { (void)signal; }
static void handle_suspension(void) { signal(SIGRTMIN, nothing); }
#endif

/* OF finds a function of the library, and calls it by its own type. */
static void *library;
#define OF(function) ((__typeof__(&(function)))find(library, #function))

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    enum { ROUNDS = 7 };
    if (argc > 2 && strcmp(argv[2], "handler") == 0) handle_suspension();
    library = argc > 1 ? load(argv[1]) : NULL;
    if (library == NULL) return fprintf(stderr, "usage: call_cost LIBRARY [handler]\n"), 2;
    __typeof__(&shmcv_abi_version) abi_version = OF(shmcv_abi_version);
    __typeof__(&shmcv_image_set) image_set = OF(shmcv_image_set);
    __typeof__(&shmcv_image_get) image_get = OF(shmcv_image_get);
    __typeof__(&shmcv_stream_begin) begin = OF(shmcv_stream_begin);
    __typeof__(&shmcv_frame_publish) publish = OF(shmcv_frame_publish);
    __typeof__(&shmcv_stream_wait) wait = OF(shmcv_stream_wait);
    __typeof__(&shmcv_frame_close) close_frame = OF(shmcv_frame_close);

    shmcv_segment segment;
    shmcv_stream stream;
    shmcv_frame frame;
    shmcv_image_info image = {
        .width = 4, .height = 4, .channels = 3, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
    char name[64], stream_name[64];
    snprintf(name, sizeof name, "call-cost-%d", (int)getpid());
    snprintf(stream_name, sizeof stream_name, "call-cost-stream-%d", (int)getpid());
    if (OF(shmcv_create)(name, 4096, &segment) != SHMCV_OK || image_set(segment, &image) != SHMCV_OK) return 1;
    if (OF(shmcv_stream_create)(stream_name, 4096, 0, SHMCV_WHEN_BEHIND_DROP, &stream) != SHMCV_OK) return 1;

    double in_c = 1e9, in_go = 1e9, of_frame = 1e9; /* The best of the rounds: disturbances only add to the time. */
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < CALLS; i++) abi_version();
        double middle = now();
        for (int i = 0; i < CALLS; i++) image_get(segment, &image);
        double end = now();
        uint64_t seen = 0;
        for (int i = 0; i < CALLS; i++) {
            if (begin(stream, 0, &frame) != SHMCV_OK || image_set(frame.pixels, &image) != SHMCV_OK) return 1;
            if (publish(frame, &seen) != SHMCV_OK || wait(stream, seen - 1, 0, &frame, NULL) != SHMCV_OK) return 1;
            if (close_frame(frame) != SHMCV_OK) return 1;
        }
        double last = now();
        if (middle - start < in_c * CALLS) in_c = (middle - start) / CALLS;
        if (end - middle < in_go * CALLS) in_go = (end - middle) / CALLS;
        if (last - end < of_frame * CALLS) of_frame = (last - end) / CALLS;
    }
    printf("shmcv_abi_version %.1f ns, shmcv_image_get %.1f ns, a frame's five calls %.1f ns\n", in_c, in_go, of_frame);
    return OF(shmcv_clear_all)() == SHMCV_OK ? 0 : 1;
}
