# ./build.sh test old: what `dist` makes for linux-x64, used on an older Linux. Sourced by build.sh. Here is the system; what is
# done there is in scripts/old_*.sh.
#
# The system is Debian 11, whose glibc is 2.31, in a root of its own that debootstrap makes once in the user's cache. Its own gcc 10,
# CMake, and Python 3.9, the oldest Python that the package is for, build and run what users write. Tests run there in a mount
# namespace, which keeps the mounts to them, /dev/shm too. Both take the superuser's rights. Debian 10, whose glibc is 2.28, is
# no longer on the mirrors.

old_packages=(gcc g++ cmake ninja-build pkg-config python3 python3-venv libgtk-3-0 xvfb)
old_tools=(debootstrap:debootstrap unshare:util-linux)

old_suites=(c python csharp) # What `./build.sh test old` runs: old-c and so on, which can be named alone too.

# why_no_old prints why nothing can be tested on an older Linux here. It prints nothing if it can.
why_no_old() {
    if ! as_root true; then echo "TESTING ON AN OLDER LINUX TAKES THE SUPERUSER'S RIGHTS, AND THERE IS NO SUDO"
    elif ! as_root unshare -m true 2>/dev/null; then echo "TESTING ON AN OLDER LINUX MOUNTS FOLDERS, WHICH THIS SYSTEM OR ITS CONTAINER FORBIDS"
    elif [ "$(uname -m)" != x86_64 ]; then echo "TESTING ON AN OLDER LINUX TAKES A PROCESSOR THAT IS x86-64"
    elif ! have debootstrap && ! have apt-get; then echo "TESTING ON AN OLDER LINUX TAKES debootstrap, WHICH IS NOT INSTALLED"
    fi
}

# need_old leaves old_root as the folder of the root.
need_old() {
    old_root="$cache/old-bullseye-$(printf '%s\n' "${old_packages[@]}" | sha256sum | cut -c 1-8)"
    [ ! -e "$old_root/complete" ] || return 0
    install_missing "${old_tools[@]}"
    mkdir -p "$cache"
    exec 9>"$old_root.lock"
    flock -n 9 || { say "another process makes the root with Debian 11; waiting for it"; flock 9; }
    [ -e "$old_root/complete" ] || make_old_root
    exec 9>&-
}

make_old_root() {
    say "making a root of Debian 11 once, in $old_root (0.9 GB; 2 minutes)"
    as_root rm -rf "$old_root"
    quietly "$build/log/debootstrap-old.log" as_root debootstrap --variant=minbase bullseye "$old_root"
    quietly "$build/log/old-packages.log" as_root chroot "$old_root" env DEBIAN_FRONTEND=noninteractive \
        sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@" && apt-get clean' sh "${old_packages[@]}"
    as_root touch "$old_root/complete"
}

# in_old COMMAND...: runs a command of the root, where /src is this checkout, which cannot be written to, and /work is the folder
# build/linux-x64, which also is /src/build. Shared memory is empty, and ends with the command.
in_old() {
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c '
        set -e
        old_root="$1" root="$2" work="$3"
        shift 3
        mount --make-rprivate /
        for folder in proc dev sys; do mount --rbind "/$folder" "$old_root/$folder"; done
        mount -t tmpfs -o size=2g,mode=1777 shm "$old_root/dev/shm"
        mkdir -p "$old_root/src" "$old_root/work"
        mount --bind "$root" "$old_root/src"
        mount -o remount,bind,ro "$old_root/src"
        mount --bind "$work" "$old_root/src/build"
        mount --bind "$work" "$old_root/work"
        exec chroot "$old_root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 "$@"' \
        sh "$old_root" "$root" "$build" "$@"
}

# old_in SUITE COMMAND...: runs a function that tests what `dist` makes for linux-x64, in build/linux-x64/old/dist. Of the
# events of Go's tests, which as_events adds to $events, it makes the suite's report. A function with another runner
# writes $reports/old-SUITE.xml itself.
old_in() { (
    local suite="$1" events why
    shift
    why="$(why_no_old)"
    [ -z "$why" ] || { skip_suite "old-$suite" "$why"; return 0; }
    use_target linux-x64
    unset GO_FLAGS_SET SHMCV_PLUGIN_DIR
    need_build_tools
    need_library
    need_old
    mkdir -p "$build/old" "$build/log"
    # shellcheck disable=SC2030,SC2034 # as_events runs inside
    events="$build/old/$suite.json"
    rm -f "$events"
    "$@"
    [ -s "$events" ] || return 0
    report_of_events "old-$suite" "$events"
); }
