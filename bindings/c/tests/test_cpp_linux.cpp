// The C++ layer on Linux: forked children, and the modes of files.
#include "throws.hpp"

#include <filesystem>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using shmcv::color_order;
using shmcv::error_code;
using shmcv::segment;

TEST(name_outlives_its_objects) {
    const std::string name = new_name();
    (void)segment::create(name, 10);
    CHECK(segment_exists(name.c_str()));
    segment::open(name).clear();
    (void)shmcv::stream::create(name, 10);
    CHECK(segment_exists(name.c_str()));
    shmcv::clear(name);
}

TEST(objects_of_the_parent_end_in_silence_in_a_forked_child) {
    const std::string name = new_name(), stream_name = new_name();
    {
        auto seg = segment::create(name, 64);
        seg.clear_on_close(true);
        auto stream = shmcv::stream::create(stream_name, 64);
        stream.clear_on_close(true);
        auto frame = stream.begin();
        const pid_t child = fork();
        NEED(child >= 0);
        if (child == 0) {
            CHECK(throws(error_code::forked, "open the name again", [&] { seg.flip(shmcv::flip_code::both); }));
            {
                const auto a = std::move(frame);
                const auto b = std::move(stream);
                const auto c = std::move(seg);
            }
            CHECK_INT(64, segment::open(name).size());
            _exit(failed_checks());
        }
        int status = 0;
        NEED(waitpid(child, &status, 0) == child);
        CHECK_INT(0, status);
    }
    CHECK(throws(error_code::not_found, name, [&] { (void)segment::open(name); }));
    CHECK(throws(error_code::not_found, stream_name, [&] { (void)shmcv::stream::open(stream_name); }));
}

TEST(access_is_given_by_mode_and_group) {
    const std::string path = temporary("cam0");
    const auto mode_of = [&] { return static_cast<unsigned>(std::filesystem::status(path).permissions()); };
    const shmcv::access readable{0640, shmcv::group_id(std::to_string(getegid()))};
    {
        segment made = segment::create(path, 100, readable);
        made.clear_on_close(true);
        CHECK_INT(0640, mode_of());
        CHECK_TEXT(path.c_str(), made.name().c_str());
    }
    const auto gone = [](auto made) { made.clear_on_close(true); };
    const shmcv::image_info image = shmcv::make_image_info(4, 4, color_order::gray);
    gone(segment::create(path, 100));
    for (const std::uint32_t mode : {0600u, 0660u}) {
        const auto check = [&](auto made) {
            CHECK_INT(mode, mode_of());
            gone(std::move(made));
        };
        check(segment::create(path, image, {mode}));
        check(segment::from_file(path, small, shmcv::load_flags::color, {mode}));
        check(segment::open_or_create(path, 100, {mode}));
        check(shmcv::stream::create(path, 100, 2, shmcv::when_behind::drop, {mode}));
        check(shmcv::stream::open_or_create(path, 100, 2, shmcv::when_behind::drop, {mode}));
    }
    CHECK(throws(error_code::invalid, "mode", [&] { (void)segment::create(path, 100, {0666}); }));
    CHECK(throws(error_code::not_found, "nobody of ours", [] { (void)shmcv::user_id("nobody of ours"); }));
    CHECK(!std::filesystem::exists(path));
}
