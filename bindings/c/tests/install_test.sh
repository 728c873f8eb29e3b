#!/usr/bin/env bash
# install_test.sh CMAKE BUILD_FOLDER TESTDATA: installs shmcv, moves the installation, and builds and runs programs with
# the flags that pkg-config and CMake then give.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cmake="$1" build="$2" testdata="$3"

"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log" || fail "cmake --install: $(cat "$work/install.log")"
mv "$work/first" "$work/moved here" # the installed files must not depend on the prefix

# The licences are there, and no file names the folders that it was made in. cmake tells where the sources are.
documents="$work/moved here/share/doc/shmcv"
source="$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt")"
repository="${source%/bindings/c}"
cmp "$repository/LICENSE" "$documents/LICENSE" || fail "the licence is not installed"
grep -q '^Third-party notices of shmcv' "$documents/THIRD_PARTY_NOTICES" || fail "the third-party notices are not installed"
for folder in "$repository" "$HOME" "$work"; do
    [ "$folder" = / ] || ! grep -rlaF "$folder/" "$work/moved here" || fail "the files above name the folder $folder"
done
echo "ok: licences, and no folder of the build machine"

cat >"$work/program.c" <<'C'
#include <shmcv.h>
#include <stdio.h>

int main(int argc, char **argv) {
    shmcv_image_info image;
    if (argc != 2 || shmcv_probe(argv[1], SHMCV_LOAD_COLOR, &image) != SHMCV_OK) return 1;
    printf("%s %u x %u\n", shmcv_version(), image.width, image.height);
    return 0;
}
C
cat >"$work/program.cpp" <<'CPP'
#include <shmcv.hpp>
#include <iostream>

int main(int, char **argv) {
    const shmcv_image_info image = shmcv::probe(argv[1]);
    std::cout << shmcv::version() << ' ' << image.width << " x " << image.height << '\n';
}
CPP
cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(user C CXX)
find_package(shmcv ${wanted} REQUIRED)
add_executable(program_c program.c)
target_link_libraries(program_c PRIVATE shmcv::shmcv)
add_executable(program_cpp program.cpp)
target_compile_features(program_cpp PRIVATE cxx_std_17)
target_link_libraries(program_cpp PRIVATE shmcv::shmcv)
CMAKE

# One file has the library. The loader finds it by the name that programs have of it, in which the first number is that of the
# binary interface; the linker finds it by the plain name.
library_folder="$(dirname "$(find "$work/moved here" -name libshmcv.so)")"
number() { sed -n "s/^#define SHMCV_ABI_$1 //p" "$work/moved here/include/shmcv.h"; }
soname="libshmcv.so.$(number MAJOR)"
[ "$(readlink "$library_folder/libshmcv.so")" = "$soname" ] || fail "libshmcv.so is no link to $soname"
[ "$(readlink "$library_folder/$soname")" = "$soname.$(number MINOR)" ] || fail "$soname is no link to $soname.$(number MINOR)"
[ -f "$library_folder/$soname.$(number MINOR)" ] || fail "there is no $soname.$(number MINOR)"
readelf -d "$library_folder/libshmcv.so" | grep -F "soname: [$soname]" >/dev/null || fail "the library's name for programs is not $soname"
echo "ok: links"

# says WHAT COMMAND...: fails the test unless the command prints the version and the size of the photograph.
version="$(sed -n 's/^#define SHMCV_VERSION "\(.*\)"/\1/p' "$work/moved here/include/shmcv.h")"
says() {
    local what="$1" found; shift
    found="$("$@" "$testdata/photograph.jpg")" || fail "$what: the program did not run"
    [ "$found" = "$version 3840 x 2160" ] || fail "$what: the program printed '$found'"
    echo "ok: $what"
}

export PKG_CONFIG_PATH="$library_folder/pkgconfig"
eval "flags=($(pkg-config --cflags --libs shmcv))"
[ "$(pkg-config --modversion shmcv)" = "$version" ] || fail "pkg-config says version $(pkg-config --modversion shmcv)"
pkg-config --list-all | grep '^shmcv .*Images in named shared memory' >"$work/described" || fail "pkg-config does not describe shmcv"
"$CC" -std=c11 "${warnings[@]}" "$work/program.c" "${flags[@]}" -o "$work/with_pkg_config"
"$CXX" -std=c++17 "${warnings[@]}" "$work/program.cpp" "${flags[@]}" -o "$work/with_pkg_config_cpp"
LD_LIBRARY_PATH="$library_folder" says "C with pkg-config" "$work/with_pkg_config"
LD_LIBRARY_PATH="$library_folder" says "C++ with pkg-config" "$work/with_pkg_config_cpp"

{ "$cmake" -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/moved here" -Dwanted="${version%.*}" &&
    "$cmake" --build "$work/build"; } \
    >"$work/cmake.log" 2>&1 || fail "find_package(shmcv): $(cat "$work/cmake.log")"
says "C with CMake" "$work/build/program_c"
says "C++ with CMake" "$work/build/program_cpp"

# To run, programs need no file that is the linker's.
mv "$library_folder/libshmcv.so" "$work/for the linker"
LD_LIBRARY_PATH="$library_folder" says "C with pkg-config, without the linker's link" "$work/with_pkg_config"
says "C with CMake, without the linker's link" "$work/build/program_c"
mv "$work/for the linker" "$library_folder/libshmcv.so"

# find_package refuses a version whose major or minor number is not the requested one.
for wanted in 0.0 9.0; do
    ! "$cmake" -S "$work" -B "$work/refused" -DCMAKE_PREFIX_PATH="$work/moved here" -Dwanted="$wanted" \
        >"$work/cmake.log" 2>&1 || fail "find_package(shmcv $wanted) accepted $version"
done
