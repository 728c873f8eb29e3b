/* Streams on Linux: files that others cut, descriptors in a program's own poll or epoll, and the thread that serves them. A
 * section of Windows cannot be cut. Of descriptors, which are events there, test_stream.c tests what all systems have in
 * common. */
#define _GNU_SOURCE
#include "streams.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* From the file's end the trailer goes first. A look at it must tell as much as the file's length. */
TEST(a_stream_whose_file_is_cut_is_an_error) {
    for (int i = 0; i < 4; i++) {
        const char *name = new_name();
        shmcv_stream stream = new_stream(name, 0), spinner;
        shmcv_segment_info about;
        shmcv_frame frame, begun, other;
        void *data;
        NEED_OK(shmcv_stream_open(name, 0, &spinner));
        NEED_OK(shmcv_stream_spin(spinner, 100000000));
        NEED_OK(shmcv_stream_info(stream, &about));
        put(stream, 1);
        NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
        NEED_OK(shmcv_stream_begin(stream, 0, &begun));
        const uint64_t lengths[] = {0, 4096, SIZE, about.file_size - 4096};
        char path[300];
        snprintf(path, sizeof path, "/dev/shm/%s", name);
        NEED(truncate(path, (off_t)lengths[i]) == 0);
        CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_data(frame.pixels, &data, NULL));
        CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_data(begun.pixels, &data, NULL));
        CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_frame_publish(begun, NULL));
        CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_stream_wait(stream, 1, 0, &other, NULL));
        CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_stream_wait(spinner, 1, -1, &other, NULL));
        CHECK_OK(shmcv_frame_close(frame));
        CHECK_OK(shmcv_frame_close(begun));
        CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_stream_begin(stream, 0, &begun));
        CHECK_OK(shmcv_clear(name));
    }
}

static void *cut(void *path) {
    for (volatile int i = rand() % 100000; i > 0; i--) {}
    CHECK(truncate(path, 0) == 0);
    return NULL;
}

#ifdef __aarch64__
static void compare_addresses(int signal, siginfo_t *info, void *context) {
    (void)signal;
    const ucontext_t *interrupted = context;
    _exit(interrupted->uc_mcontext.fault_address != (uintptr_t)info->si_addr);
}
#endif

/* bus_errors_have_their_address returns true if the context of a bus error has the address, which Go reads there. */
static bool bus_errors_have_their_address(void) {
#ifdef __aarch64__
    int status;
    FILE *file = tmpfile();
    NEED(file != NULL && ftruncate(fileno(file), 4096) == 0);
    volatile char *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
    NEED(memory != MAP_FAILED && ftruncate(fileno(file), 0) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const struct sigaction action = {.sa_sigaction = compare_addresses, .sa_flags = SA_SIGINFO};
        sigaction(SIGBUS, &action, NULL);
        _exit(memory[16] != 0);
    }
    NEED(waitpid(child, &status, 0) == child);
    fclose(file);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
#else
    return true;
#endif
}

TEST(a_file_that_is_cut_during_a_call_is_an_error) {
    if (!bus_errors_have_their_address()) skip("QEMU'S EMULATION OF PROCESSES LEAVES OUT THE ADDRESS OF A BUS ERROR, WHICH GO ASKS FOR");
    for (int i = 0; i < 200; i++) {
        const char *name = new_name();
        shmcv_stream stream = new_stream(name, 0);
        const shmcv_image_info image = make_image(WIDTH, HEIGHT, SHMCV_ORDER_GRAY);
        char path[300];
        pthread_t cutter;
        int32_t status = SHMCV_OK;
        snprintf(path, sizeof path, "/dev/shm/%s", name);
        NEED(pthread_create(&cutter, NULL, cut, path) == 0);
        while (status == SHMCV_OK) {
            shmcv_frame frame;
            void *data;
            status = shmcv_stream_begin(stream, 0, &frame);
            if (status != SHMCV_OK) break;
            status = shmcv_image_set(frame.pixels, &image);
            if (status == SHMCV_OK) status = shmcv_data(frame.pixels, &data, NULL);
            if (status == SHMCV_OK) status = shmcv_frame_publish(frame, NULL);
            if (status != SHMCV_OK) CHECK_OK(shmcv_frame_close(frame));
            if (status == SHMCV_OK) status = shmcv_stream_wait(stream, 0, -1, &frame, NULL);
            if (status == SHMCV_OK) status = shmcv_data(frame.pixels, &data, NULL), shmcv_frame_close(frame);
        }
        CHECK_INT(SHMCV_E_TRUNCATED, status);
        NEED(pthread_join(cutter, NULL) == 0);
        CHECK_OK(shmcv_stream_close(stream));
        CHECK_OK(shmcv_clear(name));
    }
}

