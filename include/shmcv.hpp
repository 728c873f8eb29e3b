/// @file shmcv.hpp
/// shmcv for C++17: images in named shared memory. A thin layer over shmcv.h, which documents each operation. This layer
/// adds handles that close themselves, exceptions instead of codes, and types instead of numbers.
///
///     #include <shmcv.hpp>
///     #include <iostream>
///
///     int main() try {
///         auto photo = shmcv::segment::create("photo", 3840 * 2160 * 3);
///         photo.clear_on_close(true); // the name goes with this object, also when an exception comes
///         auto mirrored = shmcv::segment::create("mirrored", 3840 * 2160 * 3);
///         mirrored.clear_on_close(true);
///         photo.load("photograph.jpg");
///         photo.flip_into(mirrored, shmcv::flip_code::horizontal);
///         mirrored.save("mirrored.png");
///     } catch (const shmcv::error &problem) {
///         std::cerr << problem.what() << '\n';
///         return 1;
///     }
///
/// Errors: every function throws shmcv::error unless it is noexcept, with the code and the message of the C function.
///
/// Threads: every thread may call every function. One object must not be moved, assigned or closed by one thread while
/// another thread uses that object.
#ifndef SHMCV_HPP
#define SHMCV_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shmcv.h"
#include "shmcv_constants.hpp"

namespace shmcv {

/// What is known of a segment, of a frame to read, and of an image. The structures are C's.
using segment_info = shmcv_segment_info;
using frame_info = shmcv_frame_info;
using image_info = shmcv_image_info;

/// Whose a new segment or stream is, and which users may open it: {0640, group_id("video")} lets the group read. By default
/// only this user may open it.
struct access {
    /// 0600, or more of 0664: 0640 lets the group read (read_only_segment::open), 0660 write too (segment::open).
    std::uint32_t mode = 0600;
    /// A group of this process; -1 is the group that the system gives new files. On Windows any account (group_id).
    std::int64_t group = -1;
    /// -1 is the user of this process. Only the superuser can name another user.
    std::int64_t owner = -1;
};

/// A call that failed. what() says what was asked, what was found and what to do.
class error : public std::runtime_error {
  public:
    error(error_code code, const std::string &message) : std::runtime_error(message), code_(code) {}

    [[nodiscard]] error_code code() const noexcept { return code_; }

  private:
    error_code code_;
};

namespace detail {

/// Throws the error of this thread's last call, unless status is SHMCV_OK.
inline void check(std::int32_t status) {
    if (status == SHMCV_OK) return;
    char message[SHMCV_MESSAGE_SIZE] = "";
    shmcv_last_error(message, sizeof message);
    throw error(static_cast<error_code>(status), message);
}

/// Returns a copy of text with its NUL, for C. C would take a NUL inside the text for its end.
inline std::string c_string(const char *argument, std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        throw error(error_code::invalid, std::string("shmcv: ") + argument + " has a NUL in it");
    return std::string(text);
}

inline std::string c_string(const std::filesystem::path &path) {
    const auto text = path.u8string(); // std::string in C++17, std::u8string from C++20 on
    return c_string("path", std::string(text.begin(), text.end()));
}

/// Returns a time as C takes it, in milliseconds, at least lowest.
inline std::int32_t milliseconds(std::chrono::milliseconds time, std::int32_t lowest) noexcept {
    using count = std::chrono::milliseconds::rep;
    const auto longest = static_cast<count>(std::numeric_limits<std::int32_t>::max());
    return static_cast<std::int32_t>(std::clamp(time.count(), static_cast<count>(lowest), longest));
}

/// Returns the timeout of a wait as C takes it. Negative means without an end.
inline std::int32_t timeout(std::chrono::milliseconds time) noexcept { return milliseconds(time, -1); }

/// Returns how often an image has been stored in a segment.
inline std::uint64_t sequence(shmcv_segment handle) {
    std::uint64_t sequence = 0;
    check(shmcv_sequence(handle, &sequence));
    return sequence;
}

/// Waits until more than newer_than images have been stored, and returns how many have been.
inline std::uint64_t wait(shmcv_segment handle, std::uint64_t newer_than, std::chrono::milliseconds time) {
    std::uint64_t sequence = 0;
    check(shmcv_wait(handle, newer_than, timeout(time), &sequence));
    return sequence;
}

/// Returns an access as C takes it.
inline shmcv_access native(const access &who) noexcept {
    shmcv_access given{};
    given.mode = who.mode;
    given.group = who.group;
    given.owner = who.owner;
    return given;
}

/// Throws if the library's structures differ from those that this header was compiled with.
inline void require_library() {
    constexpr std::uint32_t compiled = std::uint32_t{SHMCV_ABI_MAJOR} << 16 | SHMCV_ABI_MINOR;
    static const std::uint32_t found = shmcv_abi_version();
    if (found >> 16 == compiled >> 16 && found >= compiled) return;
    const auto text = [](std::uint32_t v) { return std::to_string(v >> 16) + "." + std::to_string(v & 0xffff); };
    throw error(error_code::unsupported, "shmcv: this program was compiled for ABI version " + text(compiled) +
                                       ", and the libshmcv that was found has " + text(found) +
                                       "; compile the program again, or install the library that it was made for");
}

} // namespace detail

/// Returns the number of the user that name names, by a name or by the number in digits. error_code::not_found if there is
/// no such user.
[[nodiscard]] inline std::int64_t user_id(std::string_view name) {
    detail::require_library();
    std::int64_t id = 0;
    detail::check(shmcv_user_id(detail::c_string("name", name).c_str(), &id));
    return id;
}

/// Does for groups what user_id does for users.
[[nodiscard]] inline std::int64_t group_id(std::string_view name) {
    detail::require_library();
    std::int64_t id = 0;
    detail::check(shmcv_group_id(detail::c_string("name", name).c_str(), &id));
    return id;
}

/// Bytes of memory that something else owns, as std::span<std::byte> from C++20 on (which can be made from it).
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

/// Returns the number of samples in a pixel.
[[nodiscard]] constexpr std::uint32_t channels(color_order order) noexcept {
    return order == color_order::gray ? 1 : order == color_order::bgr || order == color_order::rgb ? 3 : 4;
}

/// Describes pixels. width and height are in pixels. stride is in bytes, 0 for rows without gaps.
[[nodiscard]] inline image_info make_image_info(std::uint32_t width, std::uint32_t height, color_order order,
                                                depth depth = depth::u8, std::uint64_t stride = 0) noexcept {
    image_info image{};
    image.width = width;
    image.height = height;
    image.channels = channels(order);
    image.depth = static_cast<std::uint32_t>(depth);
    image.order = static_cast<std::uint32_t>(order);
    image.stride = stride;
    return image;
}

/// Returns the bytes that an image takes from its first to its last: the size of a segment for it.
/// error_code::invalid for impossible geometry.
[[nodiscard]] inline std::uint64_t image_size(const image_info &image) {
    detail::require_library();
    std::uint64_t size = 0;
    detail::check(shmcv_image_size(&image, &size));
    return size;
}

class writable_pixels;

/// The pixels of a segment or of a frame, as far as they can be read: the base of segment, read_only_segment, frame and
/// new_frame, which own the handle. Move-only.
class pixels {
  public:
    /// Returns true if this object holds a handle.
    [[nodiscard]] explicit operator bool() const noexcept { return handle_.handle != 0; }

