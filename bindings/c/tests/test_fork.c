/* The library in a child of fork(): the child keeps nothing of its parent's alive, and works by itself, whatever the
 * parent did before the fork. */
#define _GNU_SOURCE
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 300 }; /* seconds after which a child that hangs ends */

/* in_fork runs body in a forked child, and returns the exit status, or minus the signal that ended the child. The body
 * returns the number of failed checks. */
static int in_fork(int (*body)(void *argument), void *argument) {
    const pid_t pid = fork();
    NEED(pid >= 0);
    if (pid == 0) {
        alarm(PATIENCE);
        _exit(body(argument));
    }
    int status;
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* work_by_name does a bit of everything by names, and returns how many checks failed. */
static int work_by_name(void *unused) {
    (void)unused;
    const int before = failed_checks();
    char name[64];
    snprintf(name, sizeof name, "test-fork-%d", getpid());
    shmcv_segment seg, again;
    shmcv_image_info image;
    CHECK_OK(shmcv_create(name, 1 << 20, &seg));
    CHECK_OK(shmcv_load(seg, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, &image));
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_OK(shmcv_open(name, &again));
    CHECK_OK(shmcv_flip(again, again, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_EXISTS, name, shmcv_create(name, 1, &seg));
    CHECK_OK(shmcv_close(again));
    CHECK_FAILS(SHMCV_E_CLOSED, "handle", shmcv_close(again));
    CHECK_OK(shmcv_clear_all());
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_clear(name));
    CHECK_OK(shmcv_close(seg));
    CHECK_TEXT(SHMCV_VERSION, shmcv_version());
    return failed_checks() - before;
}

TEST(forked_child_works_and_its_parent_goes_on) {
    CHECK_INT(0, work_by_name(NULL));
    for (int i = 0; i < 10; i++) CHECK_INT(0, in_fork(work_by_name, NULL));
    CHECK_INT(0, work_by_name(NULL));
}

/* The child of a parent that has loaded the library, and called nothing. */
TEST(forked_child_works_if_the_parent_has_called_nothing) { CHECK_INT(0, in_fork(work_by_name, NULL)); }

static int work_and_fork(void *depth) {
    int failed = work_by_name(NULL), left = *(int *)depth - 1;
    if (left > 0) failed += in_fork(work_and_fork, &left) != 0;
    return failed;
}

TEST(forked_children_of_forked_children_work) {
    int depth = 4;
    CHECK_INT(0, work_and_fork(&depth));
}

static int fork_at_once(void *unused) {
    (void)unused;
    return in_fork(work_by_name, NULL);
}

TEST(forked_child_of_a_child_that_called_nothing_works) {
    CHECK_INT(0, work_by_name(NULL));
    CHECK_INT(0, in_fork(fork_at_once, NULL));
}

static atomic_bool enough;

static void *work_until_enough(void *number) {
    char name[64];
    snprintf(name, sizeof name, "test-fork-%d-%d", getpid(), *(int *)number);
    const char *file = testdata("small-bgr.png");
    while (!enough) {
        shmcv_segment seg;
        CHECK_OK(shmcv_create(name, 1 << 20, &seg));
        CHECK_OK(shmcv_load(seg, file, SHMCV_LOAD_COLOR, NULL));
        CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
        CHECK_OK(shmcv_segment_clear(seg));
        CHECK_OK(shmcv_close(seg));
    }
    return NULL;
}

TEST(forked_children_work_although_other_threads_of_the_parent_were_in_calls) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        NEED(pthread_create(&threads[i], NULL, work_until_enough, &numbers[i]) == 0);
    }
    for (int i = 0; i < 40; i++) CHECK_INT(0, in_fork(work_by_name, NULL));
    enough = true;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* What a process opens before it forks. */
typedef struct opened {
    shmcv_segment seg;
    shmcv_stream stream;
    shmcv_frame to_fill, to_read;
    shmcv_wait_set set;
    char name[sizeof ((shmcv_segment_info *)0)->name], stream_name[64];
} opened;

