/* Who may see a segment on Linux: folders of its file system, and the owner, group and mode of its file, as numbers. Windows has
 * none of these. */
#define _GNU_SOURCE
#include "test.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A group that nobody is in, and a user of no name. */
enum { STRANGERS = 54322, USER = 54321 };

static shmcv_access of_mode(uint32_t mode) {
    const shmcv_access access = {.owner = -1, .group = -1, .mode = mode};
    return access;
}

static struct stat status_of(const char *path) {
    struct stat status = {0};
    CHECK(stat(path, &status) == 0);
    return status;
}

/* path_of returns the path of a plain name. */
static const char *path_of(const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return path;
}

TEST(path_is_a_name_in_another_folder) {
    const char *path = temporary("cam0");
    shmcv_segment seg, again, reader;
    NEED_OK(shmcv_create(path, 100, &seg));
    CHECK_INT(65536, status_of(path).st_size);
    NEED_OK(shmcv_open(path, &again));
    NEED_OK(shmcv_open_read_only(path, &reader));
    pixels(seg, NULL)[0] = 7;
    CHECK_INT(7, pixels(again, NULL)[0]);
    CHECK_INT(7, pixels(reader, NULL)[0]);
    shmcv_segment_info info;
    NEED_OK(shmcv_info(again, &info));
    CHECK_TEXT(path, info.name);
    CHECK_FAILS(SHMCV_E_EXISTS, path, shmcv_create(path, 1, &again));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "\"cam0\"", shmcv_open("cam0", &again));
    int32_t created = 99;
    CHECK_OK(shmcv_open_or_create(path, 1, &again, &created));
    CHECK_INT(0, created);
    CHECK_OK(shmcv_segment_clear(seg));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, path, shmcv_clear(path));

    shmcv_stream stream, same;
    NEED_OK(shmcv_stream_create(path, 100, 2, SHMCV_WHEN_BEHIND_DROP, &stream));
    CHECK_OK(shmcv_stream_open(path, 0, &same));
    CHECK_OK(shmcv_stream_info(same, &info));
    CHECK_TEXT(path, info.name);
    CHECK_OK(shmcv_clear_all());
    CHECK(access(path, F_OK) != 0);
}

TEST(path_in_the_own_folder_is_the_plain_name) {
    const char *name = new_name();
    char path[300];
    snprintf(path, sizeof path, "%s", path_of(name));
    shmcv_segment seg, again;
    shmcv_segment_info info;
    NEED_OK(shmcv_create(path, 100, &seg));
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_TEXT(name, info.name);
    CHECK_OK(shmcv_open(name, &again));
    CHECK_OK(shmcv_clear(path));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_clear(name));
}

TEST(folder_that_is_missing_or_too_long_is_an_error) {
    shmcv_segment seg = {99};
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "no folder /nowhere", shmcv_create("/nowhere/cam0", 1, &seg));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "no folder /nowhere", shmcv_open("/nowhere/cam0", &seg));
    CHECK_FAILS(SHMCV_E_INVALID, "leave the slash out", shmcv_open("/cam0", &seg));
    char longest[SHMCV_MAX_FOLDER + 20];
    memset(longest, 'f', sizeof longest);
    longest[0] = '/';
    memcpy(longest + SHMCV_MAX_FOLDER + 1, "/cam0", sizeof "/cam0");
    CHECK_FAILS(SHMCV_E_INVALID, "513 bytes", shmcv_open(longest, &seg));
    memcpy(longest + SHMCV_MAX_FOLDER, "/cam0", sizeof "/cam0");
    CHECK_FAILS(SHMCV_E_IO, "cam0", shmcv_open(longest, &seg)); /* no part of a path has more than 255 bytes */
    CHECK_INT(99, seg.handle);
}

