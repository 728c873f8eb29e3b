# The suite win-x64-c: the C samples, the C and C++ tests, and what a C or C++ user does, under Wine. Sourced by build.sh.

# The test programs. Each is bindings/c/tests/test_NAME.c, or .cpp, with test_NAME_windows.c beside it if there is one. Not
# among them are the tests in files of Linux's name, and fork, which Windows does not have.
wine_c_tests=(version error image transform codec segment access stream wait_set limits soak host calls camera cpp stream_cpp)
wine_c_window_tests=(window)
wine_c_tools=(clang:clang)
wine_c_shared=(test test_windows vectors imports_windows screen_windows scarce_windows) # what all of them share
wine_c_variables=(SHMCV_SOAK_ROUNDS=300 SHMCV_SOAK_SECONDS=15) # Wine takes some milliseconds for what Linux does in microseconds.
wine_c_flags=(-O2 -Wall -Wextra -Wpedantic -Wshadow -Werror)

test_win-x64-c() { wine_in c test_c_in_wine; }

# test_c_in_wine: the C sample, whose picture is byte for byte the one that it makes on Linux; the C and C++ tests; and
# programs that find the installed library by CMake.
test_c_in_wine() {
    local name
    quietly "$build/log/flip.log" "$CC" -std=c11 "${wine_c_flags[@]}" -I"$root/include" "$root/c-sample/flip.c" "$build/libshmcv.dll.a" \
        -o "$build/flip.exe"
    quietly "$build/log/camera.log" "$CC" -std=c11 "${wine_c_flags[@]}" -I"$root/include" "$root/c-sample/camera.c" "$build/libshmcv.dll.a" \
        -o "$build/camera.exe" # test_camera_windows.c runs it
    say "  c-sample"
    { flip_in_wine; show_in_wine; } 2>&1 | as_go_prints | as_events c-sample
    compile_test_library
    for name in "${wine_c_tests[@]}"; do
        compile_c_test "$name"
        say "  bindings/c/tests, $name"
        # shellcheck disable=SC2016
        in_wine env "${wine_c_variables[@]}" sh -c 'cd /work && wine "$1"' sh "test_$name.exe" 2>&1 | as_go_prints |
            as_events "bindings/c/tests/$name"
    done
    for name in "${wine_c_window_tests[@]}"; do
        compile_c_test "$name"
        say "  bindings/c/tests, $name, with a display"
        in_wine_with_display wine "test_$name.exe" 2>&1 | as_go_prints | as_events "bindings/c/tests/$name"
    done
    say "  bindings/c, installed"
    { headers_for_windows; install_for_windows; } 2>&1 | as_go_prints | as_events bindings/c/install
}

# What all test programs share.
compile_test_library() {
    local part objects=()
    for part in "${wine_c_shared[@]}"; do
        quietly "$build/log/$part.log" "$CC" -std=c11 "${wine_c_flags[@]}" -I"$root/include" -DSHMCV_TESTDATA='"/src/testdata"' \
            -c "$root/bindings/c/tests/$part.c" -o "$build/tests/$part.o"
        objects+=("$build/tests/$part.o")
    done
    rm -f "$build/tests/libtest.a"
    "$AR" rcs "$build/tests/libtest.a" "${objects[@]}"
    # The library for a program that is to load it late, at its first call.
    "$mingw-dlltool" -d "$build/link/libshmcv.def" -D libshmcv.dll --output-delaylib "$build/tests/libshmcv-late.a"
}

compile_c_test() {
    local name="$1" folder="$root/bindings/c/tests" sources=() compiler=("$CC" -std=c11) library=("$build/libshmcv.dll.a")
    case "$name" in
    cpp) sources=("$folder/test_cpp.cpp") ;;
    *_cpp) sources=("$folder/test_${name%_cpp}.cpp") ;;
    *) for file in "$folder/test_$name.c" "$folder/test_${name}_windows.c"; do [ ! -e "$file" ] || sources+=("$file"); done ;;
    esac
    case "$name" in
    cpp|*_cpp) compiler=("$CXX" -std=c++17) ;;
    host) library=("$build/tests/libshmcv-late.a" -ldelayimp) ;;
    esac
    quietly "$build/log/test_$name.log" "${compiler[@]}" "${wine_c_flags[@]}" -I"$root/include" -DSHMCV_TESTDATA='"/src/testdata"' -static \
        "${sources[@]}" "$build/tests/libtest.a" "${library[@]}" -lgdi32 -o "$build/test_$name.exe"
}

