/* See test_system.h. No test that starts children runs on Windows yet. */
#define _CRT_RAND_S
#include "test.h"
#include "test_system.h"

#include <windows.h>

#include <process.h>
#include <stdio.h>
#include <stdlib.h>

bool system_random_text(char text[37]) {
    unsigned random[4];
    for (int i = 0; i < 4; i++) {
        if (rand_s(&random[i]) != 0) return false;
    }
    return snprintf(text, 37, "%08x-%08x-%08x-%08x", random[0], random[1], random[2], random[3]) > 0;
}

const char *system_make_folder(void) {
    static char folder[MAX_PATH];
    char text[37], in[MAX_PATH / 2];
    const DWORD length = GetTempPathA(sizeof in, in);
    if (length == 0 || length >= sizeof in || !system_random_text(text)) return NULL;
    snprintf(folder, sizeof folder, "%sshmcv-test-%s", in, text);
    return CreateDirectoryA(folder, NULL) ? folder : NULL;
}

void system_remove_folder(const char *folder) {
    char path[2 * MAX_PATH];
    WIN32_FIND_DATAA found;
    snprintf(path, sizeof path, "%s\\*", folder);
    HANDLE files = FindFirstFileA(path, &found);
    for (BOOL more = files != INVALID_HANDLE_VALUE; more; more = FindNextFileA(files, &found)) {
        snprintf(path, sizeof path, "%s\\%s", folder, found.cFileName);
        DeleteFileA(path);
    }
    FindClose(files);
    RemoveDirectoryA(folder);
}

void system_remove_segment(const char *name) { (void)shmcv_clear(name); }

void system_end_with_parent(void) {}

int system_run_test(const char *name) {
    char program[MAX_PATH];
    GetModuleFileNameA(NULL, program, sizeof program);
    return (int)_spawnl(_P_WAIT, program, "test", name, NULL);
}

process start(const char *name, ...) {
    (void)name;
    skip("THERE ARE NO CHILDREN OF C TESTS ON WINDOWS YET");
    return (process){0, 0};
}

process start_on_tmpfs(const char *folder, uint64_t bytes, const char *name, ...) {
    (void)folder, (void)bytes, (void)name;
    skip("A FOLDER OF A LIMITED SIZE IS LINUX'S");
    return (process){0, 0};
}

bool read_line(process *c, char *line, size_t capacity) { return (void)c, (void)line, (void)capacity, false; }

int finish(process *c) { return (void)c, 0; }