    /// Returns the handle of the pixels, for functions of shmcv.h. It stays this object's.
    [[nodiscard]] shmcv_segment handle() const noexcept { return handle_; }

    /// What is known of the segment: name, sizes, owner, image. Of a frame: what is known of its stream, with the frame's
    /// size and image.
    [[nodiscard]] segment_info info() const {
        segment_info info;
        detail::check(shmcv_info(handle_, &info));
        return info;
    }

    /// The segment's name, or that of the frame's stream.
    [[nodiscard]] std::string name() const { return info().name; }

    /// Bytes for pixels.
    [[nodiscard]] std::size_t size() const { return memory().size(); }

    /// The pixels' memory, from the first byte on. It is valid until the object is closed.
    [[nodiscard]] const std::byte *data() const { return memory().data(); }

    /// All of that memory.
    [[nodiscard]] const_bytes bytes() const {
        const shmcv::bytes all = memory();
        return {all.data(), all.size()};
    }

    /// The description of the image. error_code::no_image before one has been stored.
    [[nodiscard]] image_info image() const {
        image_info found;
        detail::check(shmcv_image_get(handle_, &found));
        return found;
    }

    /// Copies the image into buffer, which has capacity bytes and is laid out as layout says, converting the colour order.
    /// What is 0 in layout is taken from the image. Returns the description of the copy: it and the pixels are of one
    /// image, also while another process stores the next one.
    image_info read(const image_info &layout, void *buffer, std::uint64_t capacity) const {
        image_info copied{};
        detail::check(shmcv_read(handle_, &layout, buffer, capacity, &copied));
        return copied;
    }

    /// Copies the image into buffer, which gets the size of the copy. By default the copy is as the image, rows without gaps.
    image_info read(std::vector<std::byte> &buffer, const image_info &layout = {}) const {
        image_info copied{};
        std::int32_t status = SHMCV_OK;
        // Again if a larger image has been stored since the buffer got its size.
        while ((status = shmcv_read(handle_, &layout, buffer.data(), buffer.size(), &copied)) == SHMCV_E_TOO_SMALL)
            buffer.resize(static_cast<std::size_t>(image_size(copied)));
        detail::check(status);
        buffer.resize(static_cast<std::size_t>(image_size(copied)));
        return copied;
    }

