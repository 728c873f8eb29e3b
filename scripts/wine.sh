# ./build.sh test win-x64: the library for Windows, tested under Wine. Sourced by build.sh. Here is the Wine; each suite of
# tests is in a file of its own, scripts/wine_*.sh.
#
# The Wine is Debian 13's, in a root of its own that debootstrap makes once in the user's cache: older ones lack what Go and
# .NET need of Windows. Tests run there in a mount namespace, which keeps the mounts to them. Both take the superuser's rights.

wine_packages=(wine wine64 xvfb)
wine_tools=(debootstrap:debootstrap unshare:util-linux)

wine_suites=(go c python) # What `./build.sh test win-x64` runs: win-x64-go and so on, which can be named alone too.

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
# folder build/win-x64. Windows' own drive C: is in /work/prefix-SUITE, which wine_in makes.
in_wine() {
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c '
        set -e
        wine_root="$1" root="$2" work="$3" prefix="$4"
        shift 4
        mount --make-rprivate /
        for folder in proc dev sys; do mount --rbind "/$folder" "$wine_root/$folder"; done
        mkdir -p "$wine_root/src" "$wine_root/work"
        mount --bind "$root" "$wine_root/src"
        mount -o remount,bind,ro "$wine_root/src"
        mount --bind "$work" "$wine_root/work"
        exec chroot "$wine_root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp \
            WINEPREFIX="/work/$prefix" WINEDEBUG=-all "$@"' sh "$wine_root" "$root" "$build" "$wine_prefix" "$@"
}

# wine_in SUITE COMMAND...: runs a function that tests the library for Windows in a new Wine of its own. Of the events of Go's
# tests, which as_events adds to $events, it makes the suite's report. A function with another runner writes
# $reports/win-x64-SUITE.xml itself.
wine_in() { (
    local suite="$1" events
    shift
    use_target win-x64
    unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
    need_build_tools
    need_wine
    need_library
    mkdir -p "$build/tests" "$build/log"
    # shellcheck disable=SC2030 # as_events runs inside
    wine_prefix="prefix-$suite" events="$build/tests/$suite.json"
    as_root rm -rf "${build:?}/$wine_prefix" "$events"
    quietly "$build/log/wineboot-$suite.log" in_wine wineboot -i
    "$@"
    in_wine wineserver -k || true
    [ -s "$events" ] || return 0
    (cd "$root" && unset GOOS GOARCH CC && CGO_ENABLED=0 GOFLAGS='' go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails \
        --junitfile "$reports/win-x64-$suite.xml" --raw-command -- cat "$events")
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