# flip_in_wine runs the sample with the library of each system, and compares their pictures.
flip_in_wine() {
    local status=FAIL
    rm -f "$build"/flipped*.png
    env -u CC cc "$root/c-sample/flip.c" -I"$root/include" -L"$root/build" -lshmcv -Wl,-rpath,"$root/build" -o "$build/flip" &&
        "$build/flip" --headless "$photograph" "$build/flipped-linux.png" &&
        in_wine sh -c 'cd /work && wine flip.exe --headless /src/testdata/photograph.jpg flipped.png' &&
        cmp "$build/flipped-linux.png" "$build/flipped.png" && status=PASS
    echo "$status flips_as_on_linux, status 0"
}

# in_wine_with_display COMMAND...: in_wine, in /work, with a display.
in_wine_with_display() { in_wine sh -c "$with_display"'cd /work && "$@"' sh "$@"; }

show_in_wine() {
    local status=FAIL
    in_wine_with_display wine flip.exe /src/testdata/photograph.jpg shown.png | tee /dev/stderr | grep "^showed both" >/dev/null && status=PASS
    echo "$status shows_both_pictures, status 0"
}

# headers_for_windows: the headers are C99 and C++17 to mingw-w64 and to clang, with Microsoft's extensions too. No C++ library of
# Microsoft's is here, so that clang takes mingw-w64's for shmcv.hpp, which does not do with its -fms-compatibility.
headers_for_windows() {
    local status=FAIL library
    local strict=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$root/include")
    local microsofts=(--target=x86_64-pc-windows-msvc -fms-extensions -fms-compatibility -ffreestanding -nostdlibinc)
    install_missing "${wine_c_tools[@]}"
    library="$(dirname "$("$CXX" -print-libgcc-file-name)")/include/c++"
    syntax shmcv.h "$CC" -std=c99 "${strict[@]}" -x c &&
        syntax shmcv.h "$CXX" -std=c++17 "${strict[@]}" -x c++ &&
        syntax shmcv.hpp "$CXX" -std=c++17 "${strict[@]}" -x c++ &&
        syntax shmcv.h clang -std=c99 "${microsofts[@]}" "${strict[@]}" -x c &&
        syntax shmcv.h clang++ -std=c++17 "${microsofts[@]}" "${strict[@]}" -x c++ &&
        syntax shmcv.hpp clang++ -std=c++17 --target="$mingw" -fms-extensions -isystem "$library" -isystem "$library/$mingw" \
            "${strict[@]}" -x c++ && status=PASS
    echo "$status headers_compile_by_mingw_and_clang, status 0"
}

# syntax HEADER COMMAND...: compiles a file that includes the header and does nothing else.
syntax() {
    local header="$1"
    shift
    echo "#include <$header>" | "$@" - || { echo "not compiled: $header by $*"; return 1; }
}

# install_for_windows does what a C or C++ user does: installs the library, moves the folder, and builds the programs of the README
# by CMake and a toolchain file, with find_package(shmcv); and runs them.
install_for_windows() {
    local work="$build/tests/installed" name status=FAIL
    rm -rf "$work"
    mkdir -p "$work/project"
    lay_out "$work/first"
    mv "$work/first" "$work/moved here"
    cat >"$work/mingw.cmake" <<'CMAKE'
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
CMAKE
    cat >"$work/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.21)
project(user C CXX)
find_package(shmcv 0.2 REQUIRED)
set(CMAKE_CXX_STANDARD 17)
file(GLOB sources *.c *.cpp)
foreach(source IN LISTS sources)
  cmake_path(GET source FILENAME name)
  string(REPLACE "." "-" name "${name}")
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE shmcv::shmcv)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Werror)
  add_custom_command(TARGET ${name} POST_BUILD COMMAND ${CMAKE_COMMAND} -E copy_if_different $<TARGET_RUNTIME_DLLS:${name}> $<TARGET_FILE_DIR:${name}>
                     COMMAND_EXPAND_LISTS)
