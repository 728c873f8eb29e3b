/* See test_system.h. */
#define _GNU_SOURCE
#include "test.h"
#include "test_system.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
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
    process c = {fork(), ends[0]};
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
    while (read(c->from, &byte, 1) == 1) {
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

int finish(process *c) {
    const int status = ending(c->pid);
    close(c->from);
    return status;
}

int system_run_test(const char *name) {
    char *argv[] = {(char *)"/proc/self/exe", (char *)name, NULL};
    pid_t pid;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0) give_up(name);
    return ending(pid);
}
