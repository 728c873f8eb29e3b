/* See test_system.h. */
#define _CRT_RAND_S
#define _WIN32_WINNT 0x0602
#include "test.h"
#include "test_system.h"
#include "test_windows.h"

#include <windows.h>

#include <winternl.h>

#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

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

void make_folder(const char *path) {
    if (!CreateDirectoryA(path, NULL)) give_up(path);
}

/* The library keeps a small file for each name. The names of tests have no character that the file's name lacks. */
bool segment_exists(const char *name) {
    char path[2 * MAX_PATH];
    const char *data = getenv("LOCALAPPDATA");
    if (data == NULL) give_up("LOCALAPPDATA");
    snprintf(path, sizeof path, "%s\\shmcv\\=%s", data, name);
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

void write_foreign(const char *name, const void *data, size_t size) {
    char section[300];
    snprintf(section, sizeof section, "Local\\%s", name);
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, section); /* stays open */
    void *memory = made != NULL ? MapViewOfFile(made, FILE_MAP_WRITE, 0, 0, size) : NULL;
    if (memory == NULL) give_up(section);
    memcpy(memory, data, size);
    UnmapViewOfFile(memory);
}

/* The descriptor is an event. */
bool readable(int64_t descriptor, int milliseconds) {
    return WaitForSingleObject((HANDLE)(intptr_t)descriptor, (DWORD)milliseconds) == WAIT_OBJECT_0;
}

/* A handle of a file or a section is the library's. How many events, threads and timers there are depends on Go's threads. The
 * system's own counts of handles and of memory are 0 under Wine. */
static void count_handle(HANDLE handle, holdings *stock) {
    typedef LONG(NTAPI * query)(HANDLE object, int what, void *information, ULONG size, ULONG *needed);
    const query about = (query)(void (*)(void))GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtQueryObject");
    enum { ITS_TYPE = 2 };
    union {
        UNICODE_STRING name;
        char room[1024];
    } type;
    ULONG needed;
    if (about(handle, ITS_TYPE, &type, sizeof type, &needed) != 0) return;
    const int length = type.name.Length / (int)sizeof(wchar_t);
    if ((length == 4 && wcsncmp(type.name.Buffer, L"File", 4) == 0) || (length == 7 && wcsncmp(type.name.Buffer, L"Section", 7) == 0))
        stock->descriptors++;
    else
        stock->others++;
}

holdings take_stock(void) {
    holdings stock = {0, 0, 0, 0};
    MEMORY_BASIC_INFORMATION region;
    for (char *at = NULL; VirtualQuery(at, &region, sizeof region) != 0; at = (char *)region.BaseAddress + region.RegionSize) {
        if (region.Type == MEM_PRIVATE && region.State == MEM_COMMIT) stock.kibibytes += (long)(region.RegionSize >> 10);
        stock.mappings += region.Type == MEM_MAPPED && region.BaseAddress == region.AllocationBase;
    }
    for (uintptr_t handle = 4; handle < 1 << 16; handle += 4) count_handle((HANDLE)handle, &stock);
    NEED(stock.kibibytes > 0 && stock.others > 0);
    return stock;
}

bool may_have_display(void) { return true; }

bool refuse_futex_waitv(unsigned with) { return (void)with, false; }

void set_variable(const char *name, const char *value) {
    if (_putenv_s(name, value != NULL ? value : "") != 0) give_up("the environment");
}

/* Children. */

/* What kill_child gives as the exit status of the child that it ends. */
enum { KILLED_STATUS = 0x6b696c6c };

/* job returns what has the children of this process end with it: the system ends them when it closes this process's handle. */
static HANDLE job(void) {
    static HANDLE children;
    if (children != NULL) return children;
    children = CreateJobObjectA(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    if (!SetInformationJobObject(children, JobObjectExtendedLimitInformation, &limits, sizeof limits)) give_up("a job");
    return children;
}

void system_end_with_parent(void) {} /* see job */

static void append(char *line, size_t room, const char *argument) {
    const size_t length = strlen(line);
    if (strchr(argument, '"') != NULL || (*argument != '\0' && argument[strlen(argument) - 1] == '\\')) give_up(argument);
    if (snprintf(line + length, room - length, " \"%s\"", argument) >= (int)(room - length)) give_up(argument);
}

static HANDLE inheritable(HANDLE handle) {
    HANDLE copy = NULL;
    DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, TRUE, DUPLICATE_SAME_ACCESS);
    return copy;
}

