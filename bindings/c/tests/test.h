/* The test programs share this. A test is a function that TEST makes; CMakeLists.txt finds all tests, and ctest runs
 * each in a process of its own. A CHILD is a function that such a process runs in a further process of the program.
 *
 * There is no framework underneath, because the known ones do what this library's callers may not: cmocka takes SIGSEGV
 * away from Go's runtime, and check runs each test in a fork. */
#ifndef SHMCV_TEST_H
#define SHMCV_TEST_H

#include <shmcv.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void test_function(void);
typedef int child_function(int argc, char **argv);
void add_test(const char *name, test_function *test);
void add_child(const char *name, child_function *child);

#define TEST(name)                                                                                                      \
    static void name(void);                                                                                             \
    __attribute__((constructor)) static void add_##name(void) { add_test(#name, name); }                                \
    static void name(void)

#define CHILD(name)                                                                                                     \
    static int name(int argc, char **argv);                                                                             \
    __attribute__((constructor)) static void add_##name(void) { add_child(#name, name); }                               \
    static int name(int argc, char **argv)

/* A check that fails prints its place, the expected and the found value. The test continues, and counts as failed. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition))
#define CHECK_INT(expected, found) check_int(__FILE__, __LINE__, #found, (int64_t)(expected), (int64_t)(found))
#define CHECK_TEXT(expected, found) check_text(__FILE__, __LINE__, #found, (expected), (found))
#define CHECK_OK(call) check_status(__FILE__, __LINE__, #call, SHMCV_OK, "", (call))
/* CHECK_FAILS: the call fails with that code, and its message contains part. */
#define CHECK_FAILS(code, part, call) check_status(__FILE__, __LINE__, #call, (code), (part), (call))
/* NEED, NEED_OK: checks that end the test if they fail. */
#define NEED(condition)                                                                                                 \
    do                                                                                                                  \
        if (!CHECK(condition)) stop_test();                                                                             \
    while (0)
#define NEED_OK(call)                                                                                                   \
    do                                                                                                                  \
        if (!CHECK_OK(call)) stop_test();                                                                               \
    while (0)

bool check_true(const char *file, int line, const char *text, bool found);
bool check_int(const char *file, int line, const char *text, int64_t expected, int64_t found);
bool check_text(const char *file, int line, const char *text, const char *expected, const char *found);
bool check_status(const char *file, int line, const char *text, int32_t code, const char *part, int32_t found);
void stop_test(void);

/* checking names the subject of the checks that follow; those that fail print it. NULL: no particular subject. */
void checking(const char *what);

/* files_in returns the number of files in a folder. */
int files_in(const char *path);

/* skip ends the test as skipped, and prints why, which is in capital letters. */
void skip(const char *why);

/* test_argument returns the argument after the test's name on the command line, or NULL. */
const char *test_argument(void);

/* last_error returns this thread's message. The string is valid until this thread calls last_error again. */
const char *last_error(void);

/* new_name makes a unique segment name. The test program removes the segment at its end. */
const char *new_name(void);

/* new_segment creates a segment of that size under a new name. */
shmcv_segment new_segment(uint64_t size);

/* pixels returns the memory of a segment. It stores the segment's size in bytes if size is not NULL. */
unsigned char *pixels(shmcv_segment seg, uint64_t *size);

/* make_image describes packed 8-bit pixels. */
shmcv_image_info make_image(uint32_t width, uint32_t height, uint32_t order);

/* counting returns a new segment with an 8-bit image whose bytes count up. */
shmcv_segment counting(uint32_t width, uint32_t height, uint32_t order);

/* testdata returns the path of a file in testdata/. */
const char *testdata(const char *file);

/* temporary returns the path of a file in a folder of this test's own. The program removes the folder at its end. */
const char *temporary(const char *file);

/* write_file and read_file handle whole files. The caller frees the result of read_file. */
void write_file(const char *path, const void *data, size_t size);
unsigned char *read_file(const char *path, size_t *size);

/* make_folder makes a folder in a folder that is there. */
void make_folder(const char *path);

/* segment_exists returns true if the system has a segment of that plain name. It does not ask the library. */
bool segment_exists(const char *name);

/* write_foreign puts something that this library has not made where a segment of that name would be. On Windows it lasts as
 * long as this process. */
void write_foreign(const char *name, const void *data, size_t size);

/* readable waits for up to so many milliseconds until a stream's descriptor, of shmcv_stream_descriptor, is readable. */
bool readable(int64_t descriptor, int milliseconds);

/* What a process has of the system. */
typedef struct holdings {
    long kibibytes;  /* of memory that it shares with nobody: resident, on Windows committed */
    int mappings;    /* of segments; on Windows all that can be shared */
    int descriptors; /* on Windows handles of files and sections */
    int others;      /* on Windows all other handles */
} holdings;
holdings take_stock(void);

/* may_have_display returns false if no window can be shown, because the environment names no display. */
bool may_have_display(void);

/* refuse_futex_waitv makes that call of Linux fail in this process, as older kernels (ENOSYS) and some containers (EPERM) do. It
 * returns false if it cannot. */
bool refuse_futex_waitv(unsigned with);

/* set_variable sets a variable of the environment that children will have. NULL removes it. */
void set_variable(const char *name, const char *value);

/* A running child. Its parent reads what it prints by read_line. */
typedef struct process {
    int64_t pid;
    intptr_t from;   /* where its output is read from; the system's file knows how */
    intptr_t handle; /* what else the system has for it */
} process;

/* start runs the CHILD of that name in a new process of this program. */
process start(const char *name, ...) __attribute__((sentinel));

/* start_on_tmpfs is start with a new, empty file system of that many bytes over folder, which only the child sees. If
 * the system does not allow that, the child ends with status 77. */
process start_on_tmpfs(const char *folder, uint64_t bytes, const char *name, ...) __attribute__((sentinel));

/* read_line reads the next line of a child's output, without the newline. It returns false at the end of the output. */
bool read_line(process *c, char *line, size_t capacity);

/* kill_child ends a child from outside, at once. */
void kill_child(process *c);

/* finish waits for a child's end. It returns the exit status, or, for a child that has not ended by itself, minus the number
 * that Linux has for the cause: KILLED if kill_child ended it, FAULTED if it used memory that it may not use. */
int finish(process *c);
enum { KILLED = -9, FAULTED = -11 };

/* ready_to_be_killed tells the parent, by a line of output, that this child has come so far, and sleeps until it is killed. */
__attribute__((noreturn)) void ready_to_be_killed(void);

/* let_fault lets a fault that this process is about to make end it in silence, as FAULTED. */
void let_fault(void);

/* failed_checks returns the number of checks that have failed so far. A CHILD returns this number. */
int failed_checks(void);

#ifdef __cplusplus
}
#endif

#endif
