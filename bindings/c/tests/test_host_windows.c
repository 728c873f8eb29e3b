/* The library as a guest on Windows: what it must leave to the program that loads it. This program loads the library with its
 * first call to it, not before. docs/host-safety.md tells why. */
#include "test.h"
#include "test_windows.h"

#include <windows.h>

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void load(void) {
    CHECK(GetModuleHandleA("libshmcv.dll") == NULL);
    CHECK_INT(SHMCV_ABI_MAJOR, shmcv_abi_version() >> 16);
}

/* work makes calls that enter Go, of which the first waits until Go has started, and one that fails. */
static void work(void) {
    shmcv_segment seg = counting(16, 16, SHMCV_ORDER_BGR), none;
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "nowhere", shmcv_open("nowhere", &none));
    CHECK_OK(shmcv_close(seg));
}

/* Error modes, Windows Error Reporting, and the filter of unhandled exceptions. */

CHILD(keeps_error_modes) {
    const UINT mode = argc > 1 ? (UINT)atoi(argv[1]) : 0;
    const DWORD of_thread = mode == 0 ? SEM_NOOPENFILEERRORBOX : 0;
    SetErrorMode(mode);
    NEED(GetErrorMode() == mode);
    NEED(SetThreadErrorMode(of_thread, NULL));
    load();
    work();
    CHECK_INT(mode, GetErrorMode());
    CHECK_INT(of_thread, GetThreadErrorMode());
    return failed_checks();
}

TEST(error_modes_are_the_hosts) {
    const UINT modes[] = {0, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SEM_NOOPENFILEERRORBOX | SEM_FAILCRITICALERRORS};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char mode[16];
        snprintf(mode, sizeof mode, "%u", modes[i]);
        checking(mode);
        process c = start("keeps_error_modes", mode, NULL);
        CHECK_INT(0, finish(&c));
    }
}

TEST(flags_of_error_reporting_are_the_hosts) {
    typedef HRESULT(WINAPI *get_flags)(HANDLE, DWORD *);
    typedef HRESULT(WINAPI *set_flags)(DWORD);
    HMODULE kernel = GetModuleHandleA("kernel32.dll");
    const get_flags get = (get_flags)(void (*)(void))GetProcAddress(kernel, "WerGetFlags");
    const set_flags set = (set_flags)(void (*)(void))GetProcAddress(kernel, "WerSetFlags");
    enum { QUEUE = 2, ALWAYS_SHOW_UI = 16 };
    DWORD flags = 0;
    if (get == NULL || set == NULL || set(QUEUE | ALWAYS_SHOW_UI) != S_OK || get(GetCurrentProcess(), &flags) != S_OK ||
        flags != (QUEUE | ALWAYS_SHOW_UI))
        skip("THIS SYSTEM KEEPS NO FLAGS OF WINDOWS ERROR REPORTING");
    load();
    work();
    CHECK(get(GetCurrentProcess(), &flags) == S_OK);
    CHECK_INT(QUEUE | ALWAYS_SHOW_UI, flags);
}

enum { FILTERED = 42 };

static LONG WINAPI filter(EXCEPTION_POINTERS *exception) {
    (void)exception;
    TerminateProcess(GetCurrentProcess(), FILTERED);
    return EXCEPTION_CONTINUE_SEARCH;
}

TEST(filter_of_unhandled_exceptions_is_the_hosts) {
    SetUnhandledExceptionFilter(filter);
    load();
    work();
    CHECK(SetUnhandledExceptionFilter(filter) == filter);
}

/* Faults. */

static int *volatile nowhere; /* NULL, which the compiler does not know */
static volatile int ten = 10, zero;

static void read_nowhere(void) { (void)*(volatile int *)nowhere; }
static void write_nowhere(void) { *(volatile int *)nowhere = 1; }
static void divide_by_zero(void) { ten = ten / zero; }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static int overflow_from(int depth) {
    volatile char room[4096];
    room[depth % 4096] = (char)depth;
    return overflow_from(depth + 1) + room[0];
}
#pragma GCC diagnostic pop
static void overflow(void) { (void)overflow_from(0); }

CHILD(faults) {
    if (strcmp(argv[2], "filter") == 0) SetUnhandledExceptionFilter(filter);
    SetStdHandle(STD_ERROR_HANDLE, GetStdHandle(STD_OUTPUT_HANDLE));
    load();
    work();
    let_fault();
    if (argc < 3) return 2;
    if (strcmp(argv[1], "read") == 0) read_nowhere();
    if (strcmp(argv[1], "divide") == 0) divide_by_zero();
    if (strcmp(argv[1], "overflow") == 0) overflow();
    return 2;
}

