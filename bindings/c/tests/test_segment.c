/* Segments: names, sizes and other processes. test_segment_linux.c and test_segment_windows.c have what belongs to one system. */
#define _GNU_SOURCE
#include "test.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(created_segment_is_zero_and_of_its_size) {
    const char *name = new_name();
    shmcv_segment seg = {0};
    NEED_OK(shmcv_create(name, 100001, &seg));
    CHECK(seg.handle != 0);
    uint64_t size = 0;
    const unsigned char *data = pixels(seg, &size);
    CHECK_INT(100001, size);
    CHECK_INT(0, (uintptr_t)data % 4096);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < size; i++) sum += data[i];
    CHECK_INT(0, sum);
    CHECK(segment_exists(name));
    CHECK_OK(shmcv_clear(name));
    CHECK(!segment_exists(name));
    CHECK_OK(shmcv_close(seg));
}

TEST(info_tells_what_was_asked_for) {
    const char *name = new_name();
    shmcv_segment seg;
    NEED_OK(shmcv_create(name, 12345, &seg));
    shmcv_segment_info info;
    memset(&info, 0xff, sizeof info);
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_TEXT(name, info.name);
    CHECK_INT(12345, info.size);
    CHECK(info.file_size >= 12345);
    CHECK_INT(getpid(), info.owner);
    CHECK_INT(1, info.owner_alive);
    CHECK_INT(0, info.has_image);
    CHECK_INT(0, info.foreign);
    CHECK(info.created_at != 0);
    static const uint8_t none[16];
    CHECK(memcmp(info.uuid, none, sizeof none) != 0);

    const shmcv_image_info image = make_image(5, 4, SHMCV_ORDER_RGB);
    CHECK_OK(shmcv_image_set(seg, &image));
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(1, info.has_image);
    CHECK(memcmp(&image, &info.image, sizeof image) == 0);
}

/* name, and the result on Linux and on Windows; the name is percent-encoded, and "-" if it is empty. */
static void check_name(char **columns) {
    char *name = calloc(1, strlen(columns[0]) + 1), *end = name;
    NEED(name != NULL);
    for (const char *at = strcmp(columns[0], "-") == 0 ? "" : columns[0]; *at != '\0'; at++) {
        unsigned byte = (unsigned char)*at;
        if (*at == '%') {
            NEED(sscanf(at + 1, "%2x", &byte) == 1);
            at += 2;
        }
        *end++ = (char)byte;
    }
#ifdef _WIN32
    const int32_t result = result_named(columns[2]);
#else
    const int32_t result = result_named(columns[1]);
#endif
    shmcv_segment seg = {99}, again = {99};
    if (result == SHMCV_OK) {
        CHECK_OK(shmcv_create(name, 1, &seg));
        CHECK_OK(shmcv_open(name, &again));
        CHECK_OK(shmcv_clear(name));
        CHECK_OK(shmcv_close(seg));
        CHECK_OK(shmcv_close(again));
    } else {
        CHECK_FAILS(result, "", shmcv_create(name, 1, &seg));
        CHECK(last_error()[0] != '\0');
        CHECK_FAILS(result, "", shmcv_open(name, &again));
        CHECK_FAILS(result, "", shmcv_clear(name));
        CHECK(seg.handle == 99 && again.handle == 99);
    }
    free(name);
}
TEST(names_follow_the_rule) { each_vector("name", 3, check_name); }

TEST(nonsense_sizes_are_refused) {
    const char *name = new_name();
    shmcv_segment seg = {99};
    CHECK_FAILS(SHMCV_E_INVALID, name, shmcv_create(name, 0, &seg));
    /* Sizes beyond any memory. shmcv_create refuses them at once, with either code, and its message names the size. */
    static const uint64_t sizes[] = {(uint64_t)1 << 50, (uint64_t)1 << 63, ((uint64_t)1 << 63) - 1, UINT64_MAX, UINT64_MAX - 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int32_t status = shmcv_create(name, sizes[i], &seg);
        char wanted[32];
        snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)sizes[i]);
        CHECK(status == SHMCV_E_INVALID || status == SHMCV_E_NO_SPACE);
        CHECK(strstr(last_error(), wanted) != NULL);
        CHECK(!segment_exists(name));
    }
    CHECK_INT(99, seg.handle);
}

