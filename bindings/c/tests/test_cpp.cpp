// The C++ layer: handles that close themselves and move, exceptions with codes, and enumerations in place of numbers.
#include "throws.hpp"

#include <cstring>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using shmcv::error_code;
using shmcv::color_order;
using shmcv::segment;

static_assert(!std::is_copy_constructible_v<segment> && !std::is_copy_assignable_v<segment>);
static_assert(std::is_nothrow_move_constructible_v<segment> && std::is_nothrow_move_assignable_v<segment>);
static_assert(std::is_base_of_v<std::runtime_error, shmcv::error>);
static_assert(std::is_same_v<decltype(std::declval<const segment &>().data()), const std::byte *>);
static_assert(std::is_same_v<decltype(std::declval<segment &>().data()), std::byte *>);

namespace {

const std::filesystem::path photograph = std::filesystem::path(SHMCV_TESTDATA) / "photograph.jpg";

} // namespace

TEST(photograph_goes_in_and_a_flipped_one_comes_out) {
    auto photo = segment::create(new_name(), 3840 * 2160 * 3);
    auto mirrored = segment::create(new_name(), 3840 * 2160 * 3);
    const shmcv::image_info image = photo.load(photograph);
    CHECK_INT(3840, image.width);
    photo.flip_into(mirrored, shmcv::flip_code::horizontal);
    CHECK(std::memcmp(photo.data(), mirrored.data() + 3839 * 3, 3) == 0);
    mirrored.flip(shmcv::flip_code::horizontal);
    CHECK(std::memcmp(photo.data(), mirrored.data(), photo.size()) == 0);
    const std::filesystem::path saved = temporary("mirrored.bmp");
    mirrored.save(saved);
    CHECK_INT(2160, shmcv::probe(saved).height);
}

TEST(segment_of_an_image_needs_no_size) {
    const auto image = shmcv::make_image_info(20, 10, color_order::bgra);
    auto seg = segment::create(new_name(), image);
    CHECK(seg.created());
    CHECK_INT(20 * 10 * 4, seg.size());
    CHECK_INT(20, seg.image().width);
    const std::string name = new_name();
    CHECK(throws(error_code::invalid, "width", [&] { (void)segment::create(name, shmcv::image_info{}); }));
    CHECK(throws(error_code::not_found, name, [&] { shmcv::clear(name); }));
}

TEST(segment_of_a_file_holds_its_picture) {
    auto seg = segment::from_file(new_name(), small, shmcv::load_flags::gray);
    CHECK_INT(shmcv::image_size(shmcv::probe(small, shmcv::load_flags::gray)), seg.size());
    CHECK_INT(67, seg.image().width);
    for (const char *bad : {"missing.png", "truncated.png"}) {
        const std::string name = new_name();
        const auto file = std::filesystem::path(SHMCV_TESTDATA) / bad;
        CHECK(throws(bad[0] == 'm' ? error_code::not_found : error_code::decode, bad,
                     [&] { (void)segment::from_file(name, file); }));
        CHECK(throws(error_code::not_found, name, [&] { shmcv::clear(name); }));
    }
}

TEST(open_or_create_makes_one_or_opens_what_fits) {
    const std::string name = new_name();
    auto first = segment::open_or_create(name, 100);
    auto second = segment::open_or_create(name, 50);
    CHECK(first.created() && !second.created());
    CHECK_INT(100, second.size());
    CHECK(throws(error_code::too_small, "101 are wanted", [&] { (void)segment::open_or_create(name, 101); }));
    first.clear();
    auto writer = shmcv::stream::open_or_create(name, 100, 3);
    auto reader = shmcv::stream::open_or_create(name, 1);
    CHECK(writer.created() && !reader.created());
    CHECK_INT(3, reader.info().slots);
    CHECK(throws(error_code::too_small, "4 slots", [&] { (void)shmcv::stream::open_or_create(name, 1, 4); }));
    writer.clear();
}