static opened open_all(void) {
    opened all = {.seg = counting(4, 4, SHMCV_ORDER_BGR)};
    shmcv_segment_info info;
    NEED_OK(shmcv_info(all.seg, &info));
    snprintf(all.name, sizeof all.name, "%s", info.name);
    snprintf(all.stream_name, sizeof all.stream_name, "%s", new_name());
    NEED_OK(shmcv_stream_create(all.stream_name, 64, 4, SHMCV_WHEN_BEHIND_DROP, &all.stream));
    const shmcv_image_info image = make_image(4, 4, SHMCV_ORDER_BGR);
    NEED_OK(shmcv_stream_begin(all.stream, 0, &all.to_fill));
    NEED_OK(shmcv_image_set(all.to_fill.pixels, &image));
    NEED_OK(shmcv_frame_publish(all.to_fill, NULL));
    NEED_OK(shmcv_stream_wait(all.stream, 0, 0, &all.to_read, NULL));
    NEED_OK(shmcv_stream_begin(all.stream, 0, &all.to_fill));
    NEED_OK(shmcv_image_set(all.to_fill.pixels, &image));
    NEED_OK(shmcv_wait_set_create(&all.set));
    return all;
}

static int refused_everywhere(void *argument) {
    const opened *all = argument;
    const shmcv_segment seg = all->seg;
    shmcv_frame frame;
    shmcv_image_info image = make_image(4, 4, SHMCV_ORDER_BGR);
    shmcv_segment_info info;
    uint64_t size;
    void *data;
    unsigned char buffer[64];
    CHECK_FAILS(SHMCV_E_FORKED, "open the name again", shmcv_close(seg));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_segment_clear(seg));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_data(seg, &data, &size));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_keep(seg));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_info(seg, &info));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_image_get(seg, &image));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_image_set(seg, &image));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_read(seg, &image, buffer, sizeof buffer, NULL));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_write(seg, &image, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_load(seg, testdata("small-bgr.png"), 0, &image));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_save(seg, temporary("forked.png"), -1));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_show("forked", seg));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_sequence(seg, &size));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_wait(seg, 0, -1, &size));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_close(all->stream));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_clear(all->stream));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_info(all->stream, &info));
    shmcv_stream followed;
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_follow(all->stream, 0, &followed));
    int64_t descriptor;
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_descriptor(all->stream, &descriptor));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_begin(all->stream, 0, &frame));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_wait(all->stream, 0, -1, &frame, NULL));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_frame_publish(all->to_fill, NULL));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_frame_close(all->to_fill));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_frame_close(all->to_read));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_image_get(all->to_read.pixels, &image));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_wait_set_add_stream(all->set, all->stream, 0, 1));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_wait_set_add_segment(all->set, seg, 0, 2));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_wait_set_remove(all->set, 1));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_wait_set_wait(all->set, -1, &size, 1, &size));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_wait_set_close(all->set));

    /* A handle of this process's own beside one of the parent's, in either place. */
    const shmcv_segment mine = counting(4, 4, SHMCV_ORDER_BGR);
    CHECK(mine.handle != seg.handle);
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_flip(seg, mine, 0));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_flip(mine, seg, 0));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_convert(seg, mine, SHMCV_ORDER_RGB));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_convert(mine, seg, SHMCV_ORDER_RGB));
    CHECK_OK(shmcv_segment_clear(mine));
    CHECK_OK(shmcv_close(mine));

    /* The names are no secret, and the stream still has its writer. */
    shmcv_segment again;
    shmcv_stream stream;
    CHECK_OK(shmcv_open(all->name, &again));
    CHECK_INT(3, pixels(again, NULL)[3]);
    CHECK_OK(shmcv_stream_open(all->stream_name, 0, &stream));
    CHECK_OK(shmcv_stream_wait(stream, 0, -1, &frame, NULL));
    CHECK_FAILS(SHMCV_E_BUSY, "one writer", shmcv_stream_begin(stream, 0, &frame));
    return failed_checks();
}

TEST(handles_of_the_parent_are_refused_in_a_forked_child_and_stay_the_parents) {
    opened all = open_all();
    const unsigned char *shared = pixels(all.seg, NULL);
    for (int i = 0; i < 2; i++) CHECK_INT(0, in_fork(refused_everywhere, &all));
    CHECK_INT(3, shared[3]);
    CHECK_OK(shmcv_frame_publish(all.to_fill, NULL));
    CHECK_OK(shmcv_frame_close(all.to_read));
    CHECK_OK(shmcv_wait_set_close(all.set));
    CHECK_OK(shmcv_stream_close(all.stream));
    CHECK_OK(shmcv_flip(all.seg, all.seg, SHMCV_FLIP_BOTH));
    CHECK_OK(shmcv_close(all.seg));
}