    /// Writes the image to a file, in the format that the extension names; see shmcv_save for quality.
    void save(const std::filesystem::path &path, int quality = quality_default) const {
        detail::check(shmcv_save(handle_, detail::c_string(path).c_str(), quality));
    }

    /// Returns what save would write to a file with that extension, ".jpg" for example.
    [[nodiscard]] std::vector<std::byte> encode(std::string_view extension, int quality = quality_default) const {
        const std::string name = detail::c_string("extension", extension);
        std::uint64_t capacity = 0, size = 0;
        const image_info now = image();
        detail::check(shmcv_encode_bound(&now, name.c_str(), &capacity));
        for (;;) { // Again if a larger image has been stored since it was asked for.
            const std::unique_ptr<std::byte[]> buffer(new std::byte[static_cast<std::size_t>(capacity)]);
            const std::int32_t status = shmcv_encode(handle_, name.c_str(), quality, buffer.get(), capacity, &size);
            if (status == SHMCV_OK) return {buffer.get(), buffer.get() + size};
            if (status != SHMCV_E_TOO_SMALL) detail::check(status);
            capacity = size;
        }
    }

    /// Draws the image in the window of that name. error_code::no_display if there is no display.
    void show(std::string_view window) const {
        detail::check(shmcv_show(detail::c_string("window", window).c_str(), handle_));
    }

    /// Mirrors the image into dst, whose image it becomes.
    inline void flip_into(writable_pixels &dst, flip_code code) const;

    /// Copies the image into dst in another colour order. dst may be this object.
    inline void convert_into(writable_pixels &dst, color_order order) const;

  protected:
    pixels() noexcept = default;
    explicit pixels(shmcv_segment handle) noexcept : handle_(handle) {}
    pixels(pixels &&other) noexcept : handle_(other.release()) {}
    ~pixels() = default;

    /// Gives the handle away.
    shmcv_segment release() noexcept { return std::exchange(handle_, shmcv_segment{}); }

    [[nodiscard]] shmcv::bytes memory() const {
        void *data = nullptr;
        std::uint64_t size = 0;
        detail::check(shmcv_data(handle_, &data, &size));
        return {static_cast<std::byte *>(data), static_cast<std::size_t>(size)};
    }

    shmcv_segment handle_{};
};

/// Pixels that can be written too: those of a segment, and of a frame to fill.
class writable_pixels : public pixels {
  public:
    using pixels::bytes;
    using pixels::data;

    /// The pixels' memory, to write. It is valid until the object is closed.
    [[nodiscard]] std::byte *data() { return memory().data(); }
    [[nodiscard]] shmcv::bytes bytes() { return memory(); }

    /// Says what the pixels mean. It does not touch them. error_code::too_small if the image does not fit.
    void set_image(const image_info &image) { detail::check(shmcv_image_set(handle_, &image)); }

    /// Decodes an image file straight into the memory. When it throws, an image that was there is still there.
    image_info load(const std::filesystem::path &path, load_flags flags = load_flags::color) {
        image_info loaded;
        detail::check(shmcv_load(handle_, detail::c_string(path).c_str(), static_cast<std::int32_t>(flags), &loaded));
        return loaded;
    }

    /// Does as load for the size bytes of an image file that are in memory. They must not change meanwhile, unless they are
    /// in a segment or a frame.
    image_info decode(const void *data, std::size_t size, load_flags flags = load_flags::color) {
        image_info decoded;
        detail::check(shmcv_decode(handle_, data, size, static_cast<std::int32_t>(flags), &decoded));
        return decoded;
    }

    /// Copies the pixels in buffer, which has size bytes and is laid out as layout says, into the memory, in the colour
    /// order order. They become the image.
    void write(const image_info &layout, const void *buffer, std::uint64_t size, color_order order) {
        detail::check(shmcv_write(handle_, &layout, buffer, size, static_cast<std::int32_t>(order)));
    }

    /// Mirrors the image in place.
    void flip(flip_code code) { flip_into(*this, code); }

  protected:
    writable_pixels() noexcept = default;
    explicit writable_pixels(shmcv_segment handle) noexcept : pixels(handle) {}
    writable_pixels(writable_pixels &&) noexcept = default;
    ~writable_pixels() = default;
};

inline void pixels::flip_into(writable_pixels &dst, flip_code code) const {
    detail::check(shmcv_flip(handle_, dst.handle(), static_cast<std::int32_t>(code)));
}

inline void pixels::convert_into(writable_pixels &dst, color_order order) const {
    detail::check(shmcv_convert(handle_, dst.handle(), static_cast<std::int32_t>(order)));
}

/// Removes the name of a segment or stream, whichever process created it. Programs that have it open keep it.
inline void clear(std::string_view name) { detail::check(shmcv_clear(detail::c_string("name", name).c_str())); }

/// An open segment. Closed when destroyed; move-only. The segment itself stays until clear().
class segment : public writable_pixels {
  public:
    /// No segment: every operation on it is error_code::closed.
    segment() noexcept = default;

