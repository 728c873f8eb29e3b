/// @file shmcv.hpp
/// shmcv for C++17: images in named shared memory. A thin layer over shmcv.h, which documents what each operation does;
/// here are handles that close themselves, exceptions instead of codes, and types instead of numbers.
///
///     #include <shmcv.hpp>
///     #include <iostream>
///
///     int main() try {
///         auto photo = shmcv::segment::create("photo", 3840 * 2160 * 3);
///         auto mirrored = shmcv::segment::create("mirrored", 3840 * 2160 * 3);
///         photo.load("photograph.jpg");
///         photo.flip_into(mirrored, shmcv::flip_code::horizontal);
///         mirrored.save("mirrored.png");
///         shmcv::clear_all();
///     } catch (const shmcv::error &problem) {
///         std::cerr << problem.what() << '\n';
///         return 1;
///     }
///
/// Errors: every function throws shmcv::error unless it is noexcept, with the code and the message of the C function.
/// Threads: every function may be called from every thread; one shmcv::segment object is not to be moved, assigned or
/// closed by one thread while another uses that object.
#ifndef SHMCV_HPP
#define SHMCV_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shmcv.h"

namespace shmcv {

/// What went wrong; the values are those of the SHMCV_E_ constants.
enum class errc : std::int32_t {
    invalid = SHMCV_E_INVALID,
    not_found = SHMCV_E_NOT_FOUND,
    exists = SHMCV_E_EXISTS,
    closed = SHMCV_E_CLOSED,
    no_space = SHMCV_E_NO_SPACE,
    too_small = SHMCV_E_TOO_SMALL,
    truncated = SHMCV_E_TRUNCATED,
    no_image = SHMCV_E_NO_IMAGE,
    permission = SHMCV_E_PERMISSION,
    decode = SHMCV_E_DECODE,
    encode = SHMCV_E_ENCODE,
    unsupported = SHMCV_E_UNSUPPORTED,
    io = SHMCV_E_IO,
    no_display = SHMCV_E_NO_DISPLAY,
    forked = SHMCV_E_FORKED,
    corrupt = SHMCV_E_CORRUPT,
    limit = SHMCV_E_LIMIT,
    busy = SHMCV_E_BUSY,
    timeout = SHMCV_E_TIMEOUT,
    internal = SHMCV_E_INTERNAL,
};

/// Type of one sample.
enum class depth : std::uint32_t {
    u8 = SHMCV_DEPTH_U8,   ///< 8-bit unsigned
    u16 = SHMCV_DEPTH_U16, ///< 16-bit unsigned, in the machine's byte order
    f32 = SHMCV_DEPTH_F32, ///< 32-bit floating point
};

/// Meaning and order of a pixel's channels in memory.
enum class order : std::uint32_t {
    gray = SHMCV_ORDER_GRAY,
    bgr = SHMCV_ORDER_BGR,
    bgra = SHMCV_ORDER_BGRA,
    rgb = SHMCV_ORDER_RGB,
    rgba = SHMCV_ORDER_RGBA,
};

/// Direction of a flip, as OpenCV numbers them.
enum class flip_code : std::int32_t {
    vertical = SHMCV_FLIP_VERTICAL,     ///< top and bottom change places
    horizontal = SHMCV_FLIP_HORIZONTAL, ///< left and right change places
    both = SHMCV_FLIP_BOTH,             ///< both: a rotation by 180 degrees
};

/// Which channels and depth a loaded file should have. any_depth is added to color or gray by operator|.
enum class load_flags : std::int32_t {
    color = SHMCV_LOAD_COLOR,
    gray = SHMCV_LOAD_GRAY,
    unchanged = SHMCV_LOAD_UNCHANGED,
    bgra = SHMCV_LOAD_BGRA,
    any_depth = SHMCV_LOAD_ANY_DEPTH,
};

constexpr load_flags operator|(load_flags a, load_flags b) noexcept {
    return static_cast<load_flags>(static_cast<std::int32_t>(a) | static_cast<std::int32_t>(b));
}

/// A call that failed. what() says what was asked, what was found and what to do.
class error : public std::runtime_error {
  public:
    error(errc code, const std::string &message) : std::runtime_error(message), code_(code) {}