/* Returns how many mappings of this process are of files with that in their path. */
static int mappings_of(const char *part) {
    int found = 0;
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps) != NULL) found += strstr(line, part) != NULL;
    fclose(maps);
    return found;
}

/* Forked children of Python programs forget the parent's objects sooner or later, and may never call anything else. */
static int close_all(void *argument) {
    const opened *all = argument;
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_frame_close(all->to_fill));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_stream_close(all->stream));
    CHECK_FAILS(SHMCV_E_FORKED, "fork", shmcv_close(all->seg));
    CHECK_INT(0, mappings_of("memfd:libshmcv"));
    return failed_checks();
}

TEST(handles_of_the_parent_are_refused_without_a_copy_of_the_library) {
    opened all = open_all();
    CHECK_INT(0, in_fork(close_all, &all));
}

static int refused_at_every_depth(void *argument) {
    opened mine = open_all();
    int failed = refused_everywhere(argument) + in_fork(refused_everywhere, argument);
    failed += in_fork(refused_everywhere, &mine);
    CHECK_OK(shmcv_clear_all());
    return failed;
}

TEST(handles_of_all_ancestors_are_refused) {
    opened all = open_all();
    CHECK_INT(0, in_fork(refused_at_every_depth, &all));
}

static int write_to_memory(void *argument) {
    unsigned char *memory = argument;
    const bool seen = memory[3] == 3;
    memory[3] = 77;
    return !seen;
}

TEST(memory_of_the_parent_stays_mapped_in_a_forked_child) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    unsigned char *memory = pixels(seg, NULL);
    CHECK_INT(0, in_fork(write_to_memory, memory));
    CHECK_INT(77, memory[3]);
    CHECK_OK(shmcv_close(seg));
}

typedef struct watched {
    const char *name;
    int64_t descriptor;
} watched;

static int watch_in_child(void *argument) {
    const watched *parents = argument;
    shmcv_stream stream;
    shmcv_frame frame;
    int64_t own;
    CHECK(fcntl((int)parents->descriptor, F_GETFD) == -1); /* the child has closed its copy */
    NEED_OK(shmcv_stream_open(parents->name, 0, &stream));
    NEED_OK(shmcv_stream_descriptor(stream, &own));
    CHECK(readable(own, 0));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(stream, 0, 0, &frame, NULL));
    CHECK(!readable(own, 0));
    const shmcv_image_info image = make_image(1, 1, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, NULL));
    CHECK(readable(own, PATIENCE * 1000));
    return failed_checks();
}

TEST(forked_child_has_descriptors_of_its_own) {
    watched parents = {.name = new_name()};
    shmcv_stream stream;
    shmcv_frame frame;
    NEED_OK(shmcv_stream_create(parents.name, 64, 4, SHMCV_WHEN_BEHIND_DROP, &stream));
    NEED_OK(shmcv_stream_descriptor(stream, &parents.descriptor));
    CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(stream, 0, 0, &frame, NULL));
    CHECK(!readable(parents.descriptor, 0));
    CHECK_INT(0, in_fork(watch_in_child, &parents));
    CHECK(readable(parents.descriptor, PATIENCE * 1000)); /* by the child's frame, and not by what the child's descriptor did */
    CHECK_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
}

/* A forked child's threads may all be the first to call. */

enum { CALLERS = 8 };
static pthread_barrier_t all_are_here;

static void *call_with_others(void *unused) {
    (void)unused;
    shmcv_segment seg;
    char name[64];
    snprintf(name, sizeof name, "test-fork-%d-%lx", getpid(), (unsigned long)pthread_self());
    pthread_barrier_wait(&all_are_here);
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_open(name, &seg));
    CHECK_OK(shmcv_create(name, 64, &seg));
    CHECK_OK(shmcv_segment_clear(seg));
    CHECK_OK(shmcv_close(seg));
    return NULL;
}

static int call_by_many_threads(void *unused) {
    (void)unused;
    pthread_t threads[CALLERS];
    NEED(pthread_barrier_init(&all_are_here, NULL, CALLERS) == 0);
    for (int i = 0; i < CALLERS; i++) NEED(pthread_create(&threads[i], NULL, call_with_others, NULL) == 0);
    for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
    return failed_checks();
}

