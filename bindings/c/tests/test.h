/* What the test programs share. A test is a function made by TEST; CMakeLists.txt finds them all and has ctest run
 * each in a process of its own. A CHILD is what such a process runs when it starts itself again.
 *
 * There is no framework underneath because those at hand do what this library's callers may not: cmocka takes SIGSEGV
 * away from Go's runtime, and check runs each test in a fork. */
#ifndef SHMCV_TEST_H
#define SHMCV_TEST_H

#include <shmcv.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* Checks. Each says where it stands, what was expected and what was found; the test goes on, and counts as failed. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition))
#define CHECK_INT(expected, found) check_int(__FILE__, __LINE__, #found, (int64_t)(expected), (int64_t)(found))
#define CHECK_TEXT(expected, found) check_text(__FILE__, __LINE__, #found, (expected), (found))
#define CHECK_OK(call) check_status(__FILE__, __LINE__, #call, SHMCV_OK, "", (call))
/* ... the call fails with that code, and its message has that part in it. */
#define CHECK_FAILS(code, part, call) check_status(__FILE__, __LINE__, #call, (code), (part), (call))
/* ... with which there is no going on. */
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

/* checking says what the checks that follow are about; it is printed with those that fail. NULL: nothing in particular. */
void checking(const char *what);

/* skip ends the test as skipped, saying why in capital letters. */
void skip(const char *why);

/* test_argument is what follows the test's name on the command line, or NULL. */
const char *test_argument(void);

/* last_error is this thread's message, until the next call. */
const char *last_error(void);

/* new_name makes a segment name that nobody else uses; the segment is cleared when the test ends. */
const char *new_name(void);

/* new_segment creates one of that size under a new name. */
shmcv_segment new_segment(uint64_t size);

/* pixels of a segment, and its size in bytes where size is not NULL. */
unsigned char *pixels(shmcv_segment seg, uint64_t *size);

/* make_image describes packed 8-bit pixels. */
shmcv_image_info make_image(uint32_t width, uint32_t height, uint32_t order);

/* counting fills a new segment with an 8-bit image whose bytes count up, and gives it. */
shmcv_segment counting(uint32_t width, uint32_t height, uint32_t order);

/* testdata gives the path of a file in testdata/. */
const char *testdata(const char *file);

/* temporary gives the path of a file in a folder of this test's own, which is removed when the test ends. */
const char *temporary(const char *file);

/* write_file and read_file take and give whole files; read_file's result is freed by the caller. */
void write_file(const char *path, const void *data, size_t size);
unsigned char *read_file(const char *path, size_t *size);

/* A child that has been started. Its standard output comes in at `from`. */
typedef struct process {
    pid_t pid;
    int from;
} process;

/* start runs the CHILD of that name in a new process of this program. */
process start(const char *name, ...) __attribute__((sentinel));

/* start_on_tmpfs is start with a new, empty file system of that many bytes over folder, which only the child sees;
 * where the system does not let us, it skips the test. */
process start_on_tmpfs(const char *folder, uint64_t bytes, const char *name, ...) __attribute__((sentinel));

/* line reads the next line that a child has written, without its end; false at the end of its output. */
bool read_line(process *c, char *line, size_t capacity);

/* finish waits for a child's end, and gives its exit status, or minus the signal that killed it. */
int finish(process *c);

/* failed counts the checks that have failed so far; what a CHILD returns. */
int failed_checks(void);

#ifdef __cplusplus
}
#endif

#endif
