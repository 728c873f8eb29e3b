#!/usr/bin/env bash
# What a C or C++ user does with the archive, on the system that this runs on: unpack it, and build programs by pkg-config and
# by CMake. scripts/old_c.sh runs it, where /work/old/dist has the archive, and /src is the checkout. For each test it prints PASS
# or FAIL, and a name.
set -uo pipefail

work=/work/old/c
photograph=/src/testdata/photograph.jpg
cd "$work" || exit 1

# report NAME COMMAND...
report() {
    local name="$1" status=FAIL
    shift
    if "$@"; then status=PASS; fi
    echo "$status $name, status 0"
}

unpack() { tar -xzf /work/old/dist/shmcv-*-linux-x64.tar.gz && mv shmcv-*-linux-x64 "unpacked here"; }
report the_archive_unpacks unpack

library="$work/unpacked here/lib"
export LD_LIBRARY_PATH="$library" PKG_CONFIG_PATH="$library/pkgconfig"
# --define-prefix: this pkg-config, 0.29, escapes a folder's spaces only where it finds the folder itself; pkgconf escapes them always.
eval "flags=($(pkg-config --define-prefix --cflags --libs shmcv))"

flips() {
    gcc -std=c11 -Wall -Wextra -Werror /src/c-sample/flip.c "${flags[@]}" -o flip && ./flip --headless "$photograph" flipped.png &&
        cmp flipped.png flipped-here.png
}
report the_sample_flips_as_on_this_machine flips

shows() { /src/bindings/c/tests/with_display.sh ./flip "$photograph" shown.png | tee /dev/stderr | grep '^showed both' >/dev/null; }
report the_sample_shows_its_pictures_by_gtk shows

# The examples of the README, by CMake.
# shellcheck source=/dev/null
. /src/bindings/c/tests/examples.sh
mkdir -p project
for language in c cpp; do blocks "$language" /src "$work/project"; done
write_writer >project/writer.c
cat >project/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(user C CXX)
find_package(shmcv 0.2 REQUIRED)
set(CMAKE_CXX_STANDARD 17)
file(GLOB sources *.c *.cpp)
foreach(source IN LISTS sources)
  get_filename_component(name "${source}" NAME)
  string(REPLACE "." "-" name "${name}")
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE shmcv::shmcv)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Werror)
endforeach()
CMAKE
builds() { cmake -G Ninja -S project -B built -DCMAKE_PREFIX_PATH="$work/unpacked here" && cmake --build built; }
report find_package_builds_the_examples builds

# runs PROGRAM SOURCE: it makes a picture, with a writer beside it if it opens a stream.
runs() {
    local status=0 said writer
    rm -f built/*.png /dev/shm/* # What a test before this one has left is not this one's fault.
    cp "$photograph" built/
    if grep -qE 'stream_open|stream::open' "$2"; then
        coproc WRITER { exec built/writer-c "$photograph"; }
        # shellcheck disable=SC2153 # coproc makes WRITER
        writer=$WRITER_PID
        read -r said <&"${WRITER[0]}"
        (cd built && unset LD_LIBRARY_PATH && "./$1") || status=1
        kill "$writer" && wait "$writer" 2>/dev/null
        rm -f /dev/shm/cam0
    else
        (cd built && unset LD_LIBRARY_PATH && "./$1") || status=1 # CMake has told the program where the library is
    fi
    [ "$status" = 0 ] && ls built/*.png >/dev/null && [ -z "$(ls /dev/shm)" ]
}
for source in project/block-*.c project/header.c project/block-*.cpp project/header.cpp; do
    program="$(basename "$source" | tr . -)"
    report "example_${program//-/_}" runs "$program" "$source"
done

# The C and C++ tests. windows is not among them: its tests look at the screen with further programs.
tests=/src/bindings/c/tests
compiled=(-O2 -I"$tests" -DSHMCV_TESTDATA='"/src/testdata"' -DSCARCE_MEMORY="\"$work/libscarce_memory.so\"")
for part in test test_linux vectors scarce_linux; do gcc -std=gnu11 "${compiled[@]}" "${flags[@]}" -c "$tests/$part.c" -o "$part.o"; done
gcc -std=gnu11 -shared -fPIC "$tests/scarce_memory.c" -o libscarce_memory.so -ldl
for source in "$tests"/test_*.c "$tests"/test_*.cpp; do
    name="$(basename "$source")"
    case "$name" in
    *_windows.c|test_window*|test_linux.c|test_soak.c) continue ;;
    *.cpp) compiler=(g++ -std=c++17) ;;
    *)     compiler=(gcc -std=gnu11) ;;
    esac
    objects=(test.o test_linux.o vectors.o)
    [ "$name" != test_limits.c ] || objects+=(scarce_linux.o)
    if ! "${compiler[@]}" "${compiled[@]}" "$source" "${objects[@]}" "${flags[@]}" -lpthread -ldl -o "test"; then
        echo "FAIL ${name//./_}_compiles, status 1"
        continue
    fi
    ./test || true
done
