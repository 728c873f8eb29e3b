/* How the library works in a child of fork(). Go's runtime does not: its threads are not there, and nothing can
 * start it again. So a forked child's first call opens the library a second time, with a runtime that starts in this
 * process, and every call goes on to that copy. docs/host-safety.md tells what that costs and where it ends.
 *
 * The system's loader does not open a file twice, and knows a file by its device and number. So the copy is of an
 * unnamed file, which has the library's bytes. Afterwards all of it that is only read is mapped from the library's
 * own file, as it is for the parent and its other children, and the unnamed file gives that memory back. */
#define _GNU_SOURCE
#include "native.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

bool shmcv_forked;
uint32_t shmcv_forks;
intptr_t shmcv_copy_distance;

/* A handle has 8 bits for shmcv_forks. */
enum { MOST_FORKS = 255 };

/* The first bytes of the library's file, as the loader has mapped them. They are never written to. */
extern const ElfW(Ehdr) file_start __asm__("__ehdr_start") __attribute__((visibility("hidden")));

static const char *bytes_of_file(void) { return (const char *)&file_start; }

static char *own_file; /* its path, without symbolic links and from the root on */

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

/* The child has one thread, which may have been anywhere in the host's code. */
static void begin_in_child(void) {
    shmcv_forked = true;
    shmcv_forks++;
    shmcv_copy_distance = 0;
    opening = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    shmcv_give_back_signals();
}

__attribute__((constructor)) static void start(void) {
    Dl_info found;
    if (dladdr(&file_start, &found) != 0) own_file = realpath(found.dli_fname, NULL);
    pthread_atfork(NULL, NULL, begin_in_child);
}

/* refuse sets the message for a call in a child that has no copy. */
static int32_t refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int32_t refuse(const char *format, ...) {
    char reason[SHMCV_MESSAGE_SIZE / 2], message[SHMCV_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    static const char whole[] =
        "shmcv: this process was forked from one that had loaded the library, and needs a copy of it: %s; start the "
        "process by exec instead (Python: multiprocessing's \"spawn\" or \"forkserver\" method)";
    int length = snprintf(message, sizeof message, whole, reason);
    shmcv_set_error(message, (size_t)length);
    return SHMCV_E_FORKED;
}

static const ElfW(Phdr) *segment(size_t i) { return (const ElfW(Phdr) *)(bytes_of_file() + file_start.e_phoff) + i; }

/* telling_bytes gives how many bytes at the beginning of the file tell the file from every other build of the
 * library: the headers, and the notes with the linker's checksum of the whole file. It gives 0 if there is no
 * checksum. */
static size_t telling_bytes(void) {
    for (size_t i = 0; i < file_start.e_phnum; i++) {
        if (segment(i)->p_type != PT_NOTE) continue;
        for (size_t at = segment(i)->p_offset, end = at + segment(i)->p_filesz; at + sizeof(ElfW(Nhdr)) < end;) {
            const ElfW(Nhdr) *note = (const void *)(bytes_of_file() + at);
            const char *name = (const char *)(note + 1);
            const bool gnus = note->n_namesz == sizeof "GNU" && memcmp(name, "GNU", sizeof "GNU") == 0;
            if (gnus && note->n_type == NT_GNU_BUILD_ID) return end;
            at += sizeof *note + ((note->n_namesz + 3) & ~(size_t)3) + ((note->n_descsz + 3) & ~(size_t)3);
        }
    }
    return 0;
}

/* is_this_library returns true if the file has the bytes of the library that is running. */
static bool is_this_library(int file) {
    const size_t wanted = telling_bytes();
    char found[4096];
    return wanted != 0 && wanted <= sizeof found && pread(file, found, wanted, 0) == (ssize_t)wanted &&
           memcmp(found, bytes_of_file(), wanted) == 0;
}

/* A file for the copy, and the path by which the loader opens it. */
typedef struct copys_file {
    int file;
    bool named; /* the path is a name of the file's own, which is to be removed */
    char path[256];
} copys_file;

enum { MFD_MAY_EXECUTE = 0x10 }; /* MFD_EXEC, which Linux has since 6.3 */

static bool make_in_memory(copys_file *made) {
    made->named = false;
    made->file = memfd_create("libshmcv.so", MFD_CLOEXEC | MFD_MAY_EXECUTE);
    if (made->file < 0 && errno == EINVAL) made->file = memfd_create("libshmcv.so", MFD_CLOEXEC);
    if (made->file < 0) return false;
    /* A path that the loader has opened before stands for the same library, and a parent's copy may have had this
     * number. So the path has one slash more after each fork. */
    char slashes[MOST_FORKS];
    memset(slashes, '/', sizeof slashes);
    snprintf(made->path, sizeof made->path, "/proc/self/fd%.*s%d", (int)(shmcv_forks % 200), slashes, made->file);
    return true;
}

static bool make_in_folder(copys_file *made, const char *folder) {
    const int room = sizeof made->path;
    if (folder == NULL || snprintf(made->path, (size_t)room, "%s/libshmcv-XXXXXX", folder) >= room) return false;
    made->file = mkostemp(made->path, O_CLOEXEC);
    made->named = made->file >= 0;
    return made->named;
}

static void give_up(const copys_file *made) {
    if (made->named) unlink(made->path);
    close(made->file);
}

/* can_be_loaded returns false if the system does not let this process execute the file, or does not find its path. */
static bool can_be_loaded(const copys_file *made) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *mapped = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, made->file, 0);
    if (mapped == MAP_FAILED) return false;
    munmap(mapped, page);
    return access(made->path, R_OK) == 0;
}