    [[nodiscard]] errc code() const noexcept { return code_; }

  private:
    errc code_;
};

namespace detail {

/// Throws what the last call on this thread said, unless status is SHMCV_OK.
inline void check(std::int32_t status) {
    if (status == SHMCV_OK) return;
    char message[1024] = "";
    shmcv_last_error(message, sizeof message);
    throw error(static_cast<errc>(status), message);
}

/// A copy of text with its NUL, for C. A NUL inside would cut the text short without a word.
inline std::string c_string(const char *argument, std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        throw error(errc::invalid, std::string("shmcv: ") + argument + " has a NUL in it");
    return std::string(text);
}

inline std::string c_string(const std::filesystem::path &path) {
    const auto text = path.u8string(); // std::string in C++17, std::u8string from C++20 on
    return c_string("path", std::string(text.begin(), text.end()));
}

/// A time as C takes it; negative means without an end.
inline std::int32_t timeout(std::chrono::milliseconds time) noexcept {
    using count = std::chrono::milliseconds::rep;
    const auto longest = static_cast<count>(std::numeric_limits<std::int32_t>::max());
    return static_cast<std::int32_t>(std::clamp(time.count(), count{-1}, longest));
}

/// Refuses a library whose structures differ from those that this header was compiled with.
inline void require_library() {
    constexpr std::uint32_t compiled = std::uint32_t{SHMCV_ABI_MAJOR} << 16 | SHMCV_ABI_MINOR;
    static const std::uint32_t found = shmcv_abi_version();
    if (found >> 16 == compiled >> 16 && found >= compiled) return;
    const auto text = [](std::uint32_t v) { return std::to_string(v >> 16) + "." + std::to_string(v & 0xffff); };
    throw error(errc::unsupported, "shmcv: this program was compiled for ABI version " + text(compiled) +
                                       ", and the libshmcv that was found has " + text(found) +
                                       "; compile the program again, or install the library that it was made for");
}

} // namespace detail

/// Bytes of somebody else's memory, as std::span<std::byte> is from C++20 on (which can be made from it).
template <typename Byte>
class basic_bytes {
  public:
    constexpr basic_bytes() noexcept = default;
    constexpr basic_bytes(Byte *data, std::size_t size) noexcept : data_(data), size_(size) {}

    [[nodiscard]] constexpr Byte *data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr Byte *begin() const noexcept { return data_; }
    [[nodiscard]] constexpr Byte *end() const noexcept { return data_ + size_; }
    [[nodiscard]] constexpr Byte &operator[](std::size_t index) const noexcept { return data_[index]; }

  private:
    Byte *data_ = nullptr;
    std::size_t size_ = 0;
};

using bytes = basic_bytes<std::byte>;
using const_bytes = basic_bytes<const std::byte>;

/// Number of samples in a pixel.
[[nodiscard]] constexpr std::uint32_t channels(order o) noexcept {
    return o == order::gray ? 1 : o == order::bgr || o == order::rgb ? 3 : 4;
}

/// Describes pixels. width and height are in pixels; stride is in bytes, 0 for rows without gaps.
[[nodiscard]] inline shmcv_image_info make_image(std::uint32_t width, std::uint32_t height, order o, depth d = depth::u8,
                                            std::uint64_t stride = 0) noexcept {
    shmcv_image_info image{};
    image.width = width;
    image.height = height;
    image.channels = channels(o);
    image.depth = static_cast<std::uint32_t>(d);
    image.order = static_cast<std::uint32_t>(o);
    image.stride = stride;
    return image;
}

/// Bytes that an image takes from its first to its last: what a segment for it is created with.
[[nodiscard]] inline std::uint64_t size_of(const shmcv_image_info &image) noexcept {
    const std::uint64_t sample = image.depth == SHMCV_DEPTH_F32 ? 4 : image.depth == SHMCV_DEPTH_U16 ? 2 : 1;
    const std::uint64_t row = std::uint64_t{image.width} * image.channels * sample;
    const std::uint64_t stride = image.stride != 0 ? image.stride : row;
    return image.height == 0 ? 0 : (image.height - 1) * stride + row;
}

/// An open segment. Owns its handle: closed when destroyed. Move-only. The segment itself stays until clear().
class segment {
  public:
    /// No segment: every operation on it is errc::closed.
    segment() noexcept = default;

