/* Segments on Linux, where each is a file in /dev/shm: what other programs do to the file, and what the file outlives. A section
 * of Windows cannot be cut, linked, given away or made by writing a file, so these tests are Linux's alone. */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* file_of returns the path of a segment's file. */
static const char *file_of(const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return path;
}

TEST(segment_is_a_private_file_that_outlives_its_last_handle) {
    const char *name = new_name();
    shmcv_segment seg = {0};
    NEED_OK(shmcv_create(name, 100001, &seg));
    struct stat status;
    NEED(stat(file_of(name), &status) == 0);
    CHECK_INT(0600, status.st_mode & 07777);
    CHECK_INT(0, status.st_size % 65536);
    CHECK_OK(shmcv_close(seg));
    CHECK(segment_exists(name));
    CHECK_OK(shmcv_clear(name));
    CHECK(!segment_exists(name));
}

TEST(clear_all_takes_what_this_process_created) {
    const char *mine = new_name(), *reborn = new_name(), *foreign = new_name();
    shmcv_segment seg;
    NEED_OK(shmcv_create(mine, 64, &seg));
    NEED_OK(shmcv_create(reborn, 64, &seg));
    NEED(unlink(file_of(reborn)) == 0);
    /* Another program has taken that name. */
    write_file(file_of(reborn), "somebody else's", 15);
    write_file(file_of(foreign), "foreign", 7);
    CHECK_OK(shmcv_clear_all());
    CHECK(!segment_exists(mine));
    CHECK(segment_exists(reborn));
    CHECK(segment_exists(foreign));
    CHECK_OK(shmcv_clear_all()); /* succeeds if there is nothing to clear */
    CHECK_OK(shmcv_data(seg, NULL, NULL));
}