endforeach()
CMAKE
    # shellcheck source=/dev/null
    . "$root/bindings/c/tests/examples.sh"
    for name in c cpp; do blocks "$name" "$root" "$work/project"; done
    write_writer >"$work/project/writer.c"
    (unset CC CXX && cmake -G Ninja -S "$work/project" -B "$work/build" -DCMAKE_TOOLCHAIN_FILE="$work/mingw.cmake" \
        -DCMAKE_PREFIX_PATH="$work/moved here" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH && cmake --build "$work/build") && status=PASS
    echo "$status find_package_builds_the_examples_of_the_readme, status 0"
    cp "$photograph" "$work/build/"
    for name in "$work"/build/*-c.exe "$work"/build/*-cpp.exe; do
        [ "$(basename "$name")" = writer-c.exe ] || run_example "$(basename "$name" .exe)" || true
    done
    import_library_of_microsofts "$work"
}

# run_example NAME: the program in tests/installed/build makes a picture, with a writer beside it if it opens a stream, and
# leaves no name behind.
run_example() {
    local name="$1" work="$build/tests/installed" status=FAIL source with
    source="$work/project/${name/%-c/.c}"
    source="${source/%-cpp/.cpp}"
    with=wine
    # shellcheck disable=SC2016
    if grep -q stream_open "$source" || grep -q 'stream::open' "$source"; then with=with_writer; fi
    rm -f "$work"/build/*.png
    # shellcheck disable=SC2016
    in_wine sh -c '
        with_writer() {
            mkfifo to from
            wine writer-c.exe photograph.jpg <to >from &
            exec 3>to 4<from
            read -r said <&4
            wine "$1"
            status=$?
            exec 3>&-
            wait
            rm to from
            return $status
        }
        cd /work/tests/installed/build && "$1" "$2.exe"' sh "$with" "$name" &&
        ls "$work"/build/*.png && [ -z "$(names_in_wine)" ] && status=PASS
    echo "$status example_${name//-/_}, status 0"
}

# names_in_wine: the small files that give segments their names. Others are hidden: killed processes of earlier tests have left them.
names_in_wine() { find "$build/$wine_prefix"/drive_c/users -path '*/AppData/Local/shmcv/*' -type f ! -name '.shmcv-*'; }

# import_library_of_microsofts FOLDER: CMake takes shmcv.lib where the compiler is Microsoft's, and a program linked with it runs.
import_library_of_microsofts() {
    local status=FAIL
    mkdir -p "$1/microsoft"
    cat >"$1/microsoft/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.21)
project(user LANGUAGES NONE)
set(MSVC TRUE)
set(CMAKE_SIZEOF_VOID_P 8)
find_package(shmcv 0.2 REQUIRED)
get_target_property(library shmcv::shmcv IMPORTED_IMPLIB)
if(NOT library MATCHES "/lib/shmcv.lib$" OR NOT EXISTS "${library}")
  message(FATAL_ERROR "the import library is ${library}")
endif()
CMAKE
    (unset CC CXX && cmake -G Ninja -S "$1/microsoft" -B "$1/microsoft/build" -DCMAKE_SYSTEM_NAME=Windows \
        -DCMAKE_PREFIX_PATH="$1/moved here") &&
        "$CC" -I"$1/moved here/include" "$root/c-sample/flip.c" "$1/moved here/lib/shmcv.lib" -o "$1/build/flip.exe" &&
        in_wine sh -c 'cd /work/tests/installed/build && wine flip.exe --headless photograph.jpg flipped.png' && status=PASS
    echo "$status import_library_of_microsofts_linker, status 0"
}
