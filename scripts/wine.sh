# ./build.sh test win-x64: the library for Windows, tested under Wine. Sourced by build.sh. Here is the Wine; each suite of
# tests is in a file of its own, scripts/wine_*.sh.
#
# The Wine is Debian 13's, in a root of its own that debootstrap makes once in the user's cache: older ones lack what Go and
# .NET need of Windows. Tests run there in a mount namespace, which keeps the mounts to them. Both take the superuser's rights.

wine_packages=(wine wine64 xvfb)
wine_tools=(debootstrap:debootstrap unshare:util-linux)

# What `./build.sh test win-x64` runs: win-x64-go and so on, which can be named alone too. Each line is run beside the others, suite
# after suite. A test under Wine mostly waits: for processes to start, and for Wine's server. The suites of .NET are in one
# line, because they build into one folder.
wine_lines=("go python" "csharp c hosting")
read -ra wine_suites <<<"${wine_lines[*]}"
wine_patience="${SHMCV_WINE_PATIENCE:-45m}" # No program of a suite takes longer. One that hangs is killed then, and has failed.

# why_no_wine prints why no library for Windows can be tested here. It prints nothing if it can.
why_no_wine() {
    if ! as_root true; then echo "TESTING UNDER WINE TAKES THE SUPERUSER'S RIGHTS, AND THERE IS NO SUDO"
    elif ! as_root unshare -m true 2>/dev/null; then echo "TESTING UNDER WINE MOUNTS FOLDERS, WHICH THIS SYSTEM OR ITS CONTAINER FORBIDS"
    elif ! have debootstrap && ! have apt-get; then echo "TESTING UNDER WINE TAKES debootstrap, WHICH IS NOT INSTALLED"
    fi
}

# need_wine leaves wine_root as the folder of the root.
need_wine() {
    wine_root="$cache/wine-trixie-$(printf '%s\n' "${wine_packages[@]}" | sha256sum | cut -c 1-8)"
    [ ! -e "$wine_root/complete" ] || return 0
    install_missing "${wine_tools[@]}"
    mkdir -p "$cache"
    exec 9>"$wine_root.lock"
    flock -n 9 || { say "another process makes the root with Wine; waiting for it"; flock 9; }
    [ -e "$wine_root/complete" ] || make_wine_root
    exec 9>&-
}

# test_windows runs all suites of win-x64, line beside line. What all of them need is made before. The output of a suite is printed
# when the suite has ended.
test_windows() {
    local suite line lines=() status=0
    if ! (
        unset PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
        "$root/build.sh" prepare && "$root/build.sh" build --target win-x64
    ); then
        for suite in "${wine_suites[@]}"; do fail_suite "win-x64-$suite" "what the tests need could not be made"; done
        return 1
    fi
    for line in "${wine_lines[@]}"; do
        test_wine_line "$line" &
        lines+=($!)
    done
    for line in "${lines[@]}"; do wait "$line" || status=1; done
    return "$status"
}

# test_wine_line "SUITE...": runs suites one after the other, with the library that is there.
test_wine_line() {
    local suite log status=0 windows_library_is_built=1
    for suite in $1; do
        say "tests: win-x64-$suite"
        log="$build/log/test-win-x64-$suite.log"
        "test_win-x64-$suite" >"$log" 2>&1 || status=1
        [ -s "$reports/win-x64-$suite.xml" ] || fail_suite "win-x64-$suite" "the tests ended without a result"
        flock "$build/log" sed "s/^/win-x64-$suite: /" "$log"
    done
    return "$status"
}

# prepare_windows makes what the tests of win-x64 need, and is made once. The root is downloaded while OpenCV is compiled.
prepare_windows() {
    local why root_is_made
    why="$(why_no_wine)"
    use_target win-x64
    need_build_tools
    if [ -n "$why" ]; then
        warn "$why"
        need_go_flags
        return
    fi
    install_missing "${wine_tools[@]}" "${wine_python_tools[@]}" "${wine_c_tools[@]}"
    need_wine &
    root_is_made=$!
    need_go_flags
    need_wine_python
    wait "$root_is_made"
}