TEST(threads_of_a_forked_child_may_make_its_first_call_together) {
    CHECK_INT(0, work_by_name(NULL));
    for (int i = 0; i < 5; i++) CHECK_INT(0, in_fork(call_by_many_threads, NULL));
}

static void *end_after(void *thread) {
    pthread_join(*(pthread_t *)thread, NULL);
    _exit(0);
}

static void *fork_and_end_as_a_thread(void *unused) {
    (void)unused;
    CHECK_INT(0, work_by_name(NULL));
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(PATIENCE);
        static pthread_t this_thread, other;
        this_thread = pthread_self();
        if (work_by_name(NULL) != 0 || pthread_create(&other, NULL, end_after, &this_thread) != 0) _exit(1);
        pthread_exit(NULL); /* runs what Go has for the thread's end, in both libraries */
    }
    int status;
    NEED(waitpid(pid, &status, 0) == pid);
    CHECK_INT(0, status);
    return NULL;
}

TEST(thread_that_forks_can_end_in_the_child) {
    pthread_t thread;
    NEED(pthread_create(&thread, NULL, fork_and_end_as_a_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

static int end_by_exit(void *seen_by_others) {
    (void)seen_by_others;
    if (work_by_name(NULL) != 0) return 1;
    exit(0); /* runs what OpenCV has for the end, in both libraries */
}

TEST(forked_child_can_call_exit) {
    CHECK_INT(0, work_by_name(NULL));
    const shmcv_segment seg = new_segment((uint64_t)3840 * 2160 * 3);
    CHECK_OK(shmcv_load(seg, testdata("photograph.jpg"), SHMCV_LOAD_COLOR, NULL)); /* on several threads */
    CHECK_INT(0, in_fork(end_by_exit, NULL));
    CHECK_OK(shmcv_close(seg));
}

/* Signals. What happens in the child before its first call, and after. */

static int *volatile nowhere;
static void fault(void) { *nowhere = 1; }
static void terminate(void) { raise(SIGTERM); }
static void send_segv(void) { kill(getpid(), SIGSEGV); }
static void send_bus(void) { raise(SIGBUS); }

static int silence_then(void *what) {
    fclose(stderr);
    (*(void (**)(void))what)();
    return 1;
}

static int work_and_then(void *what) {
    if (work_by_name(NULL) != 0) return 2;
    return silence_then(what);
}

TEST(signals_end_a_forked_child_as_if_the_library_were_not_there) {
    static const struct {
        void (*cause)(void);
        int signal;
    } causes[] = {{fault, SIGSEGV}, {send_segv, SIGSEGV}, {send_bus, SIGBUS}, {terminate, SIGTERM}};
    CHECK_INT(0, work_by_name(NULL));
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        void (*cause)(void) = causes[i].cause;
        CHECK_INT(-causes[i].signal, in_fork(silence_then, &cause));
        CHECK_INT(-causes[i].signal, in_fork(work_and_then, &cause));
    }
}

static volatile sig_atomic_t handled;
static void note(int signal) {
    handled = signal;
    if (signal == SIGSEGV) _exit(42);
}

static int handle(void *works) {
    if (*(bool *)works && work_by_name(NULL) != 0) return 1;
    if (raise(SIGINT) != 0 || handled != SIGINT) return 2;
    /* Go keeps SIGURG if the host handles it. */
    if (!*(bool *)works && (raise(SIGURG) != 0 || handled != SIGURG)) return 3;
    fault();
    return 4;
}

static int handle_at_depth_2(void *works) { return in_fork(handle, works); }

/* The test program is linked with the library, so that these handlers come after it. */
TEST(hosts_handlers_are_called_in_a_forked_child) {
    CHECK_INT(0, work_by_name(NULL));
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGURG, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    for (int works = 0; works < 2; works++) {
        bool yes = works;
        CHECK_INT(42, in_fork(handle, &yes));
        CHECK_INT(42, in_fork(handle_at_depth_2, &yes));
    }
}

/* nohup, and a shell that starts a program in the background, have it ignore signals from its terminal. */
static bool comes_from_the_terminal(int signal) { return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT; }

static int dispositions_are_the_default(void *unused) {
    (void)unused;
    for (int signal = 1; signal <= 64; signal++) {
        struct sigaction now;
        if (sigaction(signal, NULL, &now) != 0 || now.sa_handler == SIG_DFL) continue;
        if (now.sa_handler != SIG_IGN || !comes_from_the_terminal(signal)) return signal;
    }
    return 0;
}

TEST(forked_child_has_the_dispositions_of_before_the_library) {
    CHECK_INT(0, work_by_name(NULL));
    CHECK_INT(0, in_fork(dispositions_are_the_default, NULL));
}

/* A process that gets no memory files: the library finds this function in the program before the C library's. */

static bool no_memory_files;

int memfd_create(const char *name, unsigned flags) {
    (void)name, (void)flags;
    static int (*real)(const char *, unsigned);
    if (no_memory_files) {
        errno = ENOSYS;
        return -1;
    }
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "memfd_create");
    return real(name, flags);
}

static int work_without_memory_files(void *unused) {
    no_memory_files = true;
    setenv("TMPDIR", temporary(""), 1);
    const int failed = work_by_name(unused);
    CHECK_INT(0, mappings_of("memfd:libshmcv"));
    CHECK(mappings_of("/libshmcv-") > 0);
    return failed + failed_checks();
}

TEST(forked_child_works_where_there_are_no_memory_files) {
    CHECK_INT(0, in_fork(work_without_memory_files, NULL));
    CHECK(rmdir(temporary("")) == 0); /* nothing is left in the folder */
}

/* A forked child of the test, which lives until the test kills it, also after the death of its parent. */
static void live_on(void) {
    alarm(PATIENCE);
    for (;;) pause();
}

CHILD(hold_and_fork) {
    (void)argc;
    shmcv_stream stream, read;
    shmcv_frame frame;
    shmcv_segment seg;
    NEED_OK(shmcv_stream_create(argv[1], 64, 2, SHMCV_WHEN_BEHIND_DROP, &stream));
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    const shmcv_image_info image = make_image(8, 8, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, NULL));
    NEED_OK(shmcv_stream_open(argv[1], 0, &read));
    NEED_OK(shmcv_stream_wait(read, 0, 0, &frame, NULL));
    NEED_OK(shmcv_create(argv[2], 64, &seg));
    const pid_t child = fork();
    if (child == 0) live_on();
    printf("%d\n", child);
    fflush(stdout);
    live_on();
    return 0;
}