TEST(taken_name_is_refused_and_kept) {
    const char *name = new_name();
    shmcv_segment seg, second = {99};
    NEED_OK(shmcv_create(name, 64, &seg));
    pixels(seg, NULL)[0] = 42;
    CHECK_FAILS(SHMCV_E_EXISTS, name, shmcv_create(name, 128, &second));
    CHECK_INT(99, second.handle);
    CHECK_INT(42, pixels(seg, NULL)[0]);
}

/* Opens the segment, or creates it if a size is given, and keeps it open. */
CHILD(holds_a_segment) {
    shmcv_segment seg;
    if (argc > 2) NEED_OK(shmcv_create(argv[1], (uint64_t)number(argv[2]), &seg));
    else NEED_OK(shmcv_open(argv[1], &seg));
    ready_to_be_killed();
}

static process holder_of(const char *name, const char *size) {
    char line[32];
    process c = start("holds_a_segment", name, size, NULL);
    NEED(read_line(&c, line, sizeof line));
    return c;
}

TEST(error_of_a_taken_name_tells_whose_it_is_and_how_to_be_rid_of_it) {
    const char *name = new_name();
    char creator[40];
    shmcv_segment seg, second;
    NEED_OK(shmcv_create(name, 64, &seg));
    snprintf(creator, sizeof creator, "process %d, which has it open", (int)getpid());
    CHECK_FAILS(SHMCV_E_EXISTS, creator, shmcv_create(name, 64, &second));
    CHECK_FAILS(SHMCV_E_EXISTS, "sweep", shmcv_create(name, 64, &second));
    process holder = holder_of(name, NULL);
    CHECK_OK(shmcv_close(seg));
    CHECK_FAILS(SHMCV_E_EXISTS, "has ended or closed it", shmcv_create(name, 64, &second));
    kill_child(&holder);
    CHECK_INT(KILLED, finish(&holder));
}

TEST(open_or_create_makes_one_or_opens_what_fits) {
    const char *name = new_name();
    shmcv_segment one, two = {99};
    shmcv_stream stream;
    int32_t created = 99;
    NEED_OK(shmcv_open_or_create(name, 64, &one, &created));
    CHECK_INT(1, created);
    pixels(one, NULL)[0] = 42;
    CHECK_FAILS(SHMCV_E_TOO_SMALL, "64 bytes", shmcv_open_or_create(name, 65, &two, &created));
    CHECK_FAILS(SHMCV_E_INVALID, "no stream", shmcv_stream_open_or_create(name, 64, 0, SHMCV_WHEN_BEHIND_DROP, &stream, &created));
    CHECK_FAILS(SHMCV_E_INVALID, "size 0", shmcv_open_or_create(name, 0, &two, NULL));
    CHECK_FAILS(SHMCV_E_INVALID, "NULL", shmcv_open_or_create(name, 64, NULL, NULL));
    CHECK_INT(1, created);
    CHECK_INT(99, two.handle);
    NEED_OK(shmcv_open_or_create(name, 10, &two, &created));
    CHECK_INT(0, created);
    CHECK_INT(42, pixels(two, NULL)[0]);
    CHECK_OK(shmcv_close(two));
    NEED_OK(shmcv_open_or_create(name, 10, &two, NULL));
}

TEST(segment_clears_its_own_name_only) {
    const char *name = new_name();
    shmcv_segment old, young;
    NEED_OK(shmcv_create(name, 64, &old));
    CHECK_OK(shmcv_segment_clear(old));
    CHECK(!segment_exists(name));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_segment_clear(old));
    NEED_OK(shmcv_create(name, 64, &young));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "another", shmcv_segment_clear(old));
    CHECK(segment_exists(name));
    CHECK_OK(shmcv_segment_clear(young));
    CHECK_OK(shmcv_close(young));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_segment_clear(young));
}

TEST(unknown_name_is_not_found) {
    shmcv_segment seg = {99};
    const char *name = new_name();
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_open(name, &seg));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, name, shmcv_clear(name));
    CHECK_INT(99, seg.handle);
}

TEST(second_close_is_refused) {
    const shmcv_segment seg = new_segment(64);
    CHECK_OK(shmcv_close(seg));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_close(seg));
}