    /// Makes a segment for size bytes of pixels, all zero, and opens it. Those may open it whom who names.
    /// error_code::exists if the name is taken; error_code::permission if this process may not give it to that owner or group.
    [[nodiscard]] static segment create(std::string_view name, std::uint64_t size, const access &who = {}) {
        detail::require_library();
        segment made;
        const shmcv_access given = detail::native(who);
        detail::check(shmcv_create_for(detail::c_string("name", name).c_str(), size, &given, &made.handle_));
        made.created_ = true;
        return made;
    }

    /// Makes a segment for an image, all zero, with that description and the size that the image needs.
    /// error_code::invalid for impossible geometry.
    [[nodiscard]] static segment create(std::string_view name, const image_info &image, const access &who = {}) {
        segment made = create(name, image_size(image), who);
        made.or_nothing([&] { made.set_image(image); });
        return made;
    }

    /// Makes a segment that holds the image of a file, and has the size that the image needs. There is no segment if the
    /// file cannot be loaded.
    [[nodiscard]] static inline segment from_file(std::string_view name, const std::filesystem::path &path,
                                                  load_flags flags = load_flags::color, const access &who = {});

    /// Opens the segment of that name, or makes one for size bytes if there is none; created() tells which.
    /// who is for a new segment. error_code::too_small if the segment that is there has fewer bytes.
    [[nodiscard]] static segment open_or_create(std::string_view name, std::uint64_t size, const access &who = {}) {
        detail::require_library();
        segment opened;
        std::int32_t created = 0;
        const shmcv_access given = detail::native(who);
        detail::check(shmcv_open_or_create_for(detail::c_string("name", name).c_str(), size, &given, &opened.handle_, &created));
        opened.created_ = created != 0;
        return opened;
    }

    /// Opens a segment that any process has created. error_code::not_found if there is none of that name.
    [[nodiscard]] static segment open(std::string_view name) {
        detail::require_library();
        segment opened;
        detail::check(shmcv_open(detail::c_string("name", name).c_str(), &opened.handle_));
        return opened;
    }

    segment(segment &&other) noexcept
        : writable_pixels(std::move(other)), created_(std::exchange(other.created_, false)),
          clear_on_close_(std::exchange(other.clear_on_close_, false)) {}
    segment &operator=(segment &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = other.release();
            created_ = std::exchange(other.created_, false);
            clear_on_close_ = std::exchange(other.clear_on_close_, false);
        }
        return *this;
    }
    ~segment() { abandon(); }

    /// Returns true if this object made the segment, and false if the segment was there.
    [[nodiscard]] bool created() const noexcept { return created_; }

    /// With true, closing this object removes the segment's name too, if the name is still this segment's.
    void clear_on_close(bool wanted) noexcept { clear_on_close_ = wanted; }

    /// Returns true if closing this object removes the name.
    [[nodiscard]] bool clear_on_close() const noexcept { return clear_on_close_; }

    /// Closes now what the destructor would close. Pointers from data() are invalid then. error_code::closed the second time.
    void close() {
        clear_first();
        detail::check(shmcv_close(release()));
    }

    /// Removes the segment's name. The segment stays open. error_code::not_found if the name is not this segment's any more.
    void clear() const { detail::check(shmcv_segment_clear(handle_)); }

    /// Returns how often an image has been stored in it, by any process.
    [[nodiscard]] std::uint64_t sequence() const { return detail::sequence(handle_); }

    /// Waits until more than newer_than images have been stored, and returns how many have been. error_code::timeout if
    /// there are not that many in time. A negative time waits without an end.
    std::uint64_t wait(std::uint64_t newer_than, std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
        return detail::wait(handle_, newer_than, timeout);
    }

  private:
    // Takes the last step of making this segment. If the step fails, the name is removed.
    template <typename Step>
    void or_nothing(Step step) {
        try {
            step();
        } catch (...) {
            shmcv_segment_clear(handle_);
            throw;
        }
    }

    // A name that is removed already is no error.
    void clear_first() noexcept {
        if (std::exchange(clear_on_close_, false)) shmcv_segment_clear(handle_);
    }

    // In a destructor nobody can be told of an error.
    void abandon() noexcept {
        if (!*this) return;
        clear_first();
        shmcv_close(release());
    }

    bool created_ = false;
    bool clear_on_close_ = false;
};

/// A segment that is open to be read, and not to be changed. Memory that is written to faults. Closed when destroyed;
/// move-only.
class read_only_segment : public pixels {
  public:
    /// No segment: every operation on it is error_code::closed.
    read_only_segment() noexcept = default;

    /// Opens a segment that any process has created. A file that this process may read is enough; see
    /// shmcv_open_read_only. error_code::not_found if there is none of that name.
    [[nodiscard]] static read_only_segment open(std::string_view name) {
        detail::require_library();
        read_only_segment opened;
        detail::check(shmcv_open_read_only(detail::c_string("name", name).c_str(), &opened.handle_));
        return opened;
    }