CHILD(in_a_folder) {
    (void)argc;
    shmcv_segment seg;
    shmcv_segment_info info;
    uint64_t count = 0;
    CHECK_OK(shmcv_create("cam0", 100, &seg));
    CHECK(access(argv[1], F_OK) == 0);
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_TEXT("cam0", info.name);
    CHECK_OK(shmcv_list(&info, 1, &count));
    CHECK_INT(1, count);
    CHECK_TEXT("cam0", info.name);
    CHECK_OK(shmcv_clear("cam0"));
    CHECK(access(argv[1], F_OK) != 0);
    return failed_checks();
}

TEST(variable_names_the_folder_of_plain_names) {
    char *path = strdup(temporary("cam0"));
    NEED(path != NULL);
    char *folder = strdup(path);
    NEED(folder != NULL);
    *strrchr(folder, '/') = '\0';
    setenv("SHMCV_FOLDER", folder, 1);
    process child = start("in_a_folder", path, NULL);
    CHECK_INT(0, finish(&child));
    unsetenv("SHMCV_FOLDER");
    free(folder);
    free(path);
}

TEST(access_is_that_of_the_file) {
    const uint32_t modes[] = {0600, 0640, 0660, 0644, 0664};
    umask(0777);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const shmcv_access given = of_mode(modes[i]);
        const char *names[] = {new_name(), new_name(), new_name(), new_name()};
        shmcv_segment seg;
        shmcv_stream stream;
        CHECK_OK(shmcv_create_for(names[0], 1, &given, &seg));
        CHECK_OK(shmcv_open_or_create_for(names[1], 1, &given, &seg, NULL));
        CHECK_OK(shmcv_stream_create_for(names[2], 1, 0, SHMCV_WHEN_BEHIND_DROP, &given, &stream));
        CHECK_OK(shmcv_stream_open_or_create_for(names[3], 1, 0, SHMCV_WHEN_BEHIND_DROP, &given, &stream, NULL));
        for (size_t k = 0; k < 4; k++) {
            const struct stat status = status_of(path_of(names[k]));
            CHECK_INT(modes[i], status.st_mode & 07777);
            CHECK_INT(geteuid(), status.st_uid);
        }
    }
    const char *name = new_name();
    shmcv_segment seg;
    CHECK_OK(shmcv_create_for(name, 1, NULL, &seg));
    CHECK_INT(0600, status_of(path_of(name)).st_mode & 07777);
}

TEST(users_and_groups_have_names_and_numbers) {
    int64_t id = 99;
    CHECK_OK(shmcv_user_id("root", &id));
    CHECK_INT(0, id);
    CHECK_OK(shmcv_group_id("54322", &id));
    CHECK_INT(54322, id);
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "no such group", shmcv_group_id("no such group", &id));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "user \"-1\"", shmcv_user_id("-1", &id));
    CHECK_FAILS(SHMCV_E_INVALID, "id", shmcv_user_id("root", NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "name", shmcv_group_id(NULL, &id));
    CHECK_INT(54322, id);
}

/* become makes this process another user, who is in one group. */
static void become(unsigned user, unsigned group) {
    const gid_t only = group;
    NEED(setgroups(1, &only) == 0 && setgid(group) == 0 && setuid(user) == 0);
}

CHILD(member) {
    (void)argc;
    become(USER, STRANGERS);
    shmcv_segment seg = {99};
    shmcv_stream stream;
    if (CHECK_OK(shmcv_open(argv[1], &seg))) pixels(seg, NULL)[0] = 3;
    CHECK_FAILS(SHMCV_E_PERMISSION, "0640", shmcv_open(argv[2], &seg));
    CHECK_OK(shmcv_open_read_only(argv[2], &seg));
    CHECK_OK(shmcv_stream_open(argv[3], 0, &stream));
    const shmcv_access roots = {.owner = 0, .group = -1, .mode = 0600};
    CHECK_FAILS(SHMCV_E_PERMISSION, "superuser", shmcv_create_for(argv[4], 1, &roots, &seg));
    const shmcv_access others = {.owner = -1, .group = 0, .mode = 0660};
    CHECK_FAILS(SHMCV_E_PERMISSION, "--group-add 0", shmcv_create_for(argv[4], 1, &others, &seg));
    return failed_checks();
}

