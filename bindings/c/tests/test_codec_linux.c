/* Loading and saving files of Linux: pipes with names, files and folders with its permissions, a file system that is full. */
#define _GNU_SOURCE
#include "test.h"
#include "vectors.h"

#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(files_without_an_end_are_refused) {
    const char *fifo = temporary("fifo.png");
    NEED(mkfifo(fifo, 0600) == 0);
    const shmcv_segment seg = new_segment(1 << 16);
    CHECK_FAILS(SHMCV_E_INVALID, "fifo.png", shmcv_load(seg, fifo, SHMCV_LOAD_COLOR, NULL)); /* without a writer */
    CHECK_FAILS(SHMCV_E_INVALID, "/dev/zero", shmcv_load(seg, "/dev/zero", SHMCV_LOAD_COLOR, NULL));
}

TEST(unwritable_folder_and_unreadable_file_are_permission_errors) {
    const char *folder = temporary("locked"), *old = temporary("locked/old.png"), *new = temporary("locked/new.png");
    NEED(mkdir(folder, 0700) == 0);
    write_file(old, "old", 3);
    NEED(chmod(old, 0) == 0 && chmod(folder, 0500) == 0);
    const shmcv_segment seg = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    /* Root may write everywhere. setfsuid takes that right from this thread's file accesses, and so from the calls. */
    const bool root = geteuid() == 0;
    if (root) {
        NEED(chmod(folder, 0555) == 0 && chmod(temporary("."), 0755) == 0);
        setfsuid(65534);
    }
    CHECK_FAILS(SHMCV_E_PERMISSION, "new.png", shmcv_save(seg, new, SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_PERMISSION, "old.png", shmcv_save(seg, old, SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_PERMISSION, "old.png", shmcv_load(seg, old, SHMCV_LOAD_COLOR, NULL));
    if (root) setfsuid(0);
    CHECK_INT(1, files_in(folder));
}

CHILD(fills_the_disk) {
    (void)argc;
    char path[512];
    snprintf(path, sizeof path, "%s/photograph.png", argv[1]);
    const shmcv_segment seg = loaded("photograph.jpg", SHMCV_LOAD_COLOR);
    const shmcv_segment small = loaded("small-bgr.png", SHMCV_LOAD_COLOR);
    CHECK_OK(shmcv_save(small, path, SHMCV_QUALITY_DEFAULT));
    CHECK_FAILS(SHMCV_E_NO_SPACE, "photograph.png", shmcv_save(seg, path, SHMCV_QUALITY_DEFAULT));
    CHECK_INT(1, files_in(argv[1])); /* the old file alone, without a part of the new file */
    shmcv_image_info image;
    CHECK_OK(shmcv_load(small, path, SHMCV_LOAD_COLOR, &image));
    CHECK_INT(67, image.width);
    return failed_checks();
}

TEST(full_disk_is_an_error_and_the_old_file_kept) {
    const char *disk = temporary("disk");
    NEED(mkdir(disk, 0700) == 0);
    process c = start_on_tmpfs(disk, 256 << 10, "fills_the_disk", disk, NULL);
    const int status = finish(&c);
    if (status == 77) skip("NO FILE SYSTEM CAN BE MOUNTED HERE");
    CHECK_INT(0, status);
}