make_wine_root() {
    say "making a root of Debian 13 with Wine once, in $wine_root (1.4 GB; 2 minutes)"
    as_root rm -rf "$wine_root"
    quietly "$build/log/debootstrap.log" as_root debootstrap --variant=minbase trixie "$wine_root"
    quietly "$build/log/wine-packages.log" as_root chroot "$wine_root" env DEBIAN_FRONTEND=noninteractive \
        sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@" && apt-get clean' sh "${wine_packages[@]}"
    as_root touch "$wine_root/complete"
}

# in_wine COMMAND...: runs a command of the root, where /src is this checkout, which cannot be written to, and /work is the
# folder build/win-x64. Windows' own drive C: is in /work/prefix-SUITE, which wine_in makes.
in_wine() {
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c '
        set -e
        wine_root="$1" root="$2" work="$3" prefix="$4" patience="$5"
        shift 5
        mount --make-rprivate /
        for folder in proc dev sys; do mount --rbind "/$folder" "$wine_root/$folder"; done
        mkdir -p "$wine_root/src" "$wine_root/work"
        mount --bind "$root" "$wine_root/src"
        mount -o remount,bind,ro "$wine_root/src"
        mount --bind "$work" "$wine_root/work"
        exec timeout --foreground --kill-after=10 "$patience" chroot "$wine_root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp \
            WINEPREFIX="/work/$prefix" WINEDEBUG=-all "$@"' sh "$wine_root" "$root" "$build" "$wine_prefix" "$wine_patience" "$@"
}

# What a command of in_wine's begins with that needs a display: a new Wine, because one that has begun without a display has
# none, and a screen for its windows, which ends with the command.
# shellcheck disable=SC2034,SC2016 # suites use it, and the inner shell expands it
with_display='
    wineserver -k
    rm -f "$WINEPREFIX.display"
    Xvfb -displayfd 3 -screen 0 1280x1024x24 -nolisten tcp -noreset 3>"$WINEPREFIX.display" >/dev/null 2>&1 &
    screen=$!
    trap "wineserver -k; kill $screen" EXIT
    until [ -s "$WINEPREFIX.display" ] || ! kill -0 $screen; do sleep 0.1; done
    export DISPLAY=":$(cat "$WINEPREFIX.display")"
'

# wine_in SUITE COMMAND...: runs a function that tests the library for Windows in a new Wine of its own. Of the events of Go's
# tests, which as_events adds to $events, it makes the suite's report. A function with another runner writes
# $reports/win-x64-SUITE.xml itself.
wine_in() { (
    local suite="$1" events why
    shift
    why="$(why_no_wine)"
    [ -z "$why" ] || { skip_suite "win-x64-$suite" "$why"; return 0; }
    use_target win-x64
    unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
    need_build_tools
    need_wine
    if [ -n "${windows_library_is_built:-}" ]; then need_go_flags; else need_library; fi
    mkdir -p "$build/tests" "$build/log"
    # shellcheck disable=SC2030 # as_events runs inside
    wine_prefix="prefix-$suite" events="$build/tests/$suite.json"
    as_root rm -rf "${build:?}/$wine_prefix" "$events"
    quietly "$build/log/wineboot-$suite.log" in_wine wineboot -i
    "$@"
    in_wine wineserver -k || true
    [ -s "$events" ] || return 0
    report_of_events "win-x64-$suite" "$events"
); }

# as_events PACKAGE: reads what Go's tests print, and adds it to the events of which the report is made.
# shellcheck disable=SC2031 # wine_in sets events
as_events() { (unset GOOS GOARCH; go tool test2json -t -p "shmcv/$1" >>"$events"); }

# as_go_prints makes lines as Go's tests print them of those that tests in C print: PASS, SKIP or FAIL, and a name.
as_go_prints() {
    tr -d '\r' | awk '
        /^(PASS|SKIP|FAIL) [a-z0-9_]+, status / {
            sub(",", "", $2); print "=== RUN   " $2 "\n--- " $1 ": " $2 " (0.00s)"; all++; failed += $1 == "FAIL"; next
        }
        {print}
        END {print all && !failed ? "PASS" : "FAIL"}'
}