    /// Makes a segment for size bytes of pixels, all zero, and opens it. errc::exists when the name is taken.
    [[nodiscard]] static segment create(std::string_view name, std::uint64_t size) {
        detail::require_library();
        segment made;
        detail::check(shmcv_create(detail::c_string("name", name).c_str(), size, &made.handle_));
        return made;
    }

    /// Opens a segment that somebody has created. errc::not_found when there is none of that name.
    [[nodiscard]] static segment open(std::string_view name) {
        detail::require_library();
        segment opened;
        detail::check(shmcv_open(detail::c_string("name", name).c_str(), &opened.handle_));
        return opened;
    }

    segment(segment &&other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
    segment &operator=(segment &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = std::exchange(other.handle_, 0);
        }
        return *this;
    }
    segment(const segment &) = delete;
    segment &operator=(const segment &) = delete;
    ~segment() { abandon(); }

    /// Closes now what the destructor would close; pointers from data() are invalid then. errc::closed the second time.
    void close() { detail::check(shmcv_close(std::exchange(handle_, 0))); }

    /// Whether this object holds a handle.
    [[nodiscard]] explicit operator bool() const noexcept { return handle_ != 0; }

    /// The handle, for functions of shmcv.h; it stays this object's.
    [[nodiscard]] shmcv_segment handle() const noexcept { return handle_; }

    /// What is known of the segment: name, sizes, owner, image.
    [[nodiscard]] shmcv_segment_info info() const {
        shmcv_segment_info info;
        detail::check(shmcv_info(handle_, &info));
        return info;
    }

    [[nodiscard]] std::string name() const { return info().name; }

    /// Bytes for pixels.
    [[nodiscard]] std::size_t size() const { return memory().size(); }

    /// The pixels' memory, from the first byte on; it belongs to the segment and is valid until it is closed.
    [[nodiscard]] std::byte *data() { return memory().data(); }
    [[nodiscard]] const std::byte *data() const { return memory().data(); }

    /// All of that memory.
    [[nodiscard]] shmcv::bytes bytes() { return memory(); }
    [[nodiscard]] const_bytes bytes() const {
        const shmcv::bytes all = memory();
        return {all.data(), all.size()};
    }

    /// The image in the segment. errc::no_image before one has been stored.
    [[nodiscard]] shmcv_image_info image() const {
        shmcv_image_info found;
        detail::check(shmcv_image_get(handle_, &found));
        return found;
    }

    /// Says what the pixels mean, which are not touched. errc::too_small when the image does not fit.
    void set_image(const shmcv_image_info &image) { detail::check(shmcv_image_set(handle_, &image)); }

    /// Decodes an image file straight into the segment. An image that was there is still there when it throws.
    shmcv_image_info load(const std::filesystem::path &path, load_flags flags = load_flags::color) {
        shmcv_image_info loaded;
        detail::check(shmcv_load(handle_, detail::c_string(path).c_str(), static_cast<std::int32_t>(flags), &loaded));
        return loaded;
    }

    /// Writes the image to a file, in the format that the extension names; see shmcv_save for quality.
    void save(const std::filesystem::path &path, int quality = SHMCV_QUALITY_DEFAULT) const {
        detail::check(shmcv_save(handle_, detail::c_string(path).c_str(), quality));
    }

    /// Copies the image into memory of the caller's that is laid out as layout says, converting the colour order.
    void read_pixels(const shmcv_image_info &layout, void *pixels) const {
        detail::check(shmcv_read_pixels(handle_, &layout, pixels));
    }