    read_only_segment(read_only_segment &&) noexcept = default;
    read_only_segment &operator=(read_only_segment &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = other.release();
        }
        return *this;
    }
    ~read_only_segment() { abandon(); }

    /// Closes now what the destructor would close. Pointers from data() are invalid then. error_code::closed the second time.
    void close() { detail::check(shmcv_close(release())); }

    /// Returns how often an image has been stored in it, by any process.
    [[nodiscard]] std::uint64_t sequence() const { return detail::sequence(handle_); }

    /// Waits until more than newer_than images have been stored, and returns how many have been. error_code::timeout if
    /// there are not that many in time. A negative time waits without an end.
    std::uint64_t wait(std::uint64_t newer_than, std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
        return detail::wait(handle_, newer_than, timeout);
    }

  private:
    void abandon() noexcept {
        if (*this) shmcv_close(release());
    }
};

/// A frame to read, from stream::wait. It stays as it is until it is closed, if it is held. Closed when destroyed; move-only.
class frame : public pixels {
  public:
    /// No frame.
    frame() noexcept = default;

    frame(frame &&) noexcept = default;
    frame &operator=(frame &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = other.release();
            info_ = other.info_;
        }
        return *this;
    }
    ~frame() { abandon(); }

    /// Its number, 1 for the stream's first.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return info_.sequence; }

    /// When it was published: CLOCK_MONOTONIC, nanoseconds.
    [[nodiscard]] std::uint64_t time_ns() const noexcept { return info_.time_ns; }

    /// How many frames this reader has missed: after the newer_than of the wait, after it opened the stream, and before this
    /// frame.
    [[nodiscard]] std::uint64_t missed() const noexcept { return info_.missed; }

    /// When it was captured, as its writer has told: CLOCK_MONOTONIC, nanoseconds; 0 if it has not.
    [[nodiscard]] std::uint64_t capture_time_ns() const noexcept { return info_.capture_time_ns; }

    /// Returns true if nobody writes to it until it is closed; false if its stream was opened read-only. The writer may then
    /// write over it at any time: functions that read its pixels or metadata are error_code::overtaken. Call check() after
    /// reading data() or bytes().
    [[nodiscard]] bool held() const noexcept { return info_.held != 0; }

    /// Returns if all that was read of it before is of this frame, as it always is of a frame that is held.
    /// error_code::overtaken if the writer has begun to write over it.
    void check() const { detail::check(shmcv_frame_check({handle_})); }

    /// Returns a copy of the metadata that the writer has given it.
    [[nodiscard]] std::vector<std::byte> metadata() const {
        std::vector<std::byte> copy(info_.metadata_size);
        std::uint64_t size = 0;
        detail::check(shmcv_frame_metadata({handle_}, copy.data(), copy.size(), &size));
        return copy;
    }

    /// Gives it back now, as the destructor would. error_code::closed the second time. error_code::overtaken as for check();
    /// it is closed all the same.
    void close() { detail::check(shmcv_frame_close({release()})); }

  private:
    friend class stream;
    frame(shmcv_frame leased, const frame_info &info) noexcept : pixels(leased.pixels), info_(info) {}

    void abandon() noexcept {
        if (*this) shmcv_frame_close({release()});
    }

    frame_info info_{};
};

/// A frame to fill, from stream::begin. The destructor gives it back unpublished, and no program ever sees it. Move-only.
class new_frame : public writable_pixels {
  public:
    /// No frame.
    new_frame() noexcept = default;

    new_frame(new_frame &&) noexcept = default;
    new_frame &operator=(new_frame &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = other.release();
        }
        return *this;
    }
    ~new_frame() { abandon(); }

    /// Gives it the time when its picture was captured, on the clock of CLOCK_MONOTONIC (0 says nothing), and size bytes of
    /// metadata, at most max_metadata: error_code::limit if there are more. Each call replaces what the one before gave.
    void describe(std::uint64_t capture_time_ns, const void *metadata = nullptr, std::size_t size = 0) {
        detail::check(shmcv_frame_describe({handle_}, capture_time_ns, static_cast<const unsigned char *>(metadata), size));
    }

    /// Makes it the stream's newest frame, closes it, and returns the number that it got. error_code::no_image if it holds
    /// no image; it is still open then.
    std::uint64_t publish() {
        std::uint64_t sequence = 0;
        detail::check(shmcv_frame_publish({handle_}, &sequence));
        release();
        return sequence;
    }

    /// Gives it back now, unpublished, as the destructor would. error_code::closed the second time.
    void close() { detail::check(shmcv_frame_close({release()})); }

  private:
    friend class stream;
    explicit new_frame(shmcv_frame begun) noexcept : writable_pixels(begun.pixels) {}

    void abandon() noexcept {
        if (*this) shmcv_frame_close({release()});
    }
};

