# ./build.sh test linux-arm64: the library for arm64, tested on this machine. Sourced by build.sh. Here is the system that the
# tests run in; each suite of tests is in a file of its own, scripts/arm64_*.sh.
#
# The system is Debian 12 for arm64, in a root of its own that debootstrap makes once in the user's cache. QEMU's emulation of
# processes runs its programs: the kernel is this machine's. The kernel takes QEMU as the interpreter of arm64's programs for as
# long as a suite runs (binfmt_misc), so that programs start each other as they do on arm64. Tests run in a mount namespace, which
# keeps the mounts to them, /dev/shm too. All this takes the superuser's rights.

arm64_packages=(python3 python3-venv libssl3 libstdc++6)
arm64_tools=(debootstrap:debootstrap unshare:util-linux qemu-aarch64-static:qemu-user-static)
arm64_registration=/usr/lib/binfmt.d/qemu-aarch64.conf # of Debian's qemu-user-static

arm64_suites=(go c python csharp) # What `./build.sh test linux-arm64` runs: linux-arm64-go and so on, which can be named alone too.

# why_no_arm64 prints why nothing can be tested for arm64 here. It prints nothing if it can.
why_no_arm64() {
    if ! as_root true; then echo "TESTING FOR ARM64 TAKES THE SUPERUSER'S RIGHTS, AND THERE IS NO SUDO"
    elif ! as_root unshare -m true 2>/dev/null; then echo "TESTING FOR ARM64 MOUNTS FOLDERS, WHICH THIS SYSTEM OR ITS CONTAINER FORBIDS"
    elif ! as_root unshare -m mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null; then
        echo "TESTING FOR ARM64 TAKES binfmt_misc, WHICH THIS SYSTEM OR ITS CONTAINER LACKS"
    elif ! have debootstrap && ! have apt-get; then echo "TESTING FOR ARM64 TAKES debootstrap, WHICH IS NOT INSTALLED"
    elif [ ! -e "$arm64_registration" ] && ! have apt-get; then echo "TESTING FOR ARM64 TAKES DEBIAN'S qemu-user-static, WHICH IS NOT INSTALLED"
    fi
}

# register_arm64 has the kernel run arm64's programs by QEMU until forget_arm64. Each build has a registration of its own, so that
# one that ends takes none away from others. What builds have left that were killed is taken away too. The names are 'shmcv-arm64-'
# and the id of the build's process.
register_arm64() {
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c '
        set -e
        mount --make-rprivate /
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        cd /proc/sys/fs/binfmt_misc
        for left in shmcv-arm64-*; do
            [ ! -e "$left" ] || [ -e "/proc/${left##*-}" ] || echo -1 >"$left"
        done
        [ -e "shmcv-arm64-$1" ] || sed "s/^:[^:]*:/:shmcv-arm64-$1:/" "$2" >register' sh $$ "$arm64_registration"
}

forget_arm64() {
    # shellcheck disable=SC2016
    as_root unshare -m sh -c 'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        [ ! -e "$1" ] || echo -1 >"$1"' sh "/proc/sys/fs/binfmt_misc/shmcv-arm64-$$"
}

# need_arm64 leaves arm64_root as the folder of the root. arm64's programs run already.
need_arm64() {
    arm64_root="$cache/arm64-bookworm-$(printf '%s\n' "${arm64_packages[@]}" | sha256sum | cut -c 1-8)"
    [ ! -e "$arm64_root/complete" ] || return 0
    mkdir -p "$cache"
    exec 9>"$arm64_root.lock"
    flock -n 9 || { say "another process makes the root with Debian for arm64; waiting for it"; flock 9; }
    [ -e "$arm64_root/complete" ] || make_arm64_root
    exec 9>&-
}

make_arm64_root() {
    say "making a root of Debian 12 for arm64 once, in $arm64_root (0.4 GB; 5 minutes)"
    as_root rm -rf "$arm64_root"
    quietly "$build/log/debootstrap.log" as_root debootstrap --arch=arm64 --variant=minbase \
        --include="$(IFS=,; echo "${arm64_packages[*]}")" bookworm "$arm64_root"
    as_root chroot "$arm64_root" apt-get clean
    as_root touch "$arm64_root/complete"
}

# in_arm64 COMMAND...: runs a command of the root, where /src is this checkout, which cannot be written to, and /work is the folder
# build/linux-arm64, which also is /src/build. Shared memory is empty, and ends with the command.
in_arm64() {
    # shellcheck disable=SC2016
    as_root unshare -m sh -c '
        set -e
        arm64_root="$1" root="$2" work="$3"
        shift 3
        mount --make-rprivate /
        mount --bind "$arm64_root" "$arm64_root" # The root of a system is a mount, and a process in a chroot may not have namespaces.
        for folder in proc dev sys; do mount --rbind "/$folder" "$arm64_root/$folder"; done
        mount -t tmpfs -o size=2g,mode=1777 shm "$arm64_root/dev/shm"
        mkdir -p "$arm64_root/src" "$arm64_root/work"
        mount --bind "$root" "$arm64_root/src"
        mount -o remount,bind,ro "$arm64_root/src"
        mount --bind "$work" "$arm64_root/src/build"
        mount --bind "$work" "$arm64_root/work"
        cd "$arm64_root"
        pivot_root . .
        umount -l .
        cd /
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
            SHMCV_LIBRARY=/work/libshmcv.so LD_LIBRARY_PATH=/work "$@"' sh "$arm64_root" "$root" "$build" "$@"
}

# arm64_in SUITE COMMAND...: runs a function that tests the library for arm64. Of the events of Go's tests, which as_events adds to
# $events, it makes the suite's report. A function with another runner writes $reports/linux-arm64-SUITE.xml itself.
arm64_in() { (
    local suite="$1" events why
    shift
    why="$(why_no_arm64)"
    [ -z "$why" ] || { skip_suite "linux-arm64-$suite" "$why"; return 0; }
    use_target linux-arm64
    unset GO_FLAGS_SET SHMCV_PLUGIN_DIR
    need_build_tools
    install_missing "${arm64_tools[@]}"
    need_library
    mkdir -p "$build/tests" "$build/log"
    trap forget_arm64 EXIT
    register_arm64
    need_arm64
    # shellcheck disable=SC2030,SC2034 # as_events runs inside
    events="$build/tests/$suite.json"
    rm -f "$events"
    "$@"
    [ -s "$events" ] || return 0
    report_of_events "linux-arm64-$suite" "$events"
); }
