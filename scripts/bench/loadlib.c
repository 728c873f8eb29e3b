/* Measures what it takes to load the library. `loadlib LIBRARY` loads it and calls it once, so that Go's runtime has
 * started too. It prints the time, how much memory has become resident, and how many libraries were loaded with it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static long resident_kib(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL && sscanf(line, "VmRSS: %ld", &kib) != 1) {}
    if (status != NULL) fclose(status);
    return kib;
}

/* libraries counts the files that have an executable mapping. */
static int libraries(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096], last[4096] = "", permissions[5], path[4096];
    int count = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%*s %4s %*s %*s %*s %4095s", permissions, path) == 2 && permissions[2] == 'x' &&
            path[0] == '/' && strcmp(path, last) != 0) {
            strcpy(last, path); /* The mappings of one file follow each other. */
            count++;
        }
    if (maps != NULL) fclose(maps);
    return count;
}

int main(int argc, char **argv) {
    const long resident = resident_kib();
    const int before = libraries();
    const uint64_t start = now();
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library == NULL) return fprintf(stderr, "usage: loadlib LIBRARY; %s\n", argc == 2 ? dlerror() : ""), 2;
    /* A shmcv_segment is passed as a uint64_t is. */
    int32_t (*close)(uint64_t) = (int32_t(*)(uint64_t))dlsym(library, "shmcv_close");
    close(0); /* No handle is 0: the call enters Go, finds no segment, and returns. */
    const uint64_t end = now();
    printf("ok ns=%" PRIu64 " rss_kib=%ld libraries=%d\n", end - start, resident_kib() - resident,
           libraries() - before);
    return 0;
}
