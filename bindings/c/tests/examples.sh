# The C and C++ examples of the README and the headers, for the tests that run them. Sourced.

# blocks LANGUAGE CHECKOUT FOLDER: writes each block of that language to a file of its own, and the example at the top of a header.
blocks() {
    local root="$2" work="$3"
    awk -v language="$1" -v folder="$work" '
        $0 == "```" language { inside = 1; file = folder "/block-" ++n "." language; next }
        /^```/ { inside = 0 }
        inside { print > file }' "$root/README.md"
    case "$1" in
    c) sed -n '1,/\*\//s|^ \*     ||p' "$root/include/shmcv.h" >"$work/header.c" ;;
    cpp) sed -n '/^#/q; s|^///     ||p' "$root/include/shmcv.hpp" >"$work/header.cpp" ;;
    esac
}

# The writer that the examples of readers look at. It publishes a frame, says so, and stays until its input ends.
write_writer() {
    cat <<'C'
#include <shmcv.h>
#include <stdio.h>

int main(int argc, char **argv) {
    shmcv_stream stream;
    shmcv_frame frame;
    shmcv_image_info image;
    uint64_t size;
    if (argc != 2 || shmcv_probe(argv[1], SHMCV_LOAD_COLOR, &image) || shmcv_image_size(&image, &size) ||
        shmcv_stream_create("cam0", size, 0, SHMCV_WHEN_BEHIND_DROP, &stream) || shmcv_stream_begin(stream, 0, &frame) ||
        shmcv_load(frame.pixels, argv[1], SHMCV_LOAD_COLOR, NULL) || shmcv_frame_publish(frame, NULL))
        return 1;
    puts("published");
    fflush(stdout);
    while (getchar() != EOF) continue;
    return shmcv_stream_clear(stream);
}
C
}
