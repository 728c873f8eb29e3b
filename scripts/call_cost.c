/* Measures what a call costs. `call_cost LIBRARY [handler]` prints nanoseconds for a call that stays in C
 * (shmcv_abi_version), and for a call that enters Go and does little there (shmcv_image_get). With `handler`, the
 * program handles SIGRTMIN before it loads the library, as CoreCLR does, so that each call holds signals back. See
 * docs/host-safety.md. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../include/shmcv.h"

static void nothing(int signal) { (void)signal; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    enum { CALLS = 1000000, ROUNDS = 7 };
    if (argc > 2 && strcmp(argv[2], "handler") == 0) signal(SIGRTMIN, nothing);
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library == NULL) return fprintf(stderr, "usage: call_cost LIBRARY [handler]\n"), 2;
    uint32_t (*abi_version)(void) = (uint32_t(*)(void))dlsym(library, "shmcv_abi_version");
    int32_t (*create)(const char *, uint64_t, shmcv_segment *) =
        (int32_t(*)(const char *, uint64_t, shmcv_segment *))dlsym(library, "shmcv_create");
    int32_t (*image_set)(shmcv_segment, const shmcv_image_info *) =
        (int32_t(*)(shmcv_segment, const shmcv_image_info *))dlsym(library, "shmcv_image_set");
    int32_t (*image_get)(shmcv_segment, shmcv_image_info *) =
        (int32_t(*)(shmcv_segment, shmcv_image_info *))dlsym(library, "shmcv_image_get");
    int32_t (*clear_all)(void) = (int32_t(*)(void))dlsym(library, "shmcv_clear_all");

    shmcv_segment segment;
    shmcv_image_info image = {
        .width = 4, .height = 4, .channels = 3, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
    char name[64];
    snprintf(name, sizeof name, "call-cost-%d", (int)getpid());
    if (create(name, 4096, &segment) != SHMCV_OK || image_set(segment, &image) != SHMCV_OK) return 1;

    double in_c = 1e9, in_go = 1e9; /* The best of the rounds: disturbances only add to the time. */
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < CALLS; i++) abi_version();
        double middle = now();
        for (int i = 0; i < CALLS; i++) image_get(segment, &image);
        double end = now();
        if (middle - start < in_c * CALLS) in_c = (middle - start) / CALLS;
        if (end - middle < in_go * CALLS) in_go = (end - middle) / CALLS;
    }
    printf("shmcv_abi_version %.1f ns, shmcv_image_get %.1f ns\n", in_c, in_go);
    return clear_all() == SHMCV_OK ? 0 : 1;
}