TEST(killed_process_is_dead_although_its_forked_child_lives) {
    char name[64], segment[64], line[32] = "";
    snprintf(name, sizeof name, "%s", new_name());
    snprintf(segment, sizeof segment, "%s", new_name());
    process holder = start("hold_and_fork", name, segment, NULL);
    NEED(read_line(&holder, line, sizeof line));
    const pid_t child = (pid_t)strtol(line, NULL, 10);
    kill_child(&holder);
    CHECK_INT(KILLED, finish(&holder));

    shmcv_stream stream;
    shmcv_frame frame;
    shmcv_segment seg;
    shmcv_segment_info info;
    NEED_OK(shmcv_stream_open(name, 0, &stream));
    /* Both slots are free, the one that the dead process was reading too. */
    for (int i = 0; i < 2; i++) {
        CHECK_OK(shmcv_stream_begin(stream, 0, &frame));
        const shmcv_image_info image = make_image(8, 8, SHMCV_ORDER_GRAY);
        CHECK_OK(shmcv_image_set(frame.pixels, &image));
        CHECK_OK(shmcv_frame_publish(frame, NULL));
    }
    CHECK_OK(shmcv_stream_info(stream, &info));
    CHECK_INT(0, info.owner_alive);
    CHECK_OK(shmcv_open(segment, &seg));
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(0, info.owner_alive);
    CHECK_INT(0, kill(child, SIGKILL));
}

CHILD(says_its_version) {
    (void)argc, (void)argv;
    shmcv_segment seg = new_segment(16);
    CHECK_OK(shmcv_close(seg));
    printf("%s\n", shmcv_version());
    return failed_checks();
}

TEST(forked_child_that_calls_exec_is_served) {
    process c = start("says_its_version", NULL);
    char version[32] = "";
    CHECK(read_line(&c, version, sizeof version));
    CHECK_TEXT(SHMCV_VERSION, version);
    CHECK_INT(0, finish(&c));
}