/* start_line starts a program with those arguments. Its output goes to `output`, or to this process's own. */
static PROCESS_INFORMATION start_line(const char *program, const char *arguments, HANDLE output, DWORD flags) {
    char line[4096];
    PROCESS_INFORMATION started;
    if (snprintf(line, sizeof line, "\"%s\"%s", program, arguments) >= (int)sizeof line) give_up(arguments);
    fflush(NULL);
    HANDLE out = inheritable(output != NULL ? output : GetStdHandle(STD_OUTPUT_HANDLE)), errors = inheritable(GetStdHandle(STD_ERROR_HANDLE));
    STARTUPINFOA how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES, .hStdOutput = out, .hStdError = errors};
    if (!CreateProcessA(program, line, NULL, NULL, TRUE, CREATE_SUSPENDED | flags, NULL, NULL, &how, &started)) give_up(program);
    if (!AssignProcessToJobObject(job(), started.hProcess)) give_up("a job");
    ResumeThread(started.hThread);
    CloseHandle(started.hThread);
    if (out != NULL) CloseHandle(out);
    if (errors != NULL) CloseHandle(errors);
    return started;
}

static const char *this_program(void) {
    static char program[MAX_PATH];
    if (GetModuleFileNameA(NULL, program, sizeof program) == 0) give_up("this program's path");
    return program;
}

static process start_with_pipe(const char *program, const char *arguments, DWORD flags) {
    HANDLE from, to;
    if (!CreatePipe(&from, &to, NULL, 1 << 16)) give_up("a pipe");
    const PROCESS_INFORMATION started = start_line(program, arguments, to, flags);
    CloseHandle(to);
    FILE *output = _fdopen(_open_osfhandle((intptr_t)from, _O_RDONLY | _O_TEXT), "rt"); /* has the handle from now on */
    if (output == NULL) give_up("a pipe");
    return (process){started.dwProcessId, (intptr_t)output, (intptr_t)started.hProcess};
}

process start(const char *name, ...) {
    char arguments[3000] = " --child";
    va_list more;
    va_start(more, name);
    for (const char *argument = name; argument != NULL; argument = va_arg(more, const char *)) append(arguments, sizeof arguments, argument);
    va_end(more);
    return start_with_pipe(this_program(), arguments, 0);
}

process start_with_console(const char *program, const char *first, const char *second) {
    char arguments[3000] = "";
    if (first != NULL) append(arguments, sizeof arguments, first);
    if (second != NULL) append(arguments, sizeof arguments, second);
    return start_with_pipe(program != NULL ? program : this_program(), arguments, CREATE_NO_WINDOW);
}

/* Whoever has a console is told of Ctrl-C, this process too. That it ignores Ctrl-C, children would inherit; a handler they do
 * not. */
static BOOL WINAPI not_told(DWORD kind) { return kind == CTRL_C_EVENT; }

bool press_ctrl_c(const process *c) {
    static bool installed;
    if (!installed) installed = SetConsoleCtrlHandler(not_told, TRUE);
    FreeConsole();
    if (!AttachConsole((DWORD)c->pid)) return false;
    const bool pressed = GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
    FreeConsole();
    return pressed;
}

process start_on_tmpfs(const char *folder, uint64_t bytes, const char *name, ...) {
    (void)folder, (void)bytes, (void)name;
    skip("A FOLDER OF A LIMITED SIZE IS LINUX'S");
    return (process){0, 0, 0};
}

bool read_line(process *c, char *line, size_t capacity) {
    size_t length = 0;
    for (int byte; (byte = getc((FILE *)c->from)) != EOF;) {
        if (byte == '\n') {
            line[length] = '\0';
            return true;
        }
        if (length + 1 < capacity) line[length++] = (char)byte;
    }
    return false;
}

void kill_child(process *c) { TerminateProcess((HANDLE)c->handle, KILLED_STATUS); }

/* ending waits for a process's end, and returns what finish returns. A status of the system's for another end stays what it
 * is, below 0. */
static int ending(HANDLE handle, DWORD milliseconds) {
    DWORD status;
    if (WaitForSingleObject(handle, milliseconds) != WAIT_OBJECT_0) {
        fprintf(stderr, "the process does not end\n");
        TerminateProcess(handle, KILLED_STATUS);
        WaitForSingleObject(handle, INFINITE);
    }
    if (!GetExitCodeProcess(handle, &status)) give_up("an exit status");
    CloseHandle(handle);
    return status == KILLED_STATUS ? KILLED : status == EXCEPTION_ACCESS_VIOLATION ? FAULTED : (int)status;
}

int finish(process *c) {
    const int status = ending((HANDLE)c->handle, INFINITE);
    fclose((FILE *)c->from);
    return status;
}

/* There is no ctest here that ends a test which takes too long. */
enum { LONGEST_TEST = 30 * 60 * 1000 };

int system_run_test(const char *name) {
    char arguments[300] = "";
    append(arguments, sizeof arguments, name);
    return ending(start_line(this_program(), arguments, NULL, 0).hProcess, LONGEST_TEST);
}

void ready_to_be_killed(void) {
    puts("ready");
    fflush(stdout);
    for (;;) Sleep(INFINITE);
}

void let_fault(void) { SetErrorMode(GetErrorMode() | SEM_NOGPFAULTERRORBOX); }
