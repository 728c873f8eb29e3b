/* See test_system.h. */
#define _GNU_SOURCE
#include "test.h"
#include "test_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

bool system_random_text(char text[37]) {
    FILE *file = fopen("/proc/sys/kernel/random/uuid", "r");
    const bool fine = file != NULL && fgets(text, 37, file) != NULL;
    if (file != NULL) fclose(file);
    return fine;
}

const char *system_make_folder(void) {
    static char folder[] = "/tmp/shmcv-test-XXXXXX";
    return mkdtemp(folder);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status, (void)type, (void)where;
    chmod(path, 0700);
    return remove(path);
}

void system_remove_folder(const char *folder) { nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS); }

void system_remove_segment(const char *name) {
    char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    unlink(path);
}

void make_folder(const char *path) {
    if (mkdir(path, 0700) != 0) give_up(path);
}

bool segment_exists(const char *name) {
    char path[300];
    struct stat status;
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return stat(path, &status) == 0;
}

void write_foreign(const char *name, const void *data, size_t size) {
    char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    write_file(path, data, size);
}

bool readable(int64_t descriptor, int milliseconds) {
    struct pollfd polled = {.fd = (int)descriptor, .events = POLLIN};
    return poll(&polled, 1, milliseconds) == 1 && polled.revents == POLLIN;
}

void set_variable(const char *name, const char *value) {
    if ((value != NULL ? setenv(name, value, 1) : unsetenv(name)) != 0) give_up("the environment");
}

holdings take_stock(void) {
    holdings stock = {0, 0, 0, 0};
    char line[1024];
    FILE *status = fopen("/proc/self/status", "r"), *maps = fopen("/proc/self/maps", "r");
    NEED(status != NULL && maps != NULL);
    while (fgets(line, sizeof line, status) != NULL) {
        long kibibytes;
        if (sscanf(line, "RssAnon: %ld kB", &kibibytes) == 1) stock.kibibytes = kibibytes;
    }
    while (fgets(line, sizeof line, maps) != NULL) stock.mappings += strstr(line, "/dev/shm/") != NULL;
    fclose(status);
    fclose(maps);
    DIR *folder = opendir("/proc/self/fd");
    NEED(folder != NULL);
    while (readdir(folder) != NULL) stock.descriptors++;
    closedir(folder);
    NEED(stock.kibibytes > 0 && stock.descriptors > 0);
    return stock;
}

bool may_have_display(void) { return getenv("DISPLAY") != NULL; }

bool refuse_futex_waitv(unsigned with) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 449, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | with),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof program / sizeof *program, program};
    /* The filter is for this thread and those that it starts, so it comes before the library's first call. */
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

void system_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

/* Children. */

enum { MOST_ARGUMENTS = 16 };

/* arguments_of fills argv with the arguments that make this program run the CHILD of that name. */
static void arguments_of(char *argv[MOST_ARGUMENTS], const char *name, va_list more) {
    int argc = 0;
    argv[argc++] = (char *)"/proc/self/exe";
    argv[argc++] = (char *)"--child";
    argv[argc++] = (char *)name;
    do {
        if (argc == MOST_ARGUMENTS) abort();
        argv[argc] = va_arg(more, char *);
    } while (argv[argc++] != NULL);
}

static process start_with_pipe(bool mounted, const char *over, const char *options, char *argv[]) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) give_up("pipe2");
    const uid_t user = getuid();
    const gid_t group = getgid();
    process c = {fork(), ends[0], 0};
    if (c.pid < 0) give_up("fork");
    if (c.pid > 0) {
        close(ends[1]);
        return c;
    }
    /* Between fork and exec this code makes system calls alone, as the library's rules demand. */
    dup2(ends[1], STDOUT_FILENO);
    if (mounted) {
        if (unshare(CLONE_NEWNS) != 0) {
            /* Only root may unshare. In a new user namespace this process is root; its user and group stay the same. */
            if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) _exit(SKIPPED);
            char map[64];
            int file = open("/proc/self/setgroups", O_WRONLY);
            if (file < 0 || write(file, "deny", 4) != 4 || close(file) != 0) _exit(SKIPPED);
            snprintf(map, sizeof map, "%u %u 1", user, user);
            file = open("/proc/self/uid_map", O_WRONLY);
            if (file < 0 || write(file, map, strlen(map)) < 0 || close(file) != 0) _exit(SKIPPED);
            snprintf(map, sizeof map, "%u %u 1", group, group);
            file = open("/proc/self/gid_map", O_WRONLY);
            if (file < 0 || write(file, map, strlen(map)) < 0 || close(file) != 0) _exit(SKIPPED);
        }
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) _exit(SKIPPED);
        if (mount("tmpfs", over, "tmpfs", 0, options) != 0) _exit(SKIPPED);
    }
    execv(argv[0], argv);
    _exit(127);
}

process start(const char *name, ...) {
    char *argv[MOST_ARGUMENTS];
    va_list more;
    va_start(more, name);
    arguments_of(argv, name, more);
    va_end(more);
    return start_with_pipe(false, NULL, NULL, argv);
}

process start_on_tmpfs(const char *over, uint64_t bytes, const char *name, ...) {
    char *argv[MOST_ARGUMENTS], options[64];
    va_list more;
    va_start(more, name);
    arguments_of(argv, name, more);
    va_end(more);
    snprintf(options, sizeof options, "size=%" PRIu64 ",mode=1777", bytes);
    return start_with_pipe(true, over, options, argv);
}

bool read_line(process *c, char *line, size_t capacity) {
    size_t length = 0;
    char byte;
    while (read((int)c->from, &byte, 1) == 1) {
        if (byte == '\n') {
            line[length] = '\0';
            return true;
        }
        if (length + 1 < capacity) line[length++] = byte;
    }
    return false;
}

/* ending waits for a process's end, and returns what finish returns. */
static int ending(pid_t pid) {
    int status;
    if (waitpid(pid, &status, 0) != pid) give_up("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void kill_child(process *c) { kill((pid_t)c->pid, SIGKILL); }

int finish(process *c) {
    const int status = ending((pid_t)c->pid);
    close((int)c->from);
    return status;
}

_Static_assert(KILLED == -SIGKILL && FAULTED == -SIGSEGV, "finish returns minus the signal");

void ready_to_be_killed(void) {
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}

void let_fault(void) { signal(SIGSEGV, SIG_DFL); }

int system_run_test(const char *name) {
    char *argv[] = {(char *)"/proc/self/exe", (char *)name, NULL};
    pid_t pid;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0) give_up(name);
    return ending(pid);
}
