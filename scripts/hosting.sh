# The hosting test: .NET must survive with this library in its process. Sourced by build.sh; docs/host-safety.md has the
# reasons.

hosting_project="$root/bindings/csharp/ShmCv.Hosting"
hosting="$build/hosting"

# The cures of export/host_linux.c, and unblocking, the cure of host_linkname_linux.go. A build can omit each of them.
hosting_cures=(suspension call_mask unblocking wide_mask others preemption arithmetic fault_mask)

# test_hosting runs the suite `hosting` of ./build.sh test. SHMCV_HOSTING_SECONDS is the length of its longest case.
test_hosting() {
    is_skipped_without_dotnet hosting && return
    build_hosting
    hosting_suite "$build/libshmcv.so" "$reports/hosting.xml"
}

# run_hosting [--without CURE [RUNS]] is ./build.sh hosting: it runs the suite once, or RUNS times with a library that
# lacks the cure. The suite must fail each time without the cure.
run_hosting() {
    have_dotnet || die "the hosting test needs a .NET SDK ('dotnet')"
    build_hosting
    [ "${1:-}" = --without ] || { hosting_suite "$build/libshmcv.so" "$hosting/hosting.xml"; return; }
    hosting_without "${2:?usage: ./build.sh hosting --without CURE [RUNS], CURE one of ${hosting_cures[*]}}" "${3:-3}"
}

build_hosting() {
    quietly "$build/log/hosting-build.log" dotnet build -c Release "$hosting_project"
}

# hosting_without CURE RUNS: succeeds if the suite has failed in each run.
hosting_without() {
    local cure="$1" runs="$2" run tags failures=0
    local library="$hosting/libshmcv-without-$cure.so"
    case " ${hosting_cures[*]} " in *" $cure "*) ;; *) die "no cure '$cure'; there are ${hosting_cures[*]}" ;; esac
    tags="$go_tags,shmcv_linkname,shmcv_without_$cure"
    [ "$cure" != unblocking ] || tags="$go_tags"
    say "building a library without the cure '$cure'"
    (cd "$root" && build_library "$library" -tags "$tags")
    rm -f "${library%.so}.h"
    for ((run = 1; run <= runs; run++)); do
        hosting_suite "$library" "$hosting/without-$cure.xml" || failures=$((failures + 1))
    done
    say "without '$cure' the hosting test failed $failures times of $runs"
    [ "$failures" = "$runs" ]
}

# hosting_suite LIBRARY REPORT: runs all cases in each installed .NET. It writes the results to REPORT (JUnit's format).
hosting_suite() {
    local library="$1" report="$2" seconds="${SHMCV_HOSTING_SECONDS:-60}" framework cases failed=0
    cases="$(mktemp)"
    for framework in $(hosting_frameworks); do
        hosting_case everything "$seconds" || failed=1
        # The kernel delivers signals for the process to the main thread if it can. This case sends signals to threads.
        hosting_case signals-in-calls $((seconds / 6 + 1)) --mode targeted || failed=1
        # This host loads the library before it starts CoreCLR.
        LATE=1 hosting_case late-runtime $((seconds / 4 + 1)) || failed=1
    done
    [ -s "$cases" ] || die "no .NET runtime of version 8 or 10 here: $(dotnet --list-runtimes | tr '\n' ' ')"
    { echo '<testsuites><testsuite name="hosting">'; cat "$cases"; echo '</testsuite></testsuites>'; } >"$report"
    rm -f "$cases"
    return "$failed"
}

# hosting_frameworks prints the target frameworks of the program whose runtimes are installed.
hosting_frameworks() {
    dotnet --list-runtimes | sed -nE 's/^Microsoft\.NETCore\.App (8|10)\.0\..*/net\1.0/p' | sort -u
}

# hosting_case NAME SECONDS ARGUMENT...: runs one case. It prints a line to the terminal, and adds the result to $cases.
hosting_case() {
    local name="$1" status=0
    hosting_run "$@" || status=$?
    printf '<testcase classname="%s" name="%s">' "$framework" "$name" >>"$cases"
    if [ "$status" = 0 ]; then
        echo "  $framework $name: $(tail -n 1 "$hosting/$framework-$name.log")" >&2
    else
        echo "  $framework $name: FAILED, $(hosting_death "$status"): $(head -n 1 "$hosting/$framework-$name.log")" >&2
        printf '<failure message="%s">' "$(hosting_death "$status")"
        head -c 20000 "$hosting/$framework-$name.log" | tr -cd '\11\12\40-\176' | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
        echo '</failure>'
    fi >>"$cases"
    echo '</testcase>' >>"$cases"
    return "$status"
}

# hosting_run NAME SECONDS ARGUMENT...: runs the program once, with its output in $hosting/FRAMEWORK-NAME.log.
hosting_run() {
    local name="$1" seconds="$2" status=0 scratch
    shift 2
    scratch="$(mktemp -d)"
    # The program ends itself if the library hangs. If Go's runtime hangs in its own crash, only SIGKILL ends it.
    SHMCV_LIBRARY="$library" LD_PRELOAD="${LATE:+$library}" TMPDIR="$scratch" timeout --signal=KILL $((seconds + 180)) \
        dotnet "$hosting/bin/Release/$framework/ShmCv.Hosting.dll" --seconds "$seconds" "$@" \
        >"$hosting/$framework-$name.log" 2>&1 || status=$?
    rm -rf "$scratch"
    sweep_hosting
    return "$status"
}

# sweep_hosting removes the segments of runs that have crashed. A segment's name contains the process id.
sweep_hosting() {
    local segment process
    for segment in /dev/shm/hosting-*-caller*; do
        process="${segment#/dev/shm/hosting-}"
        [ -e "/proc/${process%%-*}" ] || rm -f "$segment"
    done
}

# hosting_death STATUS: prints the meaning of an exit status.
hosting_death() {
    if [ "$1" -gt 128 ]; then echo "killed by SIG$(kill -l $(($1 - 128)))"; else echo "exit status $1"; fi
}