TEST(two_handles_of_one_segment_are_independent) {
    const char *name = new_name();
    shmcv_segment one, two;
    NEED_OK(shmcv_create(name, 64, &one));
    NEED_OK(shmcv_open(name, &two));
    CHECK(one.handle != two.handle);
    pixels(one, NULL)[7] = 7;
    CHECK_INT(7, pixels(two, NULL)[7]);
    CHECK_OK(shmcv_close(one));
    CHECK_INT(7, pixels(two, NULL)[7]);
    CHECK_OK(shmcv_close(two));
}

TEST(cleared_segment_stays_whole_for_open_handles) {
    const char *name = new_name();
    shmcv_segment old, new;
    NEED_OK(shmcv_create(name, 64, &old));
    pixels(old, NULL)[0] = 1;
    CHECK_OK(shmcv_clear(name));
    NEED_OK(shmcv_create(name, 64, &new)); /* the name is free at once */
    pixels(new, NULL)[0] = 2;
    CHECK_INT(1, pixels(old, NULL)[0]);
    CHECK_OK(shmcv_close(old));
    CHECK_INT(2, pixels(new, NULL)[0]);
}

TEST(clear_all_leaves_what_others_have_created) {
    const char *mine = new_name(), *theirs = new_name();
    shmcv_segment seg;
    NEED_OK(shmcv_create(mine, 64, &seg));
    process other = holder_of(theirs, "64");
    CHECK_OK(shmcv_clear_all());
    CHECK(!segment_exists(mine));
    CHECK(segment_exists(theirs));
    CHECK_OK(shmcv_clear_all()); /* succeeds if there is nothing to clear */
    CHECK_OK(shmcv_data(seg, NULL, NULL));
    kill_child(&other);
    CHECK_INT(KILLED, finish(&other));
}

/* list returns the infos of all segments. The caller frees them. */
static shmcv_segment_info *list(uint64_t *count) {
    uint64_t room = 0;
    shmcv_segment_info *infos = NULL;
    NEED_OK(shmcv_list(NULL, 0, count));
    while (*count > room) {
        room = *count;
        infos = realloc(infos, room * sizeof *infos);
        NEED(infos != NULL);
        NEED_OK(shmcv_list(infos, room, count));
    }
    return infos;
}

TEST(list_has_ours_in_order_and_no_foreign_ones) {
    const char *names[] = {new_name(), new_name(), new_name()};
    const char *foreign = new_name();
    shmcv_segment seg;
    for (int i = 0; i < 3; i++) NEED_OK(shmcv_create(names[i], 100 + (uint64_t)i, &seg));
    write_foreign(foreign, "foreign", 7);
    uint64_t count = 0;
    shmcv_segment_info *infos = list(&count);
    int found = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0) CHECK(strcmp(infos[i - 1].name, infos[i].name) < 0);
        CHECK(strcmp(infos[i].name, foreign) != 0);
        for (int j = 0; j < 3; j++)
            if (strcmp(infos[i].name, names[j]) == 0) found += infos[i].size == 100 + (uint64_t)j && infos[i].owner_alive == 1;
    }
    CHECK_INT(3, found);
    free(infos);
}

TEST(list_fills_no_more_than_its_room) {
    new_segment(1);
    new_segment(1);
    shmcv_segment_info infos[2];
    memset(infos, 0x55, sizeof infos);
    uint64_t count = 0;
    CHECK_OK(shmcv_list(infos, 1, &count));
    CHECK(count >= 2);
    CHECK(infos[0].name[0] != 0x55);
    CHECK_INT(0x55, infos[1].name[0]);
}

/* Other processes. */

CHILD(adds_one_to_each_byte) {
    (void)argc;
    shmcv_segment seg = {0};
    NEED_OK(shmcv_open(argv[1], &seg));
    uint64_t size;
    unsigned char *data = pixels(seg, &size);
    for (uint64_t i = 0; i < size; i++) data[i]++;
    shmcv_image_info image;
    CHECK_OK(shmcv_image_get(seg, &image));
    CHECK_INT(6, image.width);
    return failed_checks();
}

TEST(another_process_works_on_the_same_pixels) {
    const char *name = new_name();
    shmcv_segment seg;
    NEED_OK(shmcv_create(name, 48, &seg));
    const shmcv_image_info image = make_image(6, 2, SHMCV_ORDER_BGRA);
    CHECK_OK(shmcv_image_set(seg, &image));
    for (int i = 0; i < 48; i++) pixels(seg, NULL)[i] = (unsigned char)i;
    process c = start("adds_one_to_each_byte", name, NULL);
    CHECK_INT(0, finish(&c));
    for (int i = 0; i < 48; i++) CHECK_INT(i + 1, pixels(seg, NULL)[i]);
}

