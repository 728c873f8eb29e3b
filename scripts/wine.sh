# ./build.sh test win-x64: the library for Windows, tested under Wine. Sourced by build.sh.
#
# The Wine is Debian 13's, in a root of its own that debootstrap makes once in the user's cache: older ones lack what Go and
# .NET need of Windows. Tests run there in a mount namespace, which keeps the mounts to them. Both take the superuser's rights.

wine_packages=(wine wine64 xvfb)
wine_tools=(debootstrap:debootstrap unshare:util-linux)

# The packages whose tests run, and how many frames and killed processes the longest tests take: to start a process takes
# Wine some tenths of a second.
wine_go_packages=(shm/internal/sys shm ops)
wine_variables=(SHMCV_FRAMES=2000 SHMCV_KILL_ROUNDS=10)

# The C tests that need nothing of Linux. The others start children, which bindings/c/tests/test_windows.c cannot yet, or look
# at /dev/shm, signals, descriptors and limits.
wine_c_tests=(version error image transform codec)

# need_wine leaves wine_root as the folder of the root.
need_wine() {
    wine_root="$cache/wine-trixie-$(printf '%s\n' "${wine_packages[@]}" | sha256sum | cut -c 1-8)"
    [ ! -e "$wine_root/complete" ] || return 0
    as_root true || die "testing under Wine takes the superuser's rights, and there is no sudo"
    install_missing "${wine_tools[@]}"
    mkdir -p "$cache"
    exec 9>"$wine_root.lock"
    flock 9
    [ -e "$wine_root/complete" ] || make_wine_root
    exec 9>&-
}

make_wine_root() {
    say "making a root of Debian 13 with Wine once, in $wine_root (1.7 GB)"
    as_root rm -rf "$wine_root"
    quietly "$build/log/debootstrap.log" as_root debootstrap --variant=minbase trixie "$wine_root"
    quietly "$build/log/wine-packages.log" as_root chroot "$wine_root" env DEBIAN_FRONTEND=noninteractive \
        sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@" && apt-get clean' sh "${wine_packages[@]}"
    as_root touch "$wine_root/complete"
}

# in_wine COMMAND...: runs a command of the root, where /src is this checkout, which cannot be written to, and /work is the
# folder build/win-x64. Windows' own drive is /work/prefix.
in_wine() {
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c '
        set -e
        wine_root="$1" root="$2" work="$3"
        shift 3
        mount --make-rprivate /
        for folder in proc dev sys; do mount --rbind "/$folder" "$wine_root/$folder"; done
        mkdir -p "$wine_root/src" "$wine_root/work"
        mount --bind "$root" "$wine_root/src"
        mount -o remount,bind,ro "$wine_root/src"
        mount --bind "$work" "$wine_root/work"
        exec chroot "$wine_root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp \
            WINEPREFIX=/work/prefix WINEDEBUG=-all "$@"' sh "$wine_root" "$root" "$build" "$@"
}

test_win-x64() { (
    use_target win-x64
    unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
    need_build_tools
    need_wine
    need_library
    mkdir -p "$build/tests" "$build/log"
    as_root rm -rf "$build/prefix"
    quietly "$build/log/wineboot.log" in_wine wineboot -i
    rm -f "$build/tests/events.json"
    test_c_in_wine
    test_go_in_wine
    in_wine wineserver -k || true
    (cd "$root" && unset GOOS GOARCH CC && CGO_ENABLED=0 GOFLAGS='' go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails \
        --junitfile "$reports/win-x64.xml" --raw-command -- cat "$build/tests/events.json")
); }

# as_events PACKAGE: reads what Go's tests print, and adds it to the events of which the report is made.
as_events() { (unset GOOS GOARCH; go tool test2json -t -p "shmcv/$1" >>"$build/tests/events.json"); }

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

# as_go_prints makes lines as Go's tests print them of those that tests in C print: PASS, SKIP or FAIL, and a name.
as_go_prints() {
    tr -d '\r' | awk '
        /^(PASS|SKIP|FAIL) [a-z0-9_]+, status / {
            sub(",", "", $2); print "=== RUN   " $2 "\n--- " $1 ": " $2 " (0.00s)"; all++; failed += $1 == "FAIL"; next
        }
        {print}
        END {print all && !failed ? "PASS" : "FAIL"}'
}

# test_go_in_wine compiles the tests of Go packages, and runs them where they find their files.
test_go_in_wine() {
    local package program
    for package in "${wine_go_packages[@]}"; do
        program="${package//\//-}.test.exe"
        (cd "$root" && quietly "$build/log/$program.log" go test -c -o "$build/tests/$program" "./$package") || return 1
        say "  $package"
        # shellcheck disable=SC2016
        in_wine env "${wine_variables[@]}" sh -c 'cd "/src/$1" && wine "/work/tests/$2" -test.short -test.v=test2json -test.timeout 60m' \
            sh "$package" "$program" 2>&1 | as_events "$package" || true
    done
}
