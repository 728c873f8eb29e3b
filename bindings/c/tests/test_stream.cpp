// The C++ layer of streams: frames that close themselves.
#include <shmcv.hpp>

#include "test.h"

#include <cstring>
#include <string>
#include <thread>
#include <type_traits>

using namespace std::chrono_literals;
using shmcv::error_code;
using shmcv::frame;
using shmcv::new_frame;
using shmcv::stream;
using shmcv::wait_set;

static_assert(!std::is_copy_constructible_v<frame> && std::is_nothrow_move_constructible_v<frame>);
static_assert(!std::is_copy_constructible_v<new_frame> && std::is_nothrow_move_constructible_v<new_frame>);
static_assert(!std::is_copy_constructible_v<wait_set> && std::is_nothrow_move_constructible_v<wait_set>);
static_assert(!std::is_copy_constructible_v<stream> && std::is_nothrow_move_constructible_v<stream>);

// A published frame has the members that read pixels, and none that writes pixels.
static_assert(std::is_base_of_v<shmcv::pixels, frame> && !std::is_base_of_v<shmcv::writable_pixels, frame>);
static_assert(std::is_base_of_v<shmcv::writable_pixels, new_frame>);
static_assert(std::is_same_v<decltype(std::declval<frame &>().data()), const std::byte *>);
static_assert(!std::is_convertible_v<stream &, shmcv::pixels &>);

namespace {

constexpr std::uint32_t width = 64, height = 48;

std::uint64_t put(stream &to, unsigned char mark) {
    new_frame begun = to.begin();
    std::memset(begun.data(), mark, width * height);
    begun.set_image(shmcv::make_image_info(width, height, shmcv::color_order::gray));
    return begun.publish();
}

template <typename Action>
bool throws(error_code code, Action action) {
    try {
        action();
    } catch (const shmcv::error &problem) {
        return CHECK_INT(static_cast<int>(code), static_cast<int>(problem.code()));
    }
    return CHECK(!"it throws");
}

} // namespace

TEST(frames_go_from_thread_to_thread) {
    const char *name = new_name();
    stream writer = stream::create(name, width * height);
    std::thread other([name] {
        const stream reader = stream::open(name);
        std::uint64_t last = 0;
        while (last < 500) {
            const frame newest = reader.wait(last);
            CHECK_INT(newest.sequence() & 0xff, newest.data()[0]);
            CHECK_INT(newest.sequence() & 0xff, newest.data()[width * height - 1]);
            if (last != 0) CHECK_INT(newest.sequence() - last - 1, newest.missed());
            last = newest.sequence();
        }
    });
    for (unsigned i = 1; i <= 500; i++) CHECK_INT(i, put(writer, static_cast<unsigned char>(i)));
    other.join();
}

TEST(frame_that_is_dropped_is_given_back) {
    stream s = stream::create(new_name(), width * height, 2);
    for (int i = 0; i < 5; i++) CHECK(static_cast<bool>(s.begin()));
    throws(error_code::timeout, [&] { (void)s.wait(0, 0ms); });
    new_frame begun = s.begin();
    throws(error_code::no_image, [&] { begun.publish(); });
    CHECK(static_cast<bool>(begun));
    begun.set_image(shmcv::make_image_info(width, height, shmcv::color_order::gray));
    CHECK_INT(1, begun.publish());
    CHECK(!begun);
    throws(error_code::closed, [&] { begun.publish(); });
}

TEST(frame_outlives_its_stream) {
    stream s = stream::create(new_name(), width * height);
    put(s, 9);
    const frame kept = s.wait();
    s.close();
    CHECK_INT(9, kept.data()[5]);
    throws(error_code::closed, [&] { (void)s.begin(); });
}

TEST(segment_is_no_stream) {
    const char *name = new_name();
    auto segment = shmcv::segment::create(name, 100);
    throws(error_code::invalid, [&] { (void)stream::open(name); });
    const char *of_stream = new_name();
    const stream s = stream::create(of_stream, 100);
    throws(error_code::invalid, [&] { (void)shmcv::segment::open(of_stream); });
    CHECK(s.name() == of_stream);
    CHECK_INT(4, s.info().slots);
    CHECK_INT(0, segment.sequence());
    throws(error_code::timeout, [&] { segment.wait(0, 1ms); });
    segment.set_image(shmcv::make_image_info(5, 5, shmcv::color_order::gray));
    CHECK_INT(1, segment.wait(0, -1ms));
}

