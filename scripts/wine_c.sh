# The suite win-x64-c: the C sample and the C tests, under Wine. Sourced by build.sh.

# The C tests that need nothing of Linux. The others start children, which bindings/c/tests/test_windows.c cannot yet, or look
# at /dev/shm, signals, descriptors and limits.
wine_c_tests=(version error image transform codec)

test_win-x64-c() { wine_in c test_c_in_wine; }

# test_c_in_wine: the C sample, whose picture is byte for byte the one that it makes on Linux, and C tests.
test_c_in_wine() {
    local name folder="$root/bindings/c/tests" flags=(-std=c11 -O2 -Wall -Wextra -Wpedantic -Wshadow -Werror -I"$root/include")
    quietly "$build/log/flip.log" "$CC" "${flags[@]}" "$root/c-sample/flip.c" "$build/libshmcv.dll.a" -o "$build/flip.exe"
    say "  c-sample"
    { flip_in_wine; show_in_wine; } 2>&1 | as_go_prints | as_events c-sample
    for name in "${wine_c_tests[@]}"; do
        quietly "$build/log/test_$name.log" "$CC" "${flags[@]}" -DSHMCV_TESTDATA='"/src/testdata"' -static \
            "$folder/test.c" "$folder/test_windows.c" "$folder/vectors.c" "$folder/test_$name.c" "$build/libshmcv.dll.a" -o "$build/test_$name.exe"
        say "  bindings/c/tests, $name"
        # shellcheck disable=SC2016
        in_wine sh -c 'cd /work && wine "$1"' sh "test_$name.exe" 2>&1 | as_go_prints | as_events "bindings/c/tests/$name"
    done
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

# show_in_wine runs the sample with a display. A Wine that has begun without one is ended before.
show_in_wine() {
    local status=FAIL
    rm -f "$build/display"
    # shellcheck disable=SC2016
    in_wine sh -c '
        cd /work
        wineserver -k
        Xvfb -displayfd 3 -screen 0 1280x800x24 3>display >/dev/null 2>&1 &
        server=$!
        until [ -s display ] || ! kill -0 $server; do sleep 0.1; done
        DISPLAY=":$(cat display)" wine flip.exe /src/testdata/photograph.jpg shown.png
        wineserver -k
        kill $server' | tee /dev/stderr | grep "^showed both" >/dev/null && status=PASS
    echo "$status shows_both_pictures, status 0"
}
