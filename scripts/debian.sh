# Other systems to test on: Debian of another release or for another processor, in a folder of the user's cache that debootstrap
# makes once. Sourced by build.sh. wine.sh, old.sh and arm64.sh have such a system each.
#
# Tests run there in a mount namespace, which keeps the mounts to them. All of this takes the superuser's rights.

debian_tools=(debootstrap:debootstrap unshare:util-linux)

# why_no_debian DOING prints why there can be no such system here. It prints nothing if there can. DOING begins the sentence, in
# capital letters.
why_no_debian() {
    if ! as_root true; then echo "$1 TAKES THE SUPERUSER'S RIGHTS, AND THERE IS NO SUDO"
    elif ! as_root unshare -m true 2>/dev/null; then echo "$1 MOUNTS FOLDERS, WHICH THIS SYSTEM OR ITS CONTAINER FORBIDS"
    elif ! have debootstrap && ! have apt-get; then echo "$1 TAKES debootstrap, WHICH IS NOT INSTALLED"
    fi
}

# debian_folder NAME PACKAGE... prints the folder of the system that has these packages.
debian_folder() { echo "$cache/$1-$(printf '%s\n' "${@:2}" | sha256sum | cut -c 1-8)"; }

# make_debian FOLDER PROCESSOR RELEASE PACKAGE...: PROCESSOR is Debian's name for it.
make_debian() {
    local folder="$1" processor="$2" release="$3" log
    log="$build/log/$(basename "$folder")"
    shift 3
    install_missing "${debian_tools[@]}"
    as_root rm -rf "$folder"
    quietly "$log-debootstrap.log" as_root debootstrap --arch="$processor" --variant=minbase "$release" "$folder"
    quietly "$log-packages.log" as_root chroot "$folder" env DEBIAN_FRONTEND=noninteractive \
        sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@" && apt-get clean' sh "$@"
    as_root touch "$folder/complete"
}

# The beginning of a program of sh that is run in a new mount namespace, with the system's folder, this checkout and a working folder
# as its first arguments: in the system, /src is the checkout, which cannot be written to, and /work the working folder.
# shellcheck disable=SC2016 # the program expands them
debian_mounts='
    set -e
    debian="$1" root="$2" work="$3"
    shift 3
    mount --make-rprivate /
    for folder in proc dev sys; do mount --rbind "/$folder" "$debian/$folder"; done
    mkdir -p "$debian/src" "$debian/work"
    mount --bind "$root" "$debian/src"
    mount -o remount,bind,ro "$debian/src"
    mount --bind "$work" "$debian/work"
'

# in_debian FOLDER COMMAND...: runs a command of the system in this folder, where /work and /src/build are the target's build folder.
# Shared memory is empty, and ends with the command. The root of the system is a mount: a process in a chroot may not have
# namespaces.
in_debian() {
    local folder="$1"
    shift
    # shellcheck disable=SC2016 # the inner shell expands them
    as_root unshare -m sh -c 'mount --bind "$1" "$1"'"$debian_mounts"'
        mount --bind "$work" "$debian/src/build"
        mount -t tmpfs -o size=2g,mode=1777 shm "$debian/dev/shm"
        cd "$debian"
        pivot_root . .
        umount -l .
        cd /
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 "$@"' \
        sh "$folder" "$root" "$build" "$@"
}

# as_suite SUITE COMMAND...: runs a function that tests. Of the events of Go's tests, which as_events adds to $events, it makes the
# suite's report. A function with another runner hands its report over by take_report.
as_suite() {
    local suite="$1" events="$build/tests/$1.json"
    shift
    mkdir -p "$build/tests" "$build/log"
    as_root rm -f "$events"
    "$@"
    [ ! -s "$events" ] || report_of_events "$suite" "$events"
}

# take_report FILE SUITE: the file is the suite's report.
take_report() {
    [ -s "$1" ] || die "the tests of $2 ended without a result"
    cp "$1" "$reports/$2.xml"
}

# as_events PACKAGE: reads what Go's tests print, and adds it to the events of which the report is made.
as_events() { (unset GOOS GOARCH; go tool test2json -t -p "shmcv/$1" >>"$events"); }

# as_go_prints makes lines as Go's tests print them of those that tests in C print: PASS, SKIP or FAIL, and a name, after what the
# test itself has printed.
as_go_prints() {
    tr -d '\r' | awk '
        /^(PASS|SKIP|FAIL) [a-z0-9_]+, status / {
            sub(",", "", $2); printf "=== RUN   %s\n%s--- %s: %s (0.00s)\n", $2, said, $1, $2; said = ""; all++; failed += $1 == "FAIL"; next
        }
        {said = said $0 "\n"}
        END {printf "%s", said; print all && !failed ? "PASS" : "FAIL"}'
}

# publish_program SYSTEM PROJECT FOLDER ARGUMENT...: publishes a program with the .NET that it runs on, for a system that .NET calls
# so. Nothing is written beside its sources, where this machine's build has its files. .NET 8's files for other systems are not needed.
# One project at a time: a project that two others reference is written twice, and that fails where it is at once.
publish_program() {
    local system="$1" project="$2" folder="$3"
    shift 3
    quietly "$build/log/publish-$(basename "$folder").log" dotnet publish "$project" -c Release -r "$system" --self-contained \
        -m:1 -p:TargetFrameworks=net10.0 --artifacts-path "$build/artifacts" -o "$folder" "$@"
}
