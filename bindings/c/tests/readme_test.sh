#!/usr/bin/env bash
# readme_test.sh CHECKOUT: each C and C++ example in the README (a ```c or ```cpp block), and the one at the top of each
# header, is a program that compiles without a warning and runs as it stands. Without its input it fails with a message, and
# leaves no name behind, so that the next run works.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
root="$1"
[ -e "$root/README.md" ] || { echo "THERE IS NO README.md HERE"; exit 77; }
flags=("-I$root/include" "-L$root/build" -lshmcv "-Wl,-rpath,$root/build")
names=(photo mirrored cam0)

# blocks LANGUAGE: writes each block of that language to a file of its own, and the example at the top of a header.
blocks() {
    awk -v language="$1" -v folder="$work" '
        $0 == "```" language { inside = 1; file = folder "/block-" ++n "." language; next }
        /^```/ { inside = 0 }
        inside { print > file }' "$root/README.md"
    case "$1" in
    c) sed -n '1,/\*\//s|^ \*     ||p' "$root/include/shmcv.h" >"$work/header.c" ;;
    cpp) sed -n 's|^///     ||p' "$root/include/shmcv.hpp" >"$work/header.cpp" ;;
    esac
}

compile() {
    case "$1" in
    *.c) "$CC" -std=c11 "${warnings[@]}" "$1" "${flags[@]}" -o "$2" ;;
    *.cpp) "$CXX" -std=c++17 "${warnings[@]}" "$1" "${flags[@]}" -o "$2" ;;
    esac
}

none_left() {
    local name
    for name in "${names[@]}"; do [ ! -e "/dev/shm/$name" ] || fail "$1 left the name $name behind"; done
}

# The writer that the examples of readers look at. It publishes a frame, says so, and stays until its input ends.
cat >"$work/writer.c" <<'C'
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
compile "$work/writer.c" "$work/writer" || fail "the writer does not compile"

# with_writer COMMAND...: runs the command while there is a writer.
with_writer() {
    local status=0 said
    coproc WRITER { exec "$work/writer" "$root/testdata/photograph.jpg"; }
    local writer=$WRITER_PID
    # shellcheck disable=SC2153 # coproc makes WRITER
    exec {to}>&"${WRITER[1]}" {from}<&"${WRITER[0]}"
    # The shell's own copy, which it closes when the writer ends, must not keep the writer's input open.
    eval "exec ${WRITER[1]}>&-"
    read -r said <&"$from" || true
    [ "$said" = published ] || fail "the writer does not publish"
    "$@" || status=$?
    exec {to}>&-
    wait "$writer" || fail "the writer failed"
    exec {from}<&-
    return $status
}

run_in() { (cd "$1" && "$2"); }

# check PROGRAM SOURCE: runs it without its input, and twice with it.
check() {
    local run="$work/run" without="$work/without" turn
    rm -rf "$run" "$without"
    mkdir "$run" "$without"
    cp "$root/testdata/photograph.jpg" "$run/"
    if run_in "$without" "$1" >"$work/said" 2>&1; then fail "this succeeds without its input: $(cat "$2")"; fi
    grep -qE 'photograph\.jpg|cam0' "$work/said" || fail "the message names no input: $(cat "$work/said")"
    none_left "$2"
    for turn in first second; do
        if grep -q stream_open "$2"; then with_writer run_in "$run" "$1"; else run_in "$run" "$1"; fi ||
            fail "this does not run for the $turn time: $(cat "$2")"
        none_left "$2"
    done
    ls "$run"/*.png >/dev/null || fail "this makes no picture: $(cat "$2")"
}

none_left "another program"
for language in c cpp; do
    blocks "$language"
    ran=0
    for file in "$work"/block-*."$language" "$work/header.$language"; do
        [ -s "$file" ] || fail "there is no example in $language: $file"
        compile "$file" "$work/program" || fail "this does not compile: $(cat "$file")"
        check "$work/program" "$file"
        ran=$((ran + 1))
    done
    echo "ok: $ran in $language"
done
