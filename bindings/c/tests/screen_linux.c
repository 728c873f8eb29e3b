/* See screen.h. The display is an X server. */
#define _GNU_SOURCE
#include "screen.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int run(char *const argv[]) {
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

shmcv_segment screenshot(shmcv_image_info *screen) {
    const char *file = temporary("screen.png");
    char *argv[] = {(char *)"import", (char *)"-window", (char *)"root", (char *)file, NULL};
    NEED(run(argv) == 0);
    const shmcv_segment shot = new_segment(4096 * 4096 * 3);
    NEED_OK(shmcv_load(shot, file, SHMCV_LOAD_COLOR, screen));
    return shot;
}

void press_key(const char *window, const char *key) {
    char *argv[] = {(char *)"xdotool", (char *)"search", (char *)"--sync", (char *)"--onlyvisible", (char *)"--name",
                    (char *)window, (char *)"windowfocus", (char *)"--sync", (char *)"key", (char *)key, NULL};
    CHECK_INT(0, run(argv));
}

bool window_has_size(const char *window, int width, int height) {
    char command[300];
    snprintf(command, sizeof command, "xdotool search --onlyvisible --name '^%s$' getwindowgeometry | grep -q 'Geometry: %dx%d'", window,
             width, height);
    char *argv[] = {(char *)"sh", (char *)"-c", command, NULL};
    return run(argv) == 0;
}

void close_by_x(const char *window) {
    char *argv[] = {(char *)SHMCV_CLOSE_WINDOW, (char *)window, NULL};
    NEED(run(argv) == 0);
}
