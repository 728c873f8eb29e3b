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
    test_go_in_wine
    result=$?
    in_wine wineserver -k || true
    exit $result
); }

# test_go_in_wine compiles the tests of Go packages, and runs them where they find their files.
test_go_in_wine() {
    local package program events="$build/tests/events.json"
    : >"$events"
    for package in "${wine_go_packages[@]}"; do
        program="${package//\//-}.test.exe"
        (cd "$root" && quietly "$build/log/$program.log" go test -c -o "$build/tests/$program" "./$package") || return 1
        say "  $package"
        # shellcheck disable=SC2016
        in_wine env "${wine_variables[@]}" sh -c 'cd "/src/$1" && wine "/work/tests/$2" -test.short -test.v=test2json -test.timeout 60m' \
            sh "$package" "$program" 2>&1 | (unset GOOS GOARCH; go tool test2json -t -p "shmcv/$package" >>"$events") || true
    done
    (cd "$root" && unset GOOS GOARCH CC && CGO_ENABLED=0 GOFLAGS='' go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails \
        --junitfile "$reports/win-x64.xml" --raw-command -- cat "$events")
}