TEST(descriptor_is_closed_with_its_stream) {
    shmcv_stream stream = new_stream(new_name(), 0);
    struct pollfd polled = {.fd = (int)descriptor_of(stream), .events = POLLIN};
    CHECK_OK(shmcv_stream_close(stream));
    CHECK(poll(&polled, 1, 0) == 1); /* POLLNVAL, or another file's */
}

/* threads counts those of this process, and those of them that would take a signal of the host's. */
static int threads(int *open_to_signals) {
    char path[300], line[256];
    int found = 0;
    *open_to_signals = 0;
    DIR *all = opendir("/proc/self/task");
    NEED(all != NULL);
    for (struct dirent *each = readdir(all); each != NULL; each = readdir(all)) {
        snprintf(path, sizeof path, "/proc/self/task/%s/status", each->d_name);
        FILE *status = each->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (status == NULL) continue;
        unsigned long long blocked;
        found++;
        while (fgets(line, sizeof line, status) != NULL)
            if (sscanf(line, "SigBlk: %llx", &blocked) == 1 && !(blocked >> (SIGUSR1 - 1) & 1)) ++*open_to_signals;
        fclose(status);
    }
    closedir(all);
    return found;
}

TEST(one_epoll_waits_for_many_streams) {
    enum { MANY = 200 }; /* more than a thread can sleep on */
    static shmcv_stream streams[MANY];
    uint64_t seen[MANY] = {0};
    const int all = epoll_create1(0);
    for (uint32_t i = 0; i < MANY; i++) {
        NEED_OK(shmcv_stream_create(new_name(), SIZE / 100, 2, SHMCV_WHEN_BEHIND_DROP, &streams[i]));
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        NEED(epoll_ctl(all, EPOLL_CTL_ADD, (int)descriptor_of(streams[i]), &event) == 0);
        nothing_newer(streams[i], 0);
    }
    struct epoll_event event;
    CHECK_INT(0, epoll_wait(all, &event, 1, 0));
    for (uint32_t i = 0; i < MANY; i += 7) {
        shmcv_frame frame;
        const shmcv_image_info image = make_image(10, 10, SHMCV_ORDER_GRAY);
        NEED_OK(shmcv_stream_begin(streams[i], 0, &frame));
        NEED_OK(shmcv_image_set(frame.pixels, &image));
        NEED_OK(shmcv_frame_publish(frame, NULL));
        NEED(epoll_wait(all, &event, 1, MINUTE) == 1);
        CHECK_INT(i, event.data.u32);
        NEED_OK(shmcv_stream_wait(streams[i], seen[i]++, 0, &frame, NULL));
        CHECK_OK(shmcv_frame_close(frame));
        nothing_newer(streams[i], seen[i]);
    }
    close(all);
}

TEST(thread_that_serves_descriptors_takes_no_signals_and_ends_with_the_last) {
    shmcv_stream stream = new_stream(new_name(), 0);
    int before_open, open;
    for (int i = 0; i < 3; i++) {
        descriptor_of(stream); /* a second one needs no thread */
        shmcv_stream another = new_stream(new_name(), 0);
        const int before = threads(&before_open);
        descriptor_of(another);
        CHECK_INT(before, threads(&open));
        CHECK_OK(shmcv_stream_close(another));
        CHECK_OK(shmcv_stream_close(stream));
        for (int tries = 0; threads(&open) >= before && tries < 10000; tries++) usleep(1000);
        CHECK(threads(&open) < before);
        CHECK_INT(before_open, open);
        stream = new_stream(new_name(), 0);
    }
}

static void *poll_it(void *descriptor) {
    CHECK(poll(&(struct pollfd){.fd = *(int *)descriptor, .events = POLLIN}, 1, MINUTE) == 1);
    return NULL;
}

TEST(close_wakes_who_waits_on_the_descriptor) {
    shmcv_stream stream = new_stream(new_name(), 0);
    int descriptor = (int)descriptor_of(stream);
    nothing_newer(stream, 0);
    pthread_t poller;
    NEED(pthread_create(&poller, NULL, poll_it, &descriptor) == 0);
    CHECK_OK(shmcv_stream_close(stream));
    pthread_join(poller, NULL);
}

TEST(descriptor_without_descriptors_left_is_an_error) {
    shmcv_stream stream = new_stream(new_name(), 0);
    struct rlimit limit, none;
    NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    int64_t number = -1;
    NEED(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_FAILS(SHMCV_E_IO, "descriptor", shmcv_stream_descriptor(stream, &number));
    CHECK_INT(-1, number);
    NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(readable(descriptor_of(stream), 0));
}