/* A member of the group that may only read: by shmcv_stream_open too. It sleeps without a mark in the file. */
CHILD(viewer) {
    (void)argc;
    become(USER, STRANGERS);
    shmcv_stream streams[2];
    NEED_OK(shmcv_stream_open(argv[1], 0, &streams[0]));
    NEED_OK(shmcv_stream_open_read_only(argv[1], 0, &streams[1]));
    shmcv_frame_info info = {0};
    for (int i = 0; i < 2; i++) {
        shmcv_frame frame;
        for (int waits = 0; waits < 3; waits++) {
            CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(streams[i], info.sequence, 1, &frame, NULL));
            printf("waits\n");
            fflush(stdout);
            NEED_OK(shmcv_stream_wait(streams[i], info.sequence, 60000, &frame, &info));
            CHECK_INT(0, info.held);
            CHECK_INT(info.sequence, pixels(frame.pixels, NULL)[99]);
            CHECK_OK(shmcv_frame_close(frame));
        }
        CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_stream_begin(streams[i], 0, &frame));
        CHECK_OK(shmcv_stream_heed_writer(streams[i], 1));
        CHECK_FAILS(SHMCV_E_TIMEOUT, "", shmcv_stream_wait(streams[i], info.sequence, 1, &frame, NULL));
        CHECK_OK(shmcv_stream_close(streams[i]));
    }
    return failed_checks();
}

CHILD(no_member) {
    (void)argc;
    become(USER, USER);
    shmcv_segment seg = {99};
    CHECK_FAILS(SHMCV_E_PERMISSION, "group 54322", shmcv_open(argv[1], &seg));
    CHECK_FAILS(SHMCV_E_PERMISSION, argv[2], shmcv_open_read_only(argv[2], &seg));
    return failed_checks();
}

TEST(group_opens_what_it_was_given) {
    if (geteuid() != 0) skip("BEING ANOTHER USER TAKES ROOT");
    const char *shared = new_name(), *seen = new_name(), *frames = new_name(), *none = new_name();
    shmcv_access given = of_mode(0660);
    given.group = STRANGERS;
    shmcv_segment seg, readable;
    shmcv_stream stream;
    NEED_OK(shmcv_create_for(shared, 100, &given, &seg));
    NEED_OK(shmcv_stream_create_for(frames, 100, 2, SHMCV_WHEN_BEHIND_DROP, &given, &stream));
    given.mode = 0640;
    NEED_OK(shmcv_create_for(seen, 100, &given, &readable));
    process member = start("member", shared, seen, frames, none, NULL);
    CHECK_INT(0, finish(&member));
    process stranger = start("no_member", shared, seen, NULL);
    CHECK_INT(0, finish(&stranger));
    CHECK_INT(3, pixels(seg, NULL)[0]);
    CHECK(access(path_of(none), F_OK) != 0);
}

TEST(group_that_may_only_read_a_stream_gets_its_frames) {
    if (geteuid() != 0) skip("BEING ANOTHER USER TAKES ROOT");
    const char *name = new_name();
    shmcv_access given = of_mode(0640);
    given.group = STRANGERS;
    shmcv_stream stream;
    NEED_OK(shmcv_stream_create_for(name, 100, 2, SHMCV_WHEN_BEHIND_DROP, &given, &stream));
    shmcv_frame frame;
    NEED_OK(shmcv_stream_begin(stream, 0, &frame)); /* so that there is a writer */
    process reader = start("viewer", name, NULL);
    char line[16];
    for (uint64_t sequence = 1; read_line(&reader, line, sizeof line); sequence++) {
        const shmcv_image_info image = make_image(10, 10, SHMCV_ORDER_GRAY);
        memset(pixels(frame.pixels, NULL), (int)sequence, 100);
        NEED_OK(shmcv_image_set(frame.pixels, &image));
        NEED_OK(shmcv_frame_publish(frame, NULL));
        NEED_OK(shmcv_stream_begin(stream, 0, &frame)); /* in the other slot: nobody writes to the newest frame */
    }
    CHECK_INT(0, finish(&reader));
}
