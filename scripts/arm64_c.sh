# The suite linux-arm64-c: the C sample, and the C and C++ tests, for arm64. Sourced by build.sh.

# The test programs. Each is bindings/c/tests/test_NAME.c, or .cpp. Not among them are those of windows, which Python's tests look at,
# and the soak test, which takes Go's race detector and half an hour.
arm64_c_tests=(version error image transform bytes codec codec_linux segment segment_linux access access_linux stream stream_linux
    wait_set limits limits_linux fork cpp cpp_linux stream_cpp)
arm64_c_shared=(test test_linux vectors) # what all of them share
arm64_c_flags=(-O2 -Wall -Wextra)

test_linux-arm64-c() { arm64_in c test_c_in_arm64; }

test_c_in_arm64() {
    local name part objects=()
    quietly "$build/log/flip.log" "$CC" -std=c11 "${arm64_c_flags[@]}" -I"$root/include" "$root/c-sample/flip.c" -L"$build" -lshmcv -Wl,-rpath,/work -o "$build/tests/flip"
    say "  c-sample"
    { flip_in_arm64; show_in_arm64; } 2>&1 | as_go_prints | as_events c-sample
    for part in "${arm64_c_shared[@]}"; do
        objects+=("$build/tests/$part.o")
        quietly "$build/log/$part.log" "$CC" -std=gnu11 "${arm64_c_flags[@]}" -I"$root/include" -DSHMCV_TESTDATA='"/src/testdata"' \
            -c "$root/bindings/c/tests/$part.c" -o "$build/tests/$part.o"
    done
    quietly "$build/log/scarce.log" "$CC" -std=gnu11 "${arm64_c_flags[@]}" -shared -fPIC "$root/bindings/c/tests/scarce_memory.c" \
        -o "$build/tests/libscarce_memory.so"
    for name in "${arm64_c_tests[@]}"; do
        compile_c_test_for_arm64 "$name" "${objects[@]}"
        say "  bindings/c/tests, $name"
        in_arm64 sh -c "cd /work/tests && exec ./test_$name" 2>&1 | as_go_prints | as_events "bindings/c/tests/$name"
    done
}

# compile_c_test_for_arm64 NAME OBJECT...
compile_c_test_for_arm64() {
    local name="$1" folder="$root/bindings/c/tests" sources compiler=("$CC" -std=gnu11)
    shift
    case "$name" in
    cpp|cpp_linux) sources=("$folder/test_$name.cpp") compiler=("$CXX" -std=c++17) ;;
    *_cpp)         sources=("$folder/test_${name%_cpp}.cpp") compiler=("$CXX" -std=c++17) ;;
    limits)        sources=("$folder/test_$name.c" "$folder/scarce_linux.c") ;;
    *)             sources=("$folder/test_$name.c") ;;
    esac
    quietly "$build/log/test_$name.log" "${compiler[@]}" "${arm64_c_flags[@]}" -I"$root/include" -DSHMCV_TESTDATA='"/src/testdata"' \
        -DSCARCE_MEMORY='"/work/tests/libscarce_memory.so"' "${sources[@]}" "$@" -L"$build" -lshmcv -Wl,-rpath,/work -lpthread -ldl -o "$build/tests/test_$name"
}

# show_in_arm64: the sample shows its windows by GTK.
show_in_arm64() {
    local status=FAIL
    in_arm64 /src/bindings/c/tests/with_display.sh /work/tests/flip /src/testdata/photograph.jpg /work/tests/shown.png | tee /dev/stderr |
        grep "^showed both" >/dev/null && status=PASS
    echo "$status shows_both_pictures, status 0"
}

# flip_in_arm64 runs the sample on both processors, and compares their pictures.
flip_in_arm64() {
    local status=FAIL picture=/src/testdata/photograph.jpg
    rm -f "$build"/tests/flipped*.png
    env -u CC cc "$root/c-sample/flip.c" -I"$root/include" -L"$root/build" -lshmcv -Wl,-rpath,"$root/build" -o "$build/tests/flip-here" &&
        "$build/tests/flip-here" --headless "$photograph" "$build/tests/flipped-here.png" &&
        in_arm64 /work/tests/flip --headless "$picture" /work/tests/flipped.png &&
        cmp "$build/tests/flipped-here.png" "$build/tests/flipped.png" && status=PASS
    echo "$status flips_as_on_this_machine, status 0"
}