// Closes an object by close(), by its destructor, by assignment, and by an exception.
template <typename Object, typename Make>
void name_is_removed_where_wanted(const std::string &name, Make make) {
    const auto is_there = [&] { return segment_exists(name.c_str()); };
    const Object holder = make(); // On Windows the name ends with the last handle.
    {
        const auto kept = Object::open(name);
    }
    CHECK(is_there());
    {
        auto opened = Object::open(name);
        opened.clear_on_close(true);
        CHECK(opened.clear_on_close());
        Object moved = std::move(opened);
        CHECK(moved.clear_on_close() && !opened.clear_on_close());
    }
    CHECK(!is_there());
    Object closed = make();
    closed.clear_on_close(true);
    closed.close();
    CHECK(!is_there());
    Object assigned = make();
    assigned.clear_on_close(true);
    assigned = Object();
    CHECK(!is_there());
    CHECK(throws(error_code::not_found, "missing", [&] {
        Object left = make();
        left.clear_on_close(true);
        (void)shmcv::probe("missing.png");
    }));
    CHECK(!is_there());
    Object old = make();
    old.clear_on_close(true);
    old.clear();
    Object young = make();
    CHECK(throws(error_code::not_found, "another", [&] { old.clear(); }));
    old.close();
    CHECK(is_there());
    young.clear();
}

TEST(name_of_a_segment_is_removed_by_closing_where_wanted) {
    const std::string name = new_name();
    name_is_removed_where_wanted<segment>(name, [&] { return segment::create(name, 10); });
}

TEST(name_of_a_stream_is_removed_by_closing_where_wanted) {
    const std::string name = new_name();
    name_is_removed_where_wanted<shmcv::stream>(name, [&] { return shmcv::stream::create(name, 10); });
}

TEST(segment_knows_its_name_size_and_image) {
    const std::string name = new_name();
    auto seg = segment::create(name, 600);
    CHECK(seg.name() == name);
    CHECK_INT(600, seg.size());
    CHECK_INT(600, seg.bytes().size());
    CHECK(throws(error_code::no_image, "image", [&] { (void)seg.image(); }));
    seg.set_image(shmcv::make_image_info(20, 10, color_order::rgb));
    CHECK_INT(60, seg.image().stride);
    CHECK_INT(600, shmcv::image_size(seg.image()));
    CHECK_INT(599, shmcv::image_size(shmcv::make_image_info(19, 10, color_order::rgb, shmcv::depth::u8, 60)) + 2);
    CHECK_INT(40 * 9 + 40, shmcv::image_size(shmcv::make_image_info(5, 10, color_order::rgba, shmcv::depth::u16)));
}

TEST(bytes_are_a_range_over_the_segments_memory) {
    auto seg = segment::create(new_name(), 256);
    unsigned char next = 0;
    for (std::byte &byte : seg.bytes()) byte = std::byte{next++};
    const segment &reader = seg;
    int sum = 0;
    for (const std::byte byte : reader.bytes()) sum += std::to_integer<int>(byte);
    CHECK_INT(255 * 256 / 2, sum);
    CHECK(seg.bytes()[255] == std::byte{255});
    CHECK(!seg.bytes().empty());
}

TEST(open_shares_and_close_ends) {
    const std::string name = new_name();
    auto writer = segment::create(name, 16);
    auto reader = segment::open(name);
    writer.data()[3] = std::byte{7};
    CHECK(reader.data()[3] == std::byte{7});
    reader.close();
    CHECK(!reader);
    CHECK(throws(error_code::closed, "handle", [&] { reader.close(); }));
    CHECK(throws(error_code::closed, "handle", [&] { (void)reader.data(); }));
    CHECK(writer.data()[3] == std::byte{7});
}

TEST(destructor_closes_the_handle) {
    shmcv_segment handle;
    {
        auto seg = segment::create(new_name(), 16);
        handle = seg.handle();
        CHECK_OK(shmcv_data(handle, nullptr, nullptr));
    }
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_data(handle, nullptr, nullptr));
}

TEST(moving_hands_the_handle_over) {
    auto one = segment::create(new_name(), 16);
    const shmcv_segment first = one.handle();
    segment two = std::move(one);
    CHECK(!one); // NOLINT: the state after a move is defined
    CHECK(two.handle().handle == first.handle);
    two = segment::create(new_name(), 32); // the assignment closes the old handle
    CHECK_FAILS(SHMCV_E_CLOSED, "", shmcv_data(first, nullptr, nullptr));
    CHECK_INT(32, two.size());
    segment &same = two;
    two = std::move(same);
    CHECK_INT(32, two.size());
    std::vector<segment> many;
    for (int i = 0; i < 10; i++) many.push_back(segment::create(new_name(), 16));
    CHECK_INT(16, many.front().size());
}

TEST(an_empty_segment_is_refused) {
    segment none;
    CHECK(!none);
    CHECK(throws(error_code::closed, "handle", [&] { none.load(photograph); }));
}

