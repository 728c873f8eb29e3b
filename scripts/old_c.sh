# The suite old-c: the archive for C and C++ programs, used on an older Linux. Sourced by build.sh.

test_old-c() { old_in c test_c_in_old; }

# test_c_in_old: the sample's picture is byte for byte the one that this machine's own library makes.
test_c_in_old() {
    rm -rf "$build/old/c" "$build/old/dist"
    mkdir -p "$build/old/c" "$build/old/dist"
    make_archive "$build/old/dist"
    env -u CC cc "$root/c-sample/flip.c" -I"$root/include" -L"$root/build" -lshmcv -Wl,-rpath,"$root/build" -o "$build/old/c/flip-here"
    quietly "$build/log/flip-here.log" "$build/old/c/flip-here" --headless "$photograph" "$build/old/c/flipped-here.png"
    say "  the archive, by gcc 10"
    in_old bash /src/scripts/old/c.sh 2>&1 | as_go_prints | as_events old/c
}