CHILD(creates_and_waits_to_be_killed) {
    (void)argc;
    shmcv_segment seg = {0};
    NEED_OK(shmcv_create(argv[1], 64, &seg));
    memcpy(pixels(seg, NULL), "left behind", 12);
    ready_to_be_killed();
}

TEST(segment_survives_its_killed_creator) {
    const char *name = new_name();
    char line[32] = "";
    process c = start("creates_and_waits_to_be_killed", name, NULL);
    NEED(read_line(&c, line, sizeof line));
    shmcv_segment seg;
    shmcv_segment_info info;
    NEED_OK(shmcv_open(name, &seg));
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(c.pid, info.owner);
    CHECK_INT(1, info.owner_alive);

    kill_child(&c);
    CHECK_INT(KILLED, finish(&c));
    CHECK_OK(shmcv_info(seg, &info));
    CHECK_INT(0, info.owner_alive);
    CHECK_TEXT("left behind", (const char *)pixels(seg, NULL));
    CHECK_FAILS(SHMCV_E_EXISTS, name, shmcv_create(name, 64, &(shmcv_segment){0}));
    CHECK_OK(shmcv_clear(name));
}

/* Writes to the memory of a segment that it has opened read-only. */
CHILD(write_to_read_only_segment) {
    (void)argc;
    shmcv_segment seg;
    NEED_OK(shmcv_open_read_only(argv[1], &seg));
    unsigned char *memory = pixels(seg, NULL);
    NEED(memory[0] == 5);
    let_fault();
    *(volatile unsigned char *)memory = 6;
    return 0;
}

TEST(read_only_segment_is_read_and_not_written) {
    const char *name = new_name();
    shmcv_segment seg, reader;
    NEED_OK(shmcv_create(name, 48, &seg));
    const shmcv_image_info layout = make_image(4, 4, SHMCV_ORDER_BGR);
    unsigned char buffer[48];
    memset(buffer, 5, sizeof buffer);
    NEED_OK(shmcv_write(seg, &layout, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    NEED_OK(shmcv_open_read_only(name, &reader));
    memset(buffer, 0, sizeof buffer);
    shmcv_image_info image;
    shmcv_segment_info info;
    uint64_t sequence = 0;
    CHECK_OK(shmcv_read(reader, NULL, buffer, sizeof buffer, &image));
    CHECK_INT(5, buffer[47]);
    CHECK_OK(shmcv_image_get(reader, &image));
    CHECK_OK(shmcv_info(reader, &info));
    CHECK_INT(1, info.owner_alive);
    CHECK_OK(shmcv_sequence(reader, &sequence));
    CHECK_OK(shmcv_wait(reader, sequence - 1, 0, NULL));
    CHECK_FAILS(SHMCV_E_TIMEOUT, name, shmcv_wait(reader, sequence, 1, NULL));
    CHECK_OK(shmcv_save(reader, temporary("read-only.png"), SHMCV_QUALITY_DEFAULT));
    const shmcv_segment other = new_segment(48);
    CHECK_OK(shmcv_flip(reader, other, SHMCV_FLIP_BOTH));

    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_write(reader, &layout, buffer, sizeof buffer, SHMCV_ORDER_BGR));
    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_image_set(reader, &layout));
    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_load(reader, testdata("small-bgr.png"), SHMCV_LOAD_COLOR, NULL));
    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_flip(other, reader, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_flip(reader, reader, SHMCV_FLIP_BOTH));
    CHECK_FAILS(SHMCV_E_PERMISSION, "read-only", shmcv_convert(other, reader, SHMCV_ORDER_RGB));
    CHECK_OK(shmcv_flip(reader, seg, SHMCV_FLIP_BOTH)); /* one segment: in place */

    process child = start("write_to_read_only_segment", name, NULL);
    CHECK_INT(FAULTED, finish(&child));
    CHECK_INT(5, pixels(seg, NULL)[0]);
    CHECK_OK(shmcv_close(reader));
    CHECK_FAILS(SHMCV_E_CLOSED, "closed", shmcv_close(reader));
    CHECK_FAILS(SHMCV_E_NOT_FOUND, "nowhere", shmcv_open_read_only("nowhere", &reader));
}