CHILD(makes_an_orphan) {
    static stream made = stream::create(argv[argc - 1], 100);
    ready_to_be_killed();
}

TEST(sweep_tells_how_many_orphans_there_were) {
    char line[32];
    process child = start("makes_an_orphan", new_name(), nullptr);
    NEED(read_line(&child, line, sizeof line));
    kill_child(&child);
    CHECK_INT(KILLED, finish(&child));
    CHECK(shmcv::sweep() >= 1);
}

TEST(one_thread_waits_on_many) {
    wait_set set = wait_set::create(), none;
    stream left = stream::create(new_name(), width * height), right = stream::create(new_name(), width * height);
    auto segment = shmcv::segment::create(new_name(), 100);
    set.add(left, 0, 1);
    set.add(right, 0, 2);
    set.add(segment, 0, 3);
    throws(error_code::exists, [&] { set.add(left, 0, 3); });
    throws(error_code::timeout, [&] { (void)set.wait(1ms); });
    std::thread writer([&] { put(right, 5); });
    CHECK(set.wait() == std::vector<std::uint64_t>{2});
    writer.join();
    CHECK_INT(5, right.wait(0, 0ms).data()[0]);
    set.remove(1);
    throws(error_code::not_found, [&] { set.remove(1); });
    std::thread closer([&] { segment.close(); });
    CHECK(set.wait() == std::vector<std::uint64_t>{3});
    closer.join();
    throws(error_code::closed, [&] { (void)none.wait(); });
    none = std::move(set);
    throws(error_code::timeout, [&] { (void)none.wait(0ms); });
    none.close();
    throws(error_code::closed, [&] { none.close(); });
}

TEST(reader_that_only_reads_is_told_that_it_was_overtaken) {
    const char *name = new_name();
    stream writer = stream::create(name, width * height, 2);
    stream reader = stream::open_read_only(name);
    put(writer, 1);
    CHECK(writer.wait().held());
    frame seen = reader.wait();
    CHECK(!seen.held());
    CHECK_INT(1, seen.data()[0]);
    seen.check();
    put(writer, 2);
    seen.check(); // in the other slot
    put(writer, 3);
    throws(error_code::overtaken, [&] { seen.check(); });
    throws(error_code::overtaken, [&] { (void)seen.data(); });
    std::vector<std::byte> copy;
    throws(error_code::overtaken, [&] { seen.read(copy); });
    throws(error_code::overtaken, [&] { seen.close(); });
    throws(error_code::closed, [&] { seen.check(); });
    throws(error_code::permission, [&] { (void)reader.begin(); });
    CHECK_INT(3, reader.wait(1).sequence());
}

TEST(replaced_stream_is_followed) {
    const char *name = new_name();
    throws(error_code::not_found, [&] { (void)stream::open(name); });
    throws(error_code::timeout, [&] { (void)stream::open(name, 1ms); });
    std::thread maker([&] {
        stream made = stream::create(name, width * height);
        put(made, 5);
    });
    stream old = stream::open(name, -1ms);
    maker.join();
    CHECK_INT(5, old.wait().data()[0]);
    throws(error_code::not_found, [&] { (void)old.follow(0ms); });
    old.clear();
    stream next = stream::create(name, width * height);
    throws(error_code::replaced, [&] { (void)old.wait(1); });
    const stream follower = old.follow();
    put(next, 6);
    CHECK_INT(6, follower.wait().data()[0]);
    CHECK_INT(5, old.wait().data()[0]);
}

TEST(descriptor_is_readable_when_there_is_something) {
    stream s = stream::create(new_name(), width * height);
    CHECK(readable(s.descriptor(), 0));
    throws(error_code::timeout, [&] { (void)s.wait(0, 0ms); });
    CHECK(!readable(s.descriptor(), 0));
    put(s, 4);
    CHECK(readable(s.descriptor(), 60000));
    CHECK_INT(4, s.wait(0, 0ms).data()[0]);
}
