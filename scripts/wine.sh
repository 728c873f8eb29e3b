# ./build.sh test win-x64: the library for Windows, tested under Wine. Sourced by build.sh. Here is the Wine; each suite of
# tests is in a file of its own, scripts/wine_*.sh.
#
# The Wine is Debian 13's (debian.sh): older ones lack what Go and .NET need of Windows.

wine_packages=(wine wine64 xvfb)

# What `./build.sh test win-x64` runs: win-x64-go and so on, which can be named alone too. Each line is run beside the others, suite
# after suite. A test under Wine mostly waits: for processes to start, and for Wine's server. The suites of .NET are in one
# line, because they build into one folder.
wine_lines=("go python" "csharp c hosting")
read -ra wine_suites <<<"${wine_lines[*]}"
wine_patience="${SHMCV_WINE_PATIENCE:-45m}" # No program of a suite takes longer. One that hangs is killed then, and has failed.

# why_no_wine prints why no library for Windows can be tested here. It prints nothing if it can.
why_no_wine() { why_no_debian "TESTING UNDER WINE"; }

# need_wine leaves wine_root as the folder of the system.
need_wine() {
    wine_root="$(debian_folder wine-trixie "${wine_packages[@]}")"
    make_once "$wine_root" "the Debian 13 with Wine" make_wine_root
}

make_wine_root() {
    say "making a Debian 13 with Wine once, in $wine_root (1.4 GB; 2 minutes)"
    make_debian "$wine_root" amd64 trixie "${wine_packages[@]}"
}

# test_windows runs all suites of win-x64, line beside line. What all of them need is made before. The output of a suite is printed
# when the suite has ended.
test_windows() {
    local suite line lines=() status=0
    mkdir -p "$build/log"
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
    install_missing "${debian_tools[@]}" "${wine_python_tools[@]}" "${wine_c_tools[@]}"
    need_wine &
    root_is_made=$!
    need_go_flags
    need_wine_python
    wait "$root_is_made"
}

# in_wine COMMAND...: runs a command of the system, where /work is the folder build/win-x64. Windows' own drive C: is in
# /work/prefix-SUITE, which wine_in makes.
in_wine() {
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c "$debian_mounts"'
        prefix="$1" patience="$2"
        shift 2
        exec timeout --foreground --kill-after=10 "$patience" chroot "$debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp \
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

# wine_in SUITE COMMAND...: runs a function that tests the library for Windows in a new Wine of its own; see as_suite.
wine_in() { (
    local suite="$1" why status=0
    shift
    why="$(why_no_wine)"
    [ -z "$why" ] || { skip_suite "win-x64-$suite" "$why"; return 0; }
    use_target win-x64
    unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
    need_build_tools
    need_wine
    if [ -n "${windows_library_is_built:-}" ]; then need_go_flags; else need_library; fi
    wine_prefix="prefix-$suite"
    as_root rm -rf "${build:?}/$wine_prefix"
    quietly "$build/log/wineboot-$suite.log" in_wine wineboot -i
    as_suite "win-x64-$suite" "$@" || status=1
    in_wine wineserver -k || true
    return "$status"
); }