TEST(errors_carry_code_and_message) {
    const std::string name = new_name();
    CHECK(throws(error_code::not_found, name, [&] { (void)segment::open(name); }));
    auto seg = segment::create(name, 16);
    CHECK(throws(error_code::exists, name, [&] { (void)segment::create(name, 16); }));
    CHECK(throws(error_code::invalid, "", [] { (void)segment::create("a/b", 16); }));
    CHECK(throws(error_code::too_small, "24883200", [&] { seg.load(photograph); }));
    CHECK(throws(error_code::not_found, "nothing.png", [&] { seg.load("/nothing.png"); }));
    CHECK(throws(error_code::decode, "", [&] { seg.load(std::filesystem::path(SHMCV_TESTDATA) / "truncated.png"); }));
    CHECK(throws(error_code::no_image, "", [&] { seg.save(temporary("never.png")); }));
    CHECK(throws(error_code::invalid, "0 x 1", [&] { seg.set_image(shmcv::make_image_info(0, 1, color_order::gray)); }));
    CHECK(throws(error_code::invalid, "7", [&] {
        seg.set_image(shmcv::make_image_info(1, 1, color_order::gray));
        seg.flip(static_cast<shmcv::flip_code>(7));
    }));
}

TEST(a_nul_inside_a_string_is_refused) {
    using namespace std::string_view_literals;
    CHECK(throws(error_code::invalid, "NUL", [] { (void)segment::create("cut\0short"sv, 16); }));
    CHECK(throws(error_code::invalid, "NUL", [] { shmcv::clear("cut\0short"sv); }));
    auto seg = segment::create(new_name(), 16);
    CHECK(throws(error_code::invalid, "NUL", [&] { seg.load(std::string("cut\0short.png"sv)); }));
    CHECK(throws(error_code::invalid, "NUL", [&] { seg.show("cut\0short"sv); }));
}

TEST(bytes_go_in_and_come_out) {
    std::size_t size = 0;
    const std::unique_ptr<unsigned char, decltype(&std::free)> file(read_file(small.string().c_str(), &size), std::free);
    const auto image = shmcv::probe(file.get(), size);
    auto photo = segment::create(new_name(), image);
    CHECK_INT(67, photo.decode(file.get(), size).width);
    const std::vector<std::byte> encoded = photo.encode(".png", 9);
    CHECK(encoded.size() > 100 && encoded.size() <= shmcv::encode_bound(image, ".png"));
    auto again = segment::create(new_name(), image);
    CHECK_INT(43, again.decode(encoded.data(), encoded.size()).height);
    CHECK(std::equal(photo.bytes().begin(), photo.bytes().end(), again.bytes().begin()));
    CHECK(throws(error_code::decode, "10 bytes", [&] { photo.decode(file.get(), 10); }));
    CHECK(throws(error_code::unsupported, ".gif", [&] { (void)photo.encode(".gif"); }));
    CHECK(throws(error_code::unsupported, "gif", [&] { (void)shmcv::encode_bound(image, "gif"); }));
}

TEST(load_takes_options) {
    const std::filesystem::path photograph = std::filesystem::path(SHMCV_TESTDATA) / "photograph.jpg";
    shmcv::load_options options;
    options.width = 320;
    options.order = shmcv::color_order::bgra;
    auto seg = segment::from_file(new_name(), photograph, options);
    CHECK_INT(320 * 180 * 4, seg.size());
    CHECK_INT(180, shmcv::probe(photograph, options).height);
    const auto shown = seg.load(photograph, options);
    CHECK_INT(320, shown.width);
    CHECK_INT(SHMCV_ORDER_BGRA, shown.order);

    shmcv::load_options part;
    part.x = 8, part.y = 16, part.region_width = 160, part.region_height = 80, part.scale = 8;
    std::size_t size = 0;
    const std::unique_ptr<unsigned char, decltype(&std::free)> file(read_file(photograph.string().c_str(), &size), std::free);
    CHECK_INT(20, shmcv::probe(file.get(), size, part).width);
    CHECK_INT(10, seg.decode(file.get(), size, part).height);
    part.width = 5;
    CHECK(throws(error_code::invalid, "scale 8 and width 5", [&] { seg.load(photograph, part); }));
}