TEST(foreign_file_is_all_pixels) {
    const char *name = new_name();
    unsigned char content[300];
    memset(content, 9, sizeof content);
    write_file(file_of(name), content, sizeof content);
    shmcv_segment seg;
    NEED_OK(shmcv_open(name, &seg));
    uint64_t size;
    unsigned char *data = pixels(seg, &size);
    CHECK_INT(300, size);
    CHECK_INT(9, data[299]);
    CHECK_FAILS(SHMCV_E_NO_IMAGE, "image", shmcv_image_get(seg, &(shmcv_image_info){0}));
    const shmcv_image_info image = make_image(10, 10, SHMCV_ORDER_BGR);
    CHECK_OK(shmcv_image_set(seg, &image));
    data[0] = 1;
    CHECK_OK(shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_INT(1, data[297]);
    CHECK_OK(shmcv_save(seg, temporary("foreign.png"), SHMCV_QUALITY_DEFAULT));
    shmcv_segment_info info;
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(1, info.foreign);
    CHECK_INT(0, info.owner);
    struct stat status;
    NEED(stat(file_of(name), &status) == 0);
    CHECK_INT(300, status.st_size); /* the library has added nothing to the file */
}

TEST(empty_foreign_file_is_refused) {
    const char *name = new_name();
    write_file(file_of(name), "", 0);
    shmcv_segment seg = {99};
    CHECK(shmcv_open(name, &seg) != SHMCV_OK);
    CHECK(strstr(last_error(), name) != NULL);
    CHECK_INT(99, seg.handle);
}

TEST(files_other_than_plain_ones_are_refused) {
    const char *target = new_name(), *link = new_name(), *fifo = new_name(), *directory = new_name();
    char path[300];
    shmcv_segment seg = {99};
    write_file(file_of(target), "target", 6);
    snprintf(path, sizeof path, "%s", file_of(target));
    NEED(symlink(path, file_of(link)) == 0);
    CHECK_FAILS(SHMCV_E_PERMISSION, link, shmcv_open(link, &seg));
    NEED(mkfifo(file_of(fifo), 0600) == 0);
    CHECK_FAILS(SHMCV_E_PERMISSION, fifo, shmcv_open(fifo, &seg));
    NEED(mkdir(file_of(directory), 0700) == 0);
    CHECK_FAILS(SHMCV_E_PERMISSION, directory, shmcv_open(directory, &seg));
    CHECK_FAILS(SHMCV_E_PERMISSION, directory, shmcv_clear(directory));
    CHECK(rmdir(file_of(directory)) == 0);
    CHECK_INT(99, seg.handle);
}

TEST(another_users_file_is_refused) {
    if (geteuid() != 0) skip("GIVING A FILE TO ANOTHER USER TAKES ROOT");
    const char *name = new_name();
    shmcv_segment seg = {99};
    write_file(file_of(name), "theirs", 6);
    NEED(chmod(file_of(name), 0666) == 0 && chown(file_of(name), 65534, 65534) == 0);
    CHECK_FAILS(SHMCV_E_PERMISSION, name, shmcv_open(name, &seg));
    CHECK_FAILS(SHMCV_E_PERMISSION, name, shmcv_clear(name));
    CHECK(segment_exists(name));
    CHECK_INT(99, seg.handle);
}

TEST(truncated_segment_is_an_error_not_a_crash) {
    const char *name = new_name();
    shmcv_segment seg;
    NEED_OK(shmcv_create(name, 1 << 20, &seg));
    const shmcv_image_info image = make_image(512, 512, SHMCV_ORDER_BGR);
    unsigned char *outside = calloc(512 * 512, 3);
    NEED(outside != NULL);
    NEED_OK(shmcv_image_set(seg, &image));
    NEED(truncate(file_of(name), 4096) == 0);
    const shmcv_segment other = counting(4, 4, SHMCV_ORDER_BGR);
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_data(seg, &(void *){NULL}, NULL));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_image_get(seg, &(shmcv_image_info){0}));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_image_set(seg, &image));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_flip(seg, seg, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_flip(other, seg, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_convert(seg, seg, SHMCV_ORDER_RGB));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_load(seg, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_save(seg, temporary("never.png"), SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_read(seg, &image, outside, image.stride * image.height, NULL));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_write(seg, &image, outside, image.stride * image.height, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_TRUNCATED, name, shmcv_info(seg, &(shmcv_segment_info){0}));
    CHECK_OK(shmcv_close(seg));
    free(outside);
}

CHILD(fills_shared_memory) {
    (void)argc, (void)argv;
    shmcv_segment seg = {99}, small;
    CHECK_FAILS(SHMCV_E_NO_SPACE, "1048576 free", shmcv_create("too-large", 8 << 20, &seg));
    CHECK_INT(99, seg.handle);
    CHECK(!segment_exists("too-large"));
    CHECK_OK(shmcv_create("fits", 256 << 10, &small));
    memset(pixels(small, NULL), 1, 256 << 10); /* memory that create returned is writable: no SIGBUS */
    CHECK_FAILS(SHMCV_E_NO_SPACE, "", shmcv_create("no-more", 1 << 20, &seg));
    CHECK_OK(shmcv_close(small));
    CHECK_OK(shmcv_clear("fits"));
    CHECK_OK(shmcv_create("fits-again", 512 << 10, &small));
    return failed_checks();
}

TEST(full_shared_memory_is_an_error_at_creation) {
    process c = start_on_tmpfs("/dev/shm", 1 << 20, "fills_shared_memory", NULL);
    const int status = finish(&c);
    if (status == 77) skip("NO FILE SYSTEM CAN BE MOUNTED HERE");
    CHECK_INT(0, status);
}

TEST(descriptors_do_not_leak_into_programs_that_are_started) {
    new_segment(64);
    int of_segments = 0;
    for (int file = 3; file < 256; file++) {
        const int flags = fcntl(file, F_GETFD);
        char path[64], target[512];
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        const ssize_t length = flags < 0 ? -1 : readlink(path, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = '\0';
        if (strstr(target, "/dev/shm/") == NULL) continue;
        CHECK((flags & FD_CLOEXEC) != 0);
        of_segments++;
    }
    CHECK(of_segments > 0); /* the creator holds the segment's file open, by which others know that the creator lives */
}

TEST(file_of_mode_0444_can_be_opened_read_only) {
    const char *name = new_name();
    shmcv_segment seg, reader;
    NEED_OK(shmcv_create(name, 100, &seg));
    NEED(chmod(file_of(name), 0444) == 0);
    CHECK_OK(shmcv_open_read_only(name, &reader));
    CHECK_OK(shmcv_close(reader));
}
