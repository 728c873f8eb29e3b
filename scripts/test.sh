# ./build.sh test. Sourced by build.sh.
#
# The test runner of each language runs its suite and writes the results to build/reports/SUITE.xml (JUnit's format).
# The last line of the output is the sum. A suite that cannot run here counts as skipped; a note in capital letters says
# so.

reports="$build/reports"
native_suites=(go fuzz c python csharp csharp-net8 hosting) # What `./build.sh test` runs; each can be named alone too.
tested=native # the target whose library the suites run against

# need_tested_library [TARGET] makes build/libshmcv.so, which the suites run against: this machine's own library, or a copy of what is
# given away for linux-x64.
need_tested_library() {
    tested="${1:-native}"
    case "$tested" in
    native)    need_library; return ;;
    linux-x64) [ "$(uname -m)" = x86_64 ] || die "linux-x64 is tested on a processor that is x86-64" ;;
    *)         die "the tests of $tested are suites: ./build.sh test $tested" ;;
    esac
    need_go_flags
    mkdir -p "$build"
    (use_library_of "$tested" && cp -p --remove-destination "$build"/lib*.so "$build/THIRD_PARTY_NOTICES" "$root/build/")
    ln -sf libshmcv.so "$build/libshmcv.so.$(abi_major)"
}

run_tests() {
    local suites=() suite all_of_windows='' failed=()
    [ $# != 0 ] || set -- native
    for suite in "$@"; do
        case "$suite" in
        native)      suites+=("${native_suites[@]}") ;;
        win-x64)     all_of_windows=1 ;;
        old)         suites+=("${old_suites[@]/#/old-}") ;;
        linux-arm64) suites+=("${arm64_suites[@]/#/linux-arm64-}") ;;
        *)           suites+=("$suite") ;;
        esac
    done
    rm -rf "$reports"
    mkdir -p "$reports"
    for suite in "${suites[@]}"; do
        declare -F "test_$suite" >/dev/null || die "no test suite '$suite'; there are native, win-x64, old, linux-arm64, and the parts of these: ${native_suites[*]} ${wine_suites[*]/#/win-x64-} ${old_suites[*]/#/old-} ${arm64_suites[*]/#/linux-arm64-}"
    done
    for suite in "${suites[@]}"; do
        say "tests: $suite"
        "test_$suite" || failed+=("$suite")
        [ -s "$reports/$suite.xml" ] || fail_suite "$suite" "the tests ended without a result"
    done
    [ -z "$all_of_windows" ] || test_windows || failed+=(win-x64)
    python3 "$root/scripts/summary.py" "$reports"/*.xml || failed+=("results")
    [ "${#failed[@]}" = 0 ]
}

# test_go: the tests are compiled as the library is, by the target's compiler and with its OpenCV.
test_go() (
    [ "$tested" = native ] || { use_target "$tested"; unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR; need_go_flags; }
    # -count=1: Go's cache of test results does not know that these tests depend on /dev/shm and on a display. -timeout:
    # Go ends a package's tests after 10 minutes, which a machine with other work may need for them.
    cd "$root" || exit
    go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails --junitfile "$reports/go.xml" -- -count=1 -timeout 2h ./...
)

test_c() {
    cmake_c_project
    ctest --test-dir "$build/c" --output-on-failure --output-junit "$reports/c.xml"
}

cmake_c_project() {
    build_race_archive
    quietly "$build/log/c-configure.log" cmake -G Ninja -S "$root/bindings/c" -B "$build/c" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DSHMCV_BUILD_TESTS=ON -DSHMCV_RACE_ARCHIVE="$build/race/libshmcv.a" -DSHMCV_RACE_LINK_FLAGS="$CGO_LDFLAGS"
    quietly "$build/log/c-build.log" ninja -C "$build/c"
}

# build_race_archive builds the library with Go's race detector, for the soak test (bindings/c/tests/soak.cmake).
build_race_archive() {
    mkdir -p "$build/race"
    (cd "$root" && quietly "$build/log/race.log" go build -race -buildmode=c-archive -trimpath \
        -tags "$go_tags,shmcv_linkname" -ldflags=-checklinkname=0 -o "$build/race/libshmcv.a" ./export)
}

test_python() {
    need_python
    have_dotnet || warn "NO .NET SDK ('dotnet') HERE: THE TESTS OF STREAMS RUN WITHOUT C#"
    (cd "$root/bindings/python" && "$python" -m pytest -q --junitxml="$reports/python.xml" \
        -o pythonpath="src tests $root/scripts/bench" tests "$root/scripts/bench/tests")
}

test_csharp() {
    is_skipped_without_dotnet csharp && return
    (cd "$root/bindings/csharp" && quietly "$build/log/dotnet-test-build.log" dotnet build -c Release &&
        dotnet test -c Release --no-build --timeout 60m --report-xunit-junit --report-xunit-junit-filename csharp.xml \
            --results-directory "$reports")
}

# test_csharp-net8 runs the tests with the packages' assemblies for .NET 8, on the .NET that is here. Not among them are those that
# make packages and programs of their own, which they take as the suite csharp does.
test_csharp-net8() {
    is_skipped_without_dotnet csharp-net8 && return
    (cd "$root/bindings/csharp" && quietly "$build/log/dotnet-net8-build.log" dotnet build ShmCv.Tests -c Release -p:TestedFramework=net8.0 \
        --artifacts-path "$build/net8" && dotnet "$build/net8/bin/ShmCv.Tests/release/ShmCv.Tests.dll" -noColor -longRunning 60 \
        -class- ShmCv.Tests.PackageTests -class- ShmCv.Tests.SampleTests -result-jUnit "$reports/csharp-net8.xml" </dev/null)
}

# report_of_events SUITE EVENTS: makes a suite's report of what Go's tests have told (test2json), in a file.
report_of_events() {
    (cd "$root" && unset GOOS GOARCH CC && CGO_ENABLED=0 GOFLAGS='' go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails \
        --junitfile "$reports/$1.xml" --raw-command -- cat "$2")
}

# fail_suite SUITE WHY: counts the whole suite as one failed test.
fail_suite() {
    printf '<testsuites><testsuite name="%s"><testcase name="%s"><failure message="%s"/></testcase></testsuite></testsuites>\n' \
        "$1" "$2" "$2" >"$reports/$1.xml"
}

# is_skipped_without_dotnet SUITE: skips the suite, and succeeds, if there is no .NET SDK.
is_skipped_without_dotnet() { ! have_dotnet && skip_suite "$1" "NO .NET SDK ('dotnet') HERE"; }

# skip_suite SUITE WHY: prints a note, and counts the whole suite as one skipped test.
skip_suite() {
    warn "THE $(echo "$1" | tr '[:lower:]' '[:upper:]') TESTS ARE SKIPPED: $2"
    printf '<testsuites><testsuite name="%s"><testcase name="%s"><skipped message="%s"/></testcase></testsuite></testsuites>\n' \
        "$1" "$1" "$2" >"$reports/$1.xml"
}