/// A stream of frames, from one writer to any number of readers. Closed when destroyed; move-only. Frames outlive it.
class stream {
  public:
    /// No stream: every operation on it is error_code::closed.
    stream() noexcept = default;

    /// Makes a stream of frames of at most slot_size bytes. slots is 2 to 1024: one for each reader, and 2; 0 means 4.
    /// behind says what the writer does when a reader of every frame is behind. Those may open it whom who names.
    [[nodiscard]] static stream create(std::string_view name, std::uint64_t slot_size, std::uint32_t slots = 0,
                                       when_behind behind = when_behind::drop, const access &who = {}) {
        detail::require_library();
        stream made;
        const shmcv_access given = detail::native(who);
        detail::check(shmcv_stream_create_for(detail::c_string("name", name).c_str(), slot_size, slots,
                                              static_cast<std::int32_t>(behind), &given, &made.handle_));
        made.created_ = true;
        return made;
    }

    /// Opens the stream of that name, or makes one if there is none; created() tells which. A stream that is there must
    /// have slots of at least slot_size bytes, and at least slots of them: error_code::too_small if not. behind and who are
    /// for a new one.
    [[nodiscard]] static stream open_or_create(std::string_view name, std::uint64_t slot_size, std::uint32_t slots = 0,
                                               when_behind behind = when_behind::drop, const access &who = {}) {
        detail::require_library();
        stream opened;
        std::int32_t created = 0;
        const shmcv_access given = detail::native(who);
        detail::check(shmcv_stream_open_or_create_for(detail::c_string("name", name).c_str(), slot_size, slots,
                                                      static_cast<std::int32_t>(behind), &given, &opened.handle_, &created));
        opened.created_ = created != 0;
        return opened;
    }

    /// Opens a stream that any process has created. With a timeout it waits until there is one, and a negative time waits
    /// without an end: error_code::timeout if there is none in time, and error_code::not_found without a timeout. A stream that
    /// this process may only read by its group is opened as by open_read_only.
    [[nodiscard]] static stream open(std::string_view name, std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) {
        detail::require_library();
        stream opened;
        detail::check(shmcv_stream_open(detail::c_string("name", name).c_str(), detail::timeout(timeout), &opened.handle_));
        return opened;
    }

    /// Opens a stream to read alone; see shmcv_stream_open_read_only. No writer waits for this object, and its frames are not
    /// held(). timeout is as for open.
    [[nodiscard]] static stream open_read_only(std::string_view name, std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) {
        detail::require_library();
        stream opened;
        detail::check(shmcv_stream_open_read_only(detail::c_string("name", name).c_str(), detail::timeout(timeout), &opened.handle_));
        return opened;
    }

    /// Opens the stream that has got the name of this one, after error_code::replaced, and waits until there is one, as open
    /// does. The new object waits for frames as this one does; its frames' numbers begin at 1. This object stays as it is. See
    /// shmcv_stream_follow.
    [[nodiscard]] stream follow(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
        stream next;
        detail::check(shmcv_stream_follow(handle_, detail::timeout(timeout), &next.handle_));
        return next;
    }

