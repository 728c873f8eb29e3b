/* Who may see a segment. test_access_linux.c has folders, owners, groups and modes as Linux knows them. */
#include "test.h"

static shmcv_access of_mode(uint32_t mode) {
    const shmcv_access access = {.owner = -1, .group = -1, .mode = mode};
    return access;
}

TEST(access_that_makes_no_sense_is_refused) {
    const char *name = new_name();
    shmcv_segment seg = {99};
    shmcv_stream stream = {99};
    const shmcv_access zero = {0};
    CHECK_FAILS(SHMCV_E_INVALID, "mode 0;", shmcv_create_for(name, 1, &zero, &seg));
    const uint32_t modes[] = {0400, 0700, 0620 | 02, 0666, 04600};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const shmcv_access given = of_mode(modes[i]);
        CHECK_FAILS(SHMCV_E_INVALID, "mode", shmcv_create_for(name, 1, &given, &seg));
        CHECK_FAILS(SHMCV_E_INVALID, "mode", shmcv_stream_create_for(name, 1, 0, SHMCV_WHEN_BEHIND_DROP, &given, &stream));
    }
    shmcv_access given = of_mode(0600);
    given.group = -2;
    CHECK_FAILS(SHMCV_E_INVALID, "group -2", shmcv_create_for(name, 1, &given, &seg));
    given = of_mode(0600);
    given.reserved[4] = 1;
    CHECK_FAILS(SHMCV_E_INVALID, "reserved", shmcv_create_for(name, 1, &given, &seg));
    CHECK_INT(99, seg.handle);
    CHECK_INT(99, stream.handle);
    CHECK(!segment_exists(name));
}