    /// Copies pixels of the caller's, laid out as layout says, into the segment, in the colour order o.
    void write_pixels(const shmcv_image_info &layout, const void *pixels, order o) {
        detail::check(shmcv_write_pixels(handle_, &layout, pixels, static_cast<std::int32_t>(o)));
    }

    /// Mirrors the image into another segment, whose image it becomes.
    void flip_into(segment &target, flip_code code) const {
        detail::check(shmcv_flip(handle_, target.handle_, static_cast<std::int32_t>(code)));
    }

    /// Mirrors the image in place.
    void flip(flip_code code) { flip_into(*this, code); }

    /// Copies the image into another segment (or this one) in another colour order.
    void convert_into(segment &target, order o) const {
        detail::check(shmcv_convert(handle_, target.handle_, static_cast<std::int32_t>(o)));
    }

    /// Draws the image in the window of that name. errc::no_display where there is nothing to draw on.
    void show(std::string_view window) const {
        detail::check(shmcv_show(detail::c_string("window", window).c_str(), handle_));
    }

    /// How often an image has been stored in it, by whatever process.
    [[nodiscard]] std::uint64_t image_sequence() const {
        std::uint64_t sequence = 0;
        detail::check(shmcv_image_sequence(handle_, &sequence));
        return sequence;
    }

    /// Waits until more than newer_than images have been stored, and gives how many have; errc::timeout when the time is
    /// up. A negative time waits without an end.
    std::uint64_t wait_image(std::uint64_t newer_than, std::chrono::milliseconds timeout) const {
        std::uint64_t sequence = 0;
        detail::check(shmcv_image_wait(handle_, newer_than, detail::timeout(timeout), &sequence));
        return sequence;
    }

  protected:
    /// Takes a handle over.
    explicit segment(shmcv_segment handle) noexcept : handle_(handle) {}

    /// Gives the handle away, which somebody else closes.
    [[nodiscard]] shmcv_segment release() noexcept { return std::exchange(handle_, 0); }

  private:
    [[nodiscard]] shmcv::bytes memory() const {
        void *data = nullptr;
        std::uint64_t size = 0;
        detail::check(shmcv_data(handle_, &data, &size));
        return {static_cast<std::byte *>(data), static_cast<std::size_t>(size)};
    }

    // Where nobody can be told of an error.
    void abandon() noexcept {
        if (handle_ != 0) shmcv_close(std::exchange(handle_, 0));
    }

    shmcv_segment handle_ = 0; // 0 is never given out
};

/// A frame of a stream: one to fill, from stream::begin, or one to read, from stream::wait. Everything that a segment does
/// it does too, except that a frame to read is not written to. The destructor gives the frame back: unpublished if it was
/// to be filled, which nobody ever sees.
class frame : public segment {
  public:
    /// No frame.
    frame() noexcept = default;

    /// Its number, 1 for the stream's first; 0 for one to fill.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return info_.sequence; }

    /// Number, time of publishing (CLOCK_MONOTONIC, nanoseconds), how many were missed, and image; of a frame to read.
    [[nodiscard]] const shmcv_frame_info &frame_info() const noexcept { return info_; }

    /// Makes it the stream's newest, and gives the number that it got. It is closed then. errc::no_image when nothing has
    /// said what the pixels mean; it is still open then.
    std::uint64_t publish() {
        std::uint64_t sequence = 0;
        detail::check(shmcv_stream_publish(handle(), &sequence));
        (void)release();
        return sequence;
    }

  private:
    friend class stream;
    explicit frame(shmcv_segment handle, const shmcv_frame_info &info = {}) noexcept : segment(handle), info_(info) {}

    shmcv_frame_info info_{};
};

/// A stream of frames, from one writer to any number of readers. Closed when destroyed; move-only. Frames outlive it.
class stream : private segment {
  public:
    stream() noexcept = default;

    /// Makes a stream of frames of at most slot_size bytes; slots is 2 to 16: one for each reader, and 2.
    [[nodiscard]] static stream create(std::string_view name, std::uint64_t slot_size, std::uint32_t slots = 0) {
        detail::require_library();
        shmcv_segment made = 0;
        detail::check(shmcv_create_stream(detail::c_string("name", name).c_str(), slot_size, slots, &made));
        return stream(made);
    }