    stream(stream &&other) noexcept
        : handle_(other.release()), created_(std::exchange(other.created_, false)),
          clear_on_close_(std::exchange(other.clear_on_close_, false)) {}
    stream &operator=(stream &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = other.release();
            created_ = std::exchange(other.created_, false);
            clear_on_close_ = std::exchange(other.clear_on_close_, false);
        }
        return *this;
    }
    ~stream() { abandon(); }

    /// Returns true if this object made the stream, and false if the stream was there.
    [[nodiscard]] bool created() const noexcept { return created_; }

    /// With true, closing this object removes the stream's name too, if the name is still this stream's.
    void clear_on_close(bool wanted) noexcept { clear_on_close_ = wanted; }

    /// Returns true if closing this object removes the name.
    [[nodiscard]] bool clear_on_close() const noexcept { return clear_on_close_; }

    /// Closes now what the destructor would close. Frames stay open; see shmcv_stream_close. error_code::closed the second
    /// time.
    void close() {
        clear_first();
        detail::check(shmcv_stream_close(release()));
    }

    /// Removes the stream's name. The stream stays open. error_code::not_found if the name is not this stream's any more.
    void clear() const { detail::check(shmcv_stream_clear(handle_)); }

    /// Returns true if this object holds a handle.
    [[nodiscard]] explicit operator bool() const noexcept { return handle_.handle != 0; }

    /// Returns the handle, for functions of shmcv.h. It stays this object's.
    [[nodiscard]] shmcv_stream handle() const noexcept { return handle_; }

    /// What is known of the stream. Its image is that of the newest frame.
    [[nodiscard]] segment_info info() const {
        segment_info info;
        detail::check(shmcv_stream_info(handle_, &info));
        return info;
    }

    [[nodiscard]] std::string name() const { return info().name; }

    /// Returns a frame to fill, in a free slot. The first one makes this object the stream's writer. error_code::busy if
    /// there is another writer, if the frame before is still open, or if there is no slot, because readers hold them, or are
    /// behind. In a stream of when_behind::block it waits for a slot: error_code::timeout if there is none in time. A negative
    /// time waits without an end.
    [[nodiscard]] new_frame begin(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) {
        shmcv_frame begun{};
        detail::check(shmcv_stream_begin(handle_, detail::timeout(timeout), &begun));
        return new_frame(begun);
    }

    /// Tells readers that no frame follows; see shmcv_stream_end. error_code::busy if there is another writer, or if a frame
    /// is begun.
    void end() { detail::check(shmcv_stream_end(handle_)); }

    /// Chooses which frames wait gives: the newest, as at first, or every frame; see shmcv_stream_deliver.
    void deliver(delivery wanted) { detail::check(shmcv_stream_deliver(handle_, static_cast<std::int32_t>(wanted))); }

    /// With true, wait is error_code::writer_gone when there is no further frame and no program that writes; see
    /// shmcv_stream_heed_writer.
    void heed_writer(bool heed = true) { detail::check(shmcv_stream_heed_writer(handle_, heed)); }

    /// Waits until a program writes to the stream. error_code::timeout if none does in time. A negative time waits without an
    /// end.
    void wait_writer(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
        detail::check(shmcv_stream_wait_writer(handle_, detail::timeout(timeout)));
    }

    /// Returns a descriptor on which a program's own loop waits for frames, by poll, select or epoll. On Linux it is a file
    /// descriptor that polls readable. It is readable until wait(newer_than, 0ms) is error_code::timeout, and again when there is
    /// something for that wait. It is this object's: do not close it, and take it out of the loop before this object is closed.
    /// See shmcv_stream_descriptor. error_code::io if the process has no file descriptors left.
    [[nodiscard]] std::intptr_t descriptor() const {
        std::int64_t number = 0;
        detail::check(shmcv_stream_descriptor(handle_, &number));
        return static_cast<std::intptr_t>(number);
    }

    /// Sets for how long wait watches for a frame before it sleeps; 20 µs at first. See shmcv_stream_spin.
    void spin(std::chrono::microseconds time) {
        const auto most = std::chrono::microseconds(UINT32_MAX);
        const auto count = std::clamp(time, std::chrono::microseconds(0), most).count();
        detail::check(shmcv_stream_spin(handle_, static_cast<std::uint32_t>(count)));
    }

    /// Returns the newest frame with a number above newer_than, or the next one; see deliver. error_code::timeout if there
    /// is none in time, error_code::ended if the writer has ended the stream and there will be none, error_code::replaced if
    /// another stream has the name and there will be none here; see follow. A negative time waits without an end.
    [[nodiscard]] frame wait(std::uint64_t newer_than = 0,
                             std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
        shmcv_frame leased{};
        frame_info info{};
        detail::check(shmcv_stream_wait(handle_, newer_than, detail::timeout(timeout), &leased, &info));
        return frame(leased, info);
    }

  private:
    shmcv_stream release() noexcept { return std::exchange(handle_, shmcv_stream{}); }

    // A name that is removed already is no error.
    void clear_first() noexcept {
        if (std::exchange(clear_on_close_, false)) shmcv_stream_clear(handle_);
    }

    void abandon() noexcept {
        if (!*this) return;
        clear_first();
        shmcv_stream_close(release());
    }

    shmcv_stream handle_{};
    bool created_ = false;
    bool clear_on_close_ = false;
};

/// A list of waits, for all of which one thread sleeps; see shmcv_wait_set_wait. Closed when destroyed; move-only. Every
/// thread may add and remove waits while another thread waits.
class wait_set {
  public:
    /// No set: every operation on it is error_code::closed.
    wait_set() noexcept = default;

    /// Makes an empty set.
    [[nodiscard]] static wait_set create() {
        detail::require_library();
        wait_set made;
        detail::check(shmcv_wait_set_create(&made.handle_));
        return made;
    }

    wait_set(wait_set &&other) noexcept : handle_(other.release()) {}
    wait_set &operator=(wait_set &&other) noexcept {
        if (this != &other) {
            abandon();
            handle_ = other.release();
        }
        return *this;
    }
    ~wait_set() { abandon(); }

    /// Closes now what the destructor would close. A thread that waits on the set gets error_code::closed.
    void close() { detail::check(shmcv_wait_set_close(release())); }

    /// Returns true if this object holds a handle.
    [[nodiscard]] explicit operator bool() const noexcept { return handle_.handle != 0; }

    /// Returns the handle, for functions of shmcv.h. It stays this object's.
    [[nodiscard]] shmcv_wait_set handle() const noexcept { return handle_; }

    /// Adds a wait for a frame with a number above newer_than. error_code::exists if the set has a wait of that key.
    void add(const stream &frames, std::uint64_t newer_than, std::uint64_t key) {
        detail::check(shmcv_wait_set_add_stream(handle_, frames.handle(), newer_than, key));
    }