TEST(load_takes_flags) {
    auto seg = segment::create(new_name(), 1 << 16);
    CHECK_INT(1, seg.load(small, shmcv::load_flags::gray).channels);
    CHECK_INT(4, seg.load(small, shmcv::load_flags::bgra).channels);
    const auto deep = std::filesystem::path(SHMCV_TESTDATA) / "small-gray16.png";
    CHECK_INT(SHMCV_DEPTH_U16, seg.load(deep, shmcv::load_flags::gray | shmcv::load_flags::any_depth).depth);
    CHECK_INT(SHMCV_DEPTH_U8, seg.load(deep, shmcv::load_flags::gray).depth);
    CHECK_INT(SHMCV_DEPTH_U16, shmcv::probe(deep, shmcv::load_flags::unchanged).depth);
}

TEST(convert_and_copies_reorder_channels) {
    auto seg = segment::create(new_name(), 64);
    const std::vector<unsigned char> bgr = {1, 2, 3, 4, 5, 6};
    const shmcv::image_info layout = shmcv::make_image_info(2, 1, color_order::bgr);
    seg.write(layout, bgr.data(), bgr.size(), color_order::bgra);
    CHECK_INT(4, seg.image().channels);
    CHECK(seg.data()[3] == std::byte{255});
    auto other = segment::create(new_name(), 64);
    seg.convert_into(other, color_order::rgb);
    CHECK(other.data()[0] == std::byte{3});
    std::vector<unsigned char> back(6);
    other.read(layout, back.data(), back.size());
    CHECK(back == bgr);
}

TEST(copy_comes_with_its_description) {
    auto seg = segment::create(new_name(), 64);
    const std::vector<unsigned char> bgr = {1, 2, 3, 4, 5, 6};
    seg.write(shmcv::make_image_info(2, 1, color_order::bgr), bgr.data(), bgr.size(), color_order::bgr);
    std::vector<std::byte> copy;
    shmcv::image_info image = seg.read(copy);
    CHECK_INT(6, copy.size());
    CHECK_INT(2, image.width);
    CHECK_INT(SHMCV_ORDER_BGR, image.order);
    CHECK(copy[5] == std::byte{6});
    shmcv::image_info wanted{};
    wanted.order = SHMCV_ORDER_GRAY;
    image = seg.read(copy, wanted);
    CHECK_INT(2, copy.size());
    CHECK_INT(1, image.channels);
    std::vector<std::byte> large(100);
    CHECK_INT(3 * 2, seg.read({}, large.data(), large.size()).stride);
    CHECK(throws(error_code::too_small, "6 bytes", [&] { seg.read({}, large.data(), 5); }));
}

TEST(read_only_segment_has_what_reads) {
    const std::string name = new_name();
    auto seg = segment::create(name, 64);
    seg.set_image(shmcv::make_image_info(4, 4, color_order::bgr));
    auto reader = shmcv::read_only_segment::open(name);
    static_assert(std::is_same_v<const std::byte *, decltype(reader.data())>);
    static_assert(!std::is_base_of_v<shmcv::writable_pixels, shmcv::read_only_segment>);
    static_assert(std::is_same_v<const std::byte *, decltype(std::declval<shmcv::frame &>().data())>);
    CHECK_INT(64, reader.size());
    CHECK_INT(4, reader.image().width);
    CHECK_INT(1, reader.sequence());
    CHECK_INT(1, reader.wait(0));
    std::vector<std::byte> copy;
    CHECK_INT(4, reader.read(copy).height);
    reader.flip_into(seg, shmcv::flip_code::horizontal);
    shmcv::image_info image = reader.image();
    CHECK_INT(SHMCV_E_PERMISSION, shmcv_image_set(reader.handle(), &image));
    auto moved = std::move(reader);
    CHECK(moved && !reader);
    moved.close();
    CHECK(throws(error_code::not_found, "nowhere", [&] { (void)shmcv::read_only_segment::open("nowhere"); }));
}

static_assert(std::is_same_v<decltype(std::declval<const segment &>().view(0, 0, 1, 1)), shmcv::view>);
static_assert(std::is_same_v<decltype(std::declval<segment &>().view(0, 0, 1, 1)), shmcv::writable_view>);
static_assert(std::is_nothrow_move_constructible_v<shmcv::view> && !std::is_copy_constructible_v<shmcv::writable_view>);