    /// Opens a stream that somebody has created. errc::not_found when there is none of that name.
    [[nodiscard]] static stream open(std::string_view name) {
        detail::require_library();
        shmcv_segment opened = 0;
        detail::check(shmcv_open(detail::c_string("name", name).c_str(), &opened));
        stream found(opened);
        if (found.info().slots == 0)
            throw error(errc::invalid, "shmcv: \"" + std::string(name) + "\" is a segment and no stream; open it as one");
        return found;
    }

    using segment::close;
    using segment::handle;
    using segment::info;
    using segment::name;
    using segment::operator bool;

    /// A free slot to fill, and to publish. The first one makes this object the stream's writer. errc::busy when there
    /// is another, when the frame before is still open, and when readers hold all slots.
    [[nodiscard]] frame begin() {
        shmcv_segment begun = 0;
        detail::check(shmcv_stream_begin(handle(), &begun));
        return frame(begun);
    }

    /// The newest frame with a number above newer_than, which stays as it is until the frame is destroyed. errc::timeout
    /// when there is none in that time; a negative time waits without an end.
    [[nodiscard]] frame wait(std::uint64_t newer_than = 0, std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
        shmcv_segment leased = 0;
        shmcv_frame_info info{};
        detail::check(shmcv_stream_wait(handle(), newer_than, detail::timeout(timeout), &leased, &info));
        return frame(leased, info);
    }

  private:
    explicit stream(shmcv_segment handle) noexcept : segment(handle) {}
};

/// Removes the names of segments that nobody has open and whose creator is gone; gives how many there were.
inline std::uint32_t sweep() {
    std::uint32_t removed = 0;
    detail::check(shmcv_sweep(&removed));
    return removed;
}

/// Removes a segment's name, whoever created it; those who have it open keep it.
inline void clear(std::string_view name) { detail::check(shmcv_clear(detail::c_string("name", name).c_str())); }

/// Removes the names of all segments that this process created.
inline void clear_all() { detail::check(shmcv_clear_all()); }

/// All segments of this user, in the order of their names.
[[nodiscard]] inline std::vector<shmcv_segment_info> list() {
    detail::require_library();
    std::vector<shmcv_segment_info> infos;
    std::uint64_t count = 0;
    do { // again when some have been created since they were counted
        infos.resize(static_cast<std::size_t>(count));
        detail::check(shmcv_list(infos.data(), infos.size(), &count));
    } while (count > infos.size());
    infos.resize(static_cast<std::size_t>(count));
    return infos;
}

/// The image that segment::load would store, from the file's header alone; size_of() gives the bytes it needs.
[[nodiscard]] inline shmcv_image_info probe(const std::filesystem::path &path, load_flags flags = load_flags::color) {
    detail::require_library();
    shmcv_image_info image;
    detail::check(shmcv_probe(detail::c_string(path).c_str(), static_cast<std::int32_t>(flags), &image));
    return image;
}

/// Lets the windows live for that long, or until a key is pressed in one: its character code, or nothing when the time
/// is up. A time of 0 or less waits for a key without an end.
inline std::optional<int> delay(std::chrono::milliseconds time) {
    using milliseconds = std::chrono::milliseconds::rep;
    const auto longest = static_cast<milliseconds>(std::numeric_limits<std::int32_t>::max());
    std::int32_t key = -1;
    detail::check(shmcv_delay(static_cast<std::int32_t>(std::clamp(time.count(), milliseconds{0}, longest)), &key));
    return key < 0 ? std::nullopt : std::optional<int>(key);
}

/// Closes the window of that name. One that is not open is no error.
inline void close_window(std::string_view window) {
    detail::check(shmcv_close_window(detail::c_string("window", window).c_str()));
}

/// Closes all windows that this process has opened here.
inline void close_windows() { detail::check(shmcv_close_windows()); }

/// The version of the library that is in use, for example "0.1.0".
[[nodiscard]] inline std::string version() { return shmcv_version(); }

} // namespace shmcv

#endif
