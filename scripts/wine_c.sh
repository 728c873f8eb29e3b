# The suite win-x64-c: the C samples, the C and C++ tests, and what a C or C++ user does, under Wine. Sourced by build.sh.

# The test programs. Each is bindings/c/tests/test_NAME.c, or .cpp, with test_NAME_windows.c beside it if there is one. Not
# among them are the tests in files of Linux's name, fork, which Windows does not have, and limits: Linux's limits of a process,
# and a library that Linux loads before all others to let allocations fail.
wine_c_tests=(version error image transform codec segment access stream wait_set soak host calls cpp stream_cpp)
wine_c_window_tests=(window)
wine_c_variables=(SHMCV_SOAK_ROUNDS=300 SHMCV_SOAK_SECONDS=10) # Wine takes some milliseconds for what Linux does in microseconds.
wine_c_flags=(-O2 -Wall -Wextra -Wpedantic -Wshadow -Werror)

test_win-x64-c() { wine_in c test_c_in_wine; }

# test_c_in_wine: the C sample, whose picture is byte for byte the one that it makes on Linux; the C and C++ tests; and
# programs that find the installed library by CMake.
test_c_in_wine() {
    local name
    quietly "$build/log/flip.log" "$CC" -std=c11 "${wine_c_flags[@]}" -I"$root/include" "$root/c-sample/flip.c" "$build/libshmcv.dll.a" \
        -o "$build/flip.exe"
    say "  c-sample"
    { flip_in_wine; show_in_wine; camera_in_wine; } 2>&1 | as_go_prints | as_events c-sample
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
    local part
    for part in test test_windows vectors screen_windows; do
        quietly "$build/log/$part.log" "$CC" -std=c11 "${wine_c_flags[@]}" -I"$root/include" -DSHMCV_TESTDATA='"/src/testdata"' \
            -c "$root/bindings/c/tests/$part.c" -o "$build/tests/$part.o"
    done
    rm -f "$build/tests/libtest.a"
    "$AR" rcs "$build/tests/libtest.a" "$build/tests"/{test,test_windows,vectors,screen_windows}.o
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

# in_wine_with_display COMMAND...: in_wine, in /work, with a display. A Wine that has begun without one is ended before, and the one
# that has it afterwards.
in_wine_with_display() {
    rm -f "$build/display"
    # shellcheck disable=SC2016
    in_wine sh -c '
        cd /work
        wineserver -k
        Xvfb -displayfd 3 -screen 0 1280x1024x24 3>display >/dev/null 2>&1 &
        server=$!
        until [ -s display ] || ! kill -0 $server; do sleep 0.1; done
        DISPLAY=":$(cat display)" "$@"
        wineserver -k
        kill $server' sh "$@"
}

show_in_wine() {
    local status=FAIL
    in_wine_with_display wine flip.exe /src/testdata/photograph.jpg shown.png | tee /dev/stderr | grep "^showed both" >/dev/null && status=PASS
    echo "$status shows_both_pictures, status 0"
}

# camera_in_wine runs the sample that publishes a stream, until it is killed, with a program that looks at its frames; and then
# another one, until Ctrl-C.
camera_in_wine() {
    local status=FAIL program
    for program in camera:c-sample watch_camera:bindings/c/tests; do
        quietly "$build/log/${program%:*}.log" "$CC" -std=c11 "${wine_c_flags[@]}" -I"$root/include" "$root/${program#*:}/${program%:*}.c" \
            "$build/libshmcv.dll.a" -o "$build/${program%:*}.exe"
    done
    in_wine sh -c 'cd /work && wine watch_camera.exe camera.exe' && status=PASS
    echo "$status camera_publishes_until_ctrl_c, status 0"
}