TEST(view_is_a_region_of_the_memory) {
    auto seg = segment::create(new_name(), shmcv::make_image_info(10, 8, color_order::bgr));
    std::memset(seg.data(), 7, seg.size());
    const auto crop = std::as_const(seg).view(2, 3, 5, 4);
    CHECK(crop.data() == std::as_const(seg).data() + 3 * 30 + 6);
    CHECK_INT(3 * 30 + 15, crop.size());
    CHECK_INT(30, crop.image().stride);
    const auto inner = crop.view(1, 1, 2, 2);
    CHECK(inner.data() == crop.data() + 33);
    CHECK(throws(error_code::invalid, "x 9 on, of width 2", [&] { (void)seg.view(9, 0, 2, 1); }));
    CHECK(throws(error_code::invalid, "width and height", [&] { (void)seg.view(0, 0, 0, 1); }));
    auto moved = seg.view(0, 0, 1, 1);
    moved = seg.view(1, 1, 4, 4);
    CHECK_INT(4, moved.image().width);
    seg.close();
    moved.rotate(shmcv::rotate_code::rotate_90_clockwise);
    moved.close();
    CHECK(throws(error_code::closed, "", [&] { moved.flip(shmcv::flip_code::both); }));
    CHECK_INT(7, std::to_integer<int>(inner.data()[0]));
}

TEST(pictures_are_cropped_pasted_resized_and_turned) {
    auto photo = segment::from_file(new_name(), small);
    auto target = segment::create(new_name(), shmcv::make_image_info(67, 43, color_order::bgr));
    auto place = target.view(10, 5, 33, 21);
    photo.resize_into(place, 33, 21, shmcv::interpolation::area);
    CHECK(throws(error_code::invalid, "must agree", [&] { photo.copy_into(place); }));
    auto crop = segment::create(new_name(), 67 * 43 * 3), whole = segment::create(new_name(), 33 * 21 * 3);
    place.copy_into(crop);
    photo.resize_into(whole, 33, 21, shmcv::interpolation::area);
    CHECK(std::memcmp(crop.data(), whole.data(), 33 * 21 * 3) == 0);
    photo.rotate_into(crop, shmcv::rotate_code::rotate_90_counterclockwise);
    CHECK_INT(43, crop.image().width);
    crop.rotate(shmcv::rotate_code::rotate_90_clockwise);
    CHECK(std::memcmp(crop.data(), photo.data(), 67 * 43 * 3) == 0);
    CHECK(throws(error_code::invalid, "overlap", [&] { photo.resize_into(photo, 3, 3); }));
}

TEST(view_of_a_frame_ends_with_the_frame) {
    auto stream = shmcv::stream::create(new_name(), 300);
    stream.clear_on_close(true);
    auto begun = stream.begin();
    begun.set_image(shmcv::make_image_info(10, 10, color_order::bgr));
    auto place = begun.view(1, 1, 2, 2);
    place.flip(shmcv::flip_code::both);
    begun.publish();
    CHECK(throws(error_code::closed, "published", [&] { place.flip(shmcv::flip_code::both); }));
}

TEST(list_clear_and_clear_all) {
    const std::string kept = new_name(), cleared = new_name();
    auto one = segment::create(kept, 123), two = segment::create(cleared, 16);
    const auto count = [](const std::string &name) {
        int found = 0;
        for (const shmcv::segment_info &info : shmcv::list()) found += name == info.name;
        return found;
    };
    CHECK_INT(1, count(kept));
    CHECK_INT(1, count(cleared));
    two.clear();
    CHECK_INT(0, count(cleared));
    CHECK_INT(1, count(kept));
    CHECK(throws(error_code::not_found, cleared, [&] { shmcv::clear(cleared); }));
    shmcv::clear_all();
    CHECK_INT(0, count(kept));
    CHECK_INT(123, one.size());
}

TEST(windows_without_a_display_are_an_exception) {
    auto seg = segment::create(new_name(), 64);
    seg.set_image(shmcv::make_image_info(4, 4, color_order::bgr));
    CHECK(throws(error_code::no_display, "", [&] { seg.show("window"); }));
    CHECK_INT(shmcv::no_key, shmcv::delay(std::chrono::milliseconds(1)));
    shmcv::close_window("window");
    shmcv::close_windows();
}

TEST(version_is_the_headers) {
    CHECK(shmcv::version() == SHMCV_VERSION);
    CHECK(shmcv::abi_version() == std::make_pair(std::uint32_t{SHMCV_ABI_MAJOR}, std::uint32_t{SHMCV_ABI_MINOR}));
}
