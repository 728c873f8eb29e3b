/* What fork() costs with the library, and what the library costs in a forked child; see docs/host-safety.md.
 *
 *     gcc -O2 -o build/fork_cost scripts/fork_cost.c && build/fork_cost build/libshmcv.so
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN = 50, CALLS = 200000 };

static int32_t (*create)(const char *, uint64_t, uint64_t *);
static int32_t (*clear)(const char *);
static int32_t (*sequence)(uint64_t, uint64_t *);
static int32_t (*close_segment)(uint64_t);

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, CHILDREN, sizeof *values, by_value);
    return values[CHILDREN / 2];
}

/* The memory of this process that no other one shares, in KiB. */
static long own_memory(void) {
    char line[200];
    long sum = 0, kib;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Clean: %ld", &kib) == 1 || sscanf(line, "Private_Dirty: %ld", &kib) == 1) sum += kib;
    if (file) fclose(file);
    return sum;
}

static double call_time(uint64_t segment) {
    uint64_t number;
    const double start = now();
    for (int i = 0; i < CALLS; i++) sequence(segment, &number);
    return (now() - start) / CALLS * 1e3;
}

static double fork_time(void) {
    double times[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        const double start = now();
        const pid_t child = fork();
        if (child == 0) _exit(0);
        times[i] = now() - start;
        waitpid(child, NULL, 0);
    }
    return median(times);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    printf("fork() without the library: %.0f us\n", fork_time());
    void *library = dlopen(argv[1], RTLD_NOW);
    if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
    *(void **)&create = dlsym(library, "shmcv_create");
    *(void **)&clear = dlsym(library, "shmcv_clear");
    *(void **)&sequence = dlsym(library, "shmcv_sequence");
    *(void **)&close_segment = dlsym(library, "shmcv_close");
    uint64_t parents;
    if (create("fork-cost", 64, &parents) != 0) return 1;
    printf("fork() with it: %.0f us\n", fork_time());
    printf("a call in the parent: %.0f ns\n", call_time(parents));
    double first[CHILDREN], calls[CHILDREN], memory[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        int ends[2];
        double results[3];
        if (pipe(ends) != 0) return 1;
        const pid_t child = fork();
        if (child == 0) {
            uint64_t mine;
            const long before = own_memory();
            const double start = now();
            if (create("fork-cost-child", 64, &mine) != 0) _exit(1);
            results[0] = now() - start;
            results[1] = own_memory() - before;
            results[2] = call_time(mine);
            clear("fork-cost-child");
            _exit(write(ends[1], results, sizeof results) != sizeof results);
        }
        close(ends[1]);
        if (read(ends[0], results, sizeof results) != sizeof results) return 1;
        waitpid(child, NULL, 0);
        first[i] = results[0], memory[i] = results[1], calls[i] = results[2];
        close(ends[0]);
    }
    printf("the first call in a child: %.1f ms\n", median(first) / 1e3);
    printf("the child's own memory by that: %.1f MiB\n", median(memory) / 1024);
    printf("a call in a child: %.0f ns\n", median(calls));
    clear("fork-cost");
    close_segment(parents);
    return 0;
}
