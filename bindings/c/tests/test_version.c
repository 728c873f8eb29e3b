/* The loaded library has the version that the header states. */
#include "test.h"

TEST(library_and_header_are_of_one_version) {
    CHECK_TEXT(SHMCV_VERSION, shmcv_version());
    CHECK_INT(SHMCV_ABI_MAJOR, shmcv_abi_version() >> 16);
    CHECK_INT(SHMCV_ABI_MINOR, shmcv_abi_version() & 0xffff);
}

TEST(version_is_static) { CHECK(shmcv_version() == shmcv_version()); }