/* copy_file returns false if there is no room for the bytes. A file beyond the process's limit would be a signal. */
static bool copy_file(int from, int to) {
    struct rlimit limit;
    struct stat found;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || fstat(from, &found) != 0) return false;
    if (limit.rlim_cur < (rlim_t)found.st_size) {
        errno = EFBIG;
        return false;
    }
    off_t at = 0;
    for (;;) {
        const ssize_t copied = sendfile(to, from, &at, 1 << 30);
        if (copied == 0) return true;
        if (copied < 0 && errno != EINTR) return false;
    }
}

/* share maps what the copy only reads from the library's own file, and takes it out of the unnamed file. */
static void share(const char *copy, int own, int file) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < file_start.e_phnum; i++) {
        const ElfW(Phdr) *s = segment(i);
        if (s->p_type != PT_LOAD || (s->p_flags & PF_W) != 0) continue;
        const size_t before = s->p_vaddr % page, size = before + s->p_filesz;
        const int protection = PROT_READ | ((s->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
        char *at = (char *)copy + s->p_vaddr - before;
        const off_t offset = (off_t)(s->p_offset - before);
        if (mmap(at, size, protection, MAP_PRIVATE | MAP_FIXED, own, offset) == MAP_FAILED) return;
        fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, (off_t)size);
    }
}

/* make_file makes a file with the library's bytes: in memory, or in a folder where the system forbids to execute
 * memory, or /proc is not mounted. */
static bool make_file(copys_file *made, int own) {
    const char *folders[] = {NULL, secure_getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (i == 0 ? !make_in_memory(made) : !make_in_folder(made, folders[i])) continue;
        if (can_be_loaded(made) && copy_file(own, made->file)) return true;
        give_up(made);
    }
    return false;
}

/* name_after_own_file gives the copy the library's path, for those who ask where a piece of code is from: OpenCV,
 * which looks for its plugin beside the library, and debuggers. The loader keeps the path that it was given as well. */
static void name_after_own_file(void *library) {
    struct link_map *map;
    char *name = dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 ? strdup(own_file) : NULL;
    if (name != NULL) map->l_name = name;
}

/* load opens the copy, and tells it what it has to know. */
static int32_t load(const copys_file *made, int own) {
    void *library = dlopen(made->path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return refuse("the copy cannot be opened: %s", dlerror());
    const char *function = dlsym(library, "shmcv_abi_version");
    Dl_info found;
    if (function == NULL || dladdr(function, &found) == 0) return refuse("the copy lacks a function");
    const intptr_t distance = function - (const char *)&shmcv_abi_version;
    if ((const char *)found.dli_fbase - distance != bytes_of_file()) return refuse("the copy differs from the library");
    share(found.dli_fbase, own, made->file);
    name_after_own_file(library);
    *(uint32_t *)((char *)&shmcv_forks + distance) = shmcv_forks;
    *(void (**)(const char *, size_t))((char *)&shmcv_error_setter + distance) = shmcv_set_error;
    __atomic_store_n(&shmcv_copy_distance, distance, __ATOMIC_RELEASE);
    return SHMCV_OK;
}

static int32_t open_from(int own) {
    if (!is_this_library(own)) return refuse("the file %s is not the one any more that this process runs", own_file);
    copys_file made;
    if (!make_file(&made, own)) return refuse("there is neither a memory file nor a folder for it: %s", strerror(errno));
    int32_t status = load(&made, own);
    give_up(&made);
    return status;
}

int32_t shmcv_open_copy(void) {
    if (shmcv_forks > MOST_FORKS) return refuse("this is fork number %" PRIu32 " in a row", shmcv_forks);
    if (own_file == NULL) return refuse("its file is not known");
    pthread_mutex_lock(&opening);
    int32_t status = SHMCV_OK;
    if (shmcv_copy_distance == 0) { /* not opened by another thread meanwhile */
        int own = open(own_file, O_RDONLY | O_CLOEXEC);
        status = own >= 0 ? open_from(own) : refuse("the file %s cannot be opened: %s", own_file, strerror(errno));
        if (own >= 0) close(own);
    }
    pthread_mutex_unlock(&opening);
    return status;
}