    /// Adds a wait until more than newer_than images have been stored in a segment.
    void add(const segment &images, std::uint64_t newer_than, std::uint64_t key) {
        detail::check(shmcv_wait_set_add_segment(handle_, images.handle(), newer_than, key));
    }

    /// Takes a wait out. error_code::not_found if it is not there, for example because it is over.
    void remove(std::uint64_t key) { detail::check(shmcv_wait_set_remove(handle_, key)); }

    /// Waits until waits are over, takes them out, and returns their keys. error_code::timeout if none is over in time. A
    /// negative time waits without an end. No frame is leased: stream::wait with a time of 0 gives it.
    [[nodiscard]] std::vector<std::uint64_t> wait(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) {
        std::vector<std::uint64_t> keys(64);
        std::uint64_t count = 0;
        detail::check(shmcv_wait_set_wait(handle_, detail::timeout(timeout), keys.data(), keys.size(), &count));
        keys.resize(static_cast<std::size_t>(count));
        return keys;
    }

  private:
    shmcv_wait_set release() noexcept { return std::exchange(handle_, shmcv_wait_set{}); }

    void abandon() noexcept {
        if (*this) shmcv_wait_set_close(release());
    }

    shmcv_wait_set handle_{};
};

/// Removes the names of all segments and streams that this process created.
inline void clear_all() { detail::check(shmcv_clear_all()); }

/// Removes the names of segments and streams whose creator is gone and that no process has open. Returns how many there
/// were. What cannot be looked at is left alone.
inline std::uint32_t sweep() {
    std::uint32_t removed = 0;
    detail::check(shmcv_sweep(&removed));
    return removed;
}

/// Returns the segments and streams in this process's folder that are this user's or may be read by a group of this process,
/// in the order of their names, without those that cannot be looked at.
[[nodiscard]] inline std::vector<segment_info> list() {
    detail::require_library();
    std::vector<segment_info> infos;
    std::uint64_t count = 0;
    do { // Again if some have been created since they were counted.
        infos.resize(static_cast<std::size_t>(count));
        detail::check(shmcv_list(infos.data(), infos.size(), &count));
    } while (count > infos.size());
    infos.resize(static_cast<std::size_t>(count));
    return infos;
}

/// Returns the image that load would store, from the file's header alone. image_size() tells the bytes that it needs.
[[nodiscard]] inline image_info probe(const std::filesystem::path &path, load_flags flags = load_flags::color) {
    detail::require_library();
    image_info image;
    detail::check(shmcv_probe(detail::c_string(path).c_str(), static_cast<std::int32_t>(flags), &image));
    return image;
}

/// Does as probe for the size bytes of an image file that are in memory, or for its first bytes.
[[nodiscard]] inline image_info probe(const void *data, std::size_t size, load_flags flags = load_flags::color) {
    detail::require_library();
    image_info image;
    detail::check(shmcv_probe_bytes(data, size, static_cast<std::int32_t>(flags), &image));
    return image;
}

/// Returns a number of bytes that no result of pixels::encode exceeds for such an image.
[[nodiscard]] inline std::uint64_t encode_bound(const image_info &image, std::string_view extension) {
    detail::require_library();
    std::uint64_t bound = 0;
    detail::check(shmcv_encode_bound(&image, detail::c_string("extension", extension).c_str(), &bound));
    return bound;
}

inline segment segment::from_file(std::string_view name, const std::filesystem::path &path, load_flags flags,
                                  const access &who) {
    segment made = create(name, image_size(probe(path, flags)), who);
    made.or_nothing([&] { made.load(path, flags); });
    return made;
}

/// Draws an image in the window of that name, as pixels::show.
inline void show(std::string_view window, const pixels &image) { image.show(window); }

/// Lets the windows live for that long, or until a key is pressed in one of them. Returns the key's character code (0 to
/// 255); or, of a key without a character, its number above 255, such as key_left; or no_key. A time of 0 or less waits for a key without an end.
inline int delay(std::chrono::milliseconds time) {
    std::int32_t key = no_key;
    detail::check(shmcv_delay(detail::milliseconds(time, 0), &key));
    return key;
}

/// Closes the window of that name. One that is not open is no error.
inline void close_window(std::string_view window) {
    detail::check(shmcv_close_window(detail::c_string("window", window).c_str()));
}

/// Closes all windows that this process has opened here.
inline void close_windows() { detail::check(shmcv_close_windows()); }

/// Returns the version of the library that is in use, for example "0.2.0".
[[nodiscard]] inline std::string version() { return shmcv_version(); }

/// Returns the version of its binary interface: major and minor.
[[nodiscard]] inline std::pair<std::uint32_t, std::uint32_t> abi_version() noexcept {
    const std::uint32_t found = shmcv_abi_version();
    return {found >> 16, found & 0xffff};
}

} // namespace shmcv

#endif
