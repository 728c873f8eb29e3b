# ./build.sh test old: what `dist` makes for linux-x64, used on an older Linux. Sourced by build.sh. Here is the system; what is
# done there is in scripts/old_*.sh.
#
# The system is Debian 11, whose glibc is 2.31 (debian.sh). Its own gcc 10, CMake, and Python 3.9, the oldest Python that the package
# is for, build and run what users write. Debian 10, whose glibc is 2.28, is no longer on the mirrors.

old_packages=(gcc g++ cmake ninja-build pkg-config python3 python3-venv libgtk-3-0 xvfb xdotool imagemagick)

old_suites=(c python csharp) # What `./build.sh test old` runs: old-c and so on, which can be named alone too.

# why_no_old prints why nothing can be tested on an older Linux here. It prints nothing if it can.
why_no_old() {
    if [ "$(uname -m)" != x86_64 ]; then echo "TESTING ON AN OLDER LINUX TAKES A PROCESSOR THAT IS x86-64"
    else why_no_debian "TESTING ON AN OLDER LINUX"
    fi
}

# need_old leaves old_root as the folder of the system.
need_old() {
    old_root="$(debian_folder old-bullseye "${old_packages[@]}")"
    make_once "$old_root" "the Debian 11" make_old_root
}

make_old_root() {
    say "making a Debian 11 once, in $old_root (0.9 GB; 2 minutes)"
    make_debian "$old_root" amd64 bullseye "${old_packages[@]}"
}

in_old() { in_debian "$old_root" "$@"; }

# old_in SUITE COMMAND...: runs a function that tests what `dist` makes for linux-x64, in build/linux-x64/old/dist; see as_suite.
old_in() { (
    local suite="$1" why
    shift
    why="$(why_no_old)"
    [ -z "$why" ] || { skip_suite "old-$suite" "$why"; return 0; }
    use_library_of linux-x64
    need_old
    mkdir -p "$build/old"
    as_suite "old-$suite" "$@"
); }