/* Go prints nothing, and the exit status is that of the host's own fault, or what its filter makes of it. */
TEST(unhandled_fault_of_the_host_ends_it_as_without_the_library) {
    const struct {
        const char *fault;
        int status;
    } faults[] = {{"read", FAULTED}, {"divide", (int)EXCEPTION_INT_DIVIDE_BY_ZERO}, {"overflow", (int)EXCEPTION_STACK_OVERFLOW}};
    for (size_t i = 0; i < 2 * sizeof faults / sizeof *faults; i++) {
        const bool filtered = i % 2 == 1;
        char line[1000];
        checking(faults[i / 2].fault);
        process c = start("faults", faults[i / 2].fault, filtered ? "filter" : "none", NULL);
        while (read_line(&c, line, sizeof line)) CHECK_TEXT("", line);
        CHECK_INT(filtered ? FILTERED : faults[i / 2].status, finish(&c));
    }
}

/* What a thread of the host's does with its own faults: its vectored handler goes on where the thread wants. */
typedef struct recovery {
    CONTEXT back;
    volatile DWORD code;
    volatile bool expected;
} recovery;

static DWORD slot;

static LONG CALLBACK recover(EXCEPTION_POINTERS *exception) {
    recovery *mine = TlsGetValue(slot);
    if (mine == NULL || !mine->expected) return EXCEPTION_CONTINUE_SEARCH;
    mine->expected = false;
    mine->code = exception->ExceptionRecord->ExceptionCode;
    *exception->ContextRecord = mine->back;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* fault_of returns the code of the exception that a function makes. */
__attribute__((noinline)) static DWORD fault_of(void (*make)(void)) {
    recovery mine;
    memset(&mine, 0, sizeof mine);
    NEED(TlsSetValue(slot, &mine));
    mine.expected = true;
    RtlCaptureContext(&mine.back); /* and here it goes on after the fault */
    if (mine.expected) make();
    TlsSetValue(slot, NULL);
    return mine.code;
}

static void install(bool first) {
    slot = TlsAlloc();
    NEED(AddVectoredExceptionHandler(first, recover) != NULL);
}

static void check_faults(void) {
    CHECK_INT(EXCEPTION_ACCESS_VIOLATION, fault_of(read_nowhere));
    CHECK_INT(EXCEPTION_ACCESS_VIOLATION, fault_of(write_nowhere));
    CHECK_INT(EXCEPTION_INT_DIVIDE_BY_ZERO, fault_of(divide_by_zero));
}

static void check_overflow(void) {
    CHECK_INT(EXCEPTION_STACK_OVERFLOW, fault_of(overflow));
    NEED(_resetstkoflw());
}

/* caught_by_frame makes a fault that a handler of its own frame takes, as with Microsoft's __try and __except, which GCC does not
 * have. */
static LONG CALLBACK take(EXCEPTION_POINTERS *exception, void *frame) {
    (void)exception, (void)frame;
    return EXCEPTION_EXECUTE_HANDLER;
}

__attribute__((noinline)) static bool caught_by_frame(void) {
    volatile bool caught = true;
    __asm__ volatile("try_begins:\n"
                     "\t.seh_handler __C_specific_handler, @except\n"
                     "\t.seh_handlerdata\n"
                     "\t.long 1\n"
                     "\t.rva try_begins, try_ends, take, try_ends\n"
                     "\t.text\n" ::"r"(take));
    *(volatile int *)nowhere = 1;
    caught = false;
    __asm__ volatile("\tnop\n"
                     "try_ends:\n"
                     "\tnop\n" ::: "memory");
    return caught;
}

static volatile bool over;
static unsigned char *of_readers; /* pixels that only the writer of a stream may write to */
static void write_to_a_frame(void) { *(volatile unsigned char *)of_readers = 1; }

enum { FAULTS = 500 };

static void *fault_often(void *unused) {
    for (int i = 0; i < FAULTS && failed_checks() == 0; i++) {
        check_faults();
        CHECK_INT(EXCEPTION_ACCESS_VIOLATION, fault_of(write_to_a_frame));
        CHECK(caught_by_frame());
        if (i % 50 == 0) check_overflow();
    }
    return unused;
}

static void *call_often(void *unused) {
    const char *name = new_name();
    shmcv_segment seg = counting(64, 64, SHMCV_ORDER_BGR), none;
    shmcv_stream stream;
    shmcv_image_info image;
    NEED_OK(shmcv_stream_create(name, 64 * 64 * 3, 4, SHMCV_WHEN_BEHIND_DROP, &stream));
    NEED_OK(shmcv_image_get(seg, &image));
    while (!over && failed_checks() == 0) {
        shmcv_frame frame;
        CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
        CHECK_FAILS(SHMCV_E_NOT_FOUND, "nowhere", shmcv_open("nowhere", &none));
        CHECK_FAILS(SHMCV_E_TRUNCATED, "points nowhere", shmcv_image_set(seg, (const shmcv_image_info *)(uintptr_t)0x1000));
        NEED_OK(shmcv_stream_begin(stream, 0, &frame));
        NEED_OK(shmcv_image_set(frame.pixels, &image));
        NEED_OK(shmcv_frame_publish(frame, NULL));
        NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
        CHECK_OK(shmcv_frame_close(frame));
    }
    CHECK_OK(shmcv_stream_close(stream));
    return unused;
}

static void check_faults_beside_calls(void) {
    enum { OF_EACH = 3 };
    pthread_t faulting[OF_EACH], calling[OF_EACH];
    shmcv_stream stream;
    shmcv_frame frame;
    NEED_OK(shmcv_stream_create(new_name(), 64, 2, SHMCV_WHEN_BEHIND_DROP, &stream));
    const shmcv_image_info image = make_image(8, 8, SHMCV_ORDER_GRAY);
    NEED_OK(shmcv_stream_begin(stream, 0, &frame));
    NEED_OK(shmcv_image_set(frame.pixels, &image));
    NEED_OK(shmcv_frame_publish(frame, NULL));
    NEED_OK(shmcv_stream_wait(stream, 0, 0, &frame, NULL));
    of_readers = pixels(frame.pixels, NULL);
    for (int i = 0; i < OF_EACH; i++) {
        NEED(pthread_create(&calling[i], NULL, call_often, NULL) == 0);
        NEED(pthread_create(&faulting[i], NULL, fault_often, NULL) == 0);
    }
    for (int i = 0; i < OF_EACH; i++) pthread_join(faulting[i], NULL);
    over = true;
    for (int i = 0; i < OF_EACH; i++) pthread_join(calling[i], NULL);
    CHECK_INT(0, of_readers[0]);
}

TEST(faults_of_the_hosts_threads_are_its_own) {
    install(false); /* Go's handler comes before it */
    check_faults();
    load();
    check_faults(); /* while Go starts */
    work();
    check_faults();
    check_overflow();
    check_faults_beside_calls();
    check_faults();
}

TEST(faults_are_the_hosts_with_a_handler_before_gos) {
    load();
    work();
    install(true);
    check_faults();
    check_overflow();
    check_faults_beside_calls();
}

TEST(pointer_that_points_nowhere_is_an_error) {
    const shmcv_segment seg = counting(4, 4, SHMCV_ORDER_BGR);
    for (int i = 0; i < 3; i++)
        CHECK_FAILS(SHMCV_E_TRUNCATED, "points nowhere", shmcv_image_set(seg, (const shmcv_image_info *)(uintptr_t)(0x1000 + 0x1000 * i)));
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
}

/* Ctrl-C. */

static HANDLE pressed;

static BOOL WINAPI on_ctrl_c(DWORD kind) {
    if (kind == CTRL_C_EVENT) SetEvent(pressed);
    return TRUE;
}

static int wait_for_ctrl_c(void) {
    puts("ready");
    fflush(stdout);
    CHECK(WaitForSingleObject(pressed, INFINITE) == WAIT_OBJECT_0);
    work();
    return failed_checks();
}

CHILD(handles_ctrl_c_before) {
    (void)argc, (void)argv;
    pressed = CreateEventA(NULL, FALSE, FALSE, NULL);
    NEED(SetConsoleCtrlHandler(on_ctrl_c, TRUE));
    load();
    work();
    return wait_for_ctrl_c();
}

CHILD(handles_ctrl_c_after) {
    (void)argc, (void)argv;
    pressed = CreateEventA(NULL, FALSE, FALSE, NULL);
    load();
    work();
    NEED(SetConsoleCtrlHandler(on_ctrl_c, TRUE));
    return wait_for_ctrl_c();
}

CHILD(does_not_handle_ctrl_c) {
    (void)argc, (void)argv;
    load();
    work();
    ready_to_be_killed();
}

static int status_after_ctrl_c(const char *child) {
    char line[100];
    process c = start_with_console(NULL, "--child", child);
    NEED(read_line(&c, line, sizeof line));
    NEED(press_ctrl_c(&c));
    return finish(&c);
}

TEST(ctrl_c_is_the_hosts) {
    CHECK_INT(0, status_after_ctrl_c("handles_ctrl_c_before"));
    CHECK_INT(0, status_after_ctrl_c("handles_ctrl_c_after"));
    CHECK_INT((int)STATUS_CONTROL_C_EXIT, status_after_ctrl_c("does_not_handle_ctrl_c"));
}

/* Unloading. */

TEST(library_that_is_freed_stays) {
    load();
    const shmcv_segment seg = counting(16, 16, SHMCV_ORDER_BGR);
    for (int i = 0; i < 10; i++) {
        HMODULE library = GetModuleHandleA("libshmcv.dll");
        NEED(library != NULL);
        FreeLibrary(library);
        CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    }
    work();
}
