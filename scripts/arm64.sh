# ./build.sh test linux-arm64: the library for arm64, tested on this machine. Sourced by build.sh. Here is the system that the
# tests run in; each suite of tests is in a file of its own, scripts/arm64_*.sh.
#
# The system is Debian 12 for arm64 (debian.sh). QEMU's emulation of processes runs its programs: the kernel is this machine's. The
# kernel takes QEMU as the interpreter of arm64's programs for as long as a suite runs (binfmt_misc), so that programs start each other
# as they do on arm64.

arm64_packages=(python3 python3-venv libssl3 libstdc++6 libatomic1 libgtk-3-0 xvfb xdotool imagemagick)
arm64_tools=(qemu-aarch64-static:qemu-user-static)
arm64_registration=/usr/lib/binfmt.d/qemu-aarch64.conf # of Debian's qemu-user-static

arm64_suites=(go c python csharp) # What `./build.sh test linux-arm64` runs: linux-arm64-go and so on, which can be named alone too.

# why_no_arm64 prints why nothing can be tested for arm64 here. It prints nothing if it can.
why_no_arm64() {
    local why; why="$(why_no_debian "TESTING FOR ARM64")"
    if [ -n "$why" ]; then echo "$why"
    elif ! as_root unshare -m mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null; then
        echo "TESTING FOR ARM64 TAKES binfmt_misc, WHICH THIS SYSTEM OR ITS CONTAINER LACKS"
    elif [ ! -e "$arm64_registration" ] && ! have apt-get; then echo "TESTING FOR ARM64 TAKES DEBIAN'S qemu-user-static, WHICH IS NOT INSTALLED"
    fi
}

# register_arm64 has the kernel run arm64's programs by QEMU until forget_arm64, or until this process has ended in any other way. Each
# suite has a registration of its own, so that one that ends takes none away from others. Since Linux 6.7 a registration is gone
# when binfmt_misc is mounted nowhere; a process keeps it mounted, in a namespace of its own.
register_arm64() {
    # shellcheck disable=SC2016 # the inner shell expands them
    coproc arm64 { as_root unshare -m sh -c '
        trap "" INT
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && cd /proc/sys/fs/binfmt_misc &&
            sed "s/^:[^:]*:/:$1:/" "$2" >register || exit
        echo registered
        cat >/dev/null
        echo -1 >"$1"' sh "shmcv-arm64-$BASHPID" "$arm64_registration"; }
    read -r _ <&"${arm64[0]}" || die "the kernel does not take QEMU for arm64's programs"
    trap forget_arm64 EXIT
}

forget_arm64() {
    local keeper="$arm64_PID" input="${arm64[1]}"
    exec {input}>&-
    wait "$keeper"
}

# need_arm64 leaves arm64_root as the folder of the system. arm64's programs run already.
need_arm64() {
    arm64_root="$(debian_folder arm64-bookworm "${arm64_packages[@]}")"
    make_once "$arm64_root" "the Debian 12 for arm64" make_arm64_root
}

make_arm64_root() {
    say "making a Debian 12 for arm64 once, in $arm64_root (0.4 GB; 5 minutes)"
    make_debian "$arm64_root" arm64 bookworm "${arm64_packages[@]}"
}

in_arm64() { in_debian "$arm64_root" env SHMCV_TEST_QEMU=1 "$@"; }

# arm64_in SUITE COMMAND...: runs a function that tests the library for arm64; see as_suite.
arm64_in() { (
    local suite="$1" why
    shift
    why="$(why_no_arm64)"
    [ -z "$why" ] || { skip_suite "linux-arm64-$suite" "$why"; return 0; }
    use_library_of linux-arm64
    install_missing "${arm64_tools[@]}"
    register_arm64
    need_arm64
    as_suite "linux-arm64-$suite" "$@"
); }
