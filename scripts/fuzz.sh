# ./build.sh fuzz, the suite of that name in ./build.sh test, and ./build.sh soak. Sourced by build.sh.

# run_fuzz [MINUTES]: all fuzz targets, for so many minutes together.
run_fuzz() { fuzz_for "$(awk -v minutes="${1:-10}" 'BEGIN { print minutes * 60 }')"; }

# test_fuzz: a minute of it.
test_fuzz() { fuzz_for 60 --report "$reports/fuzz.xml"; }

# fuzz_for SECONDS [OPTION...]
fuzz_for() {
    mkdir -p "$build/log"
    python3 "$root/scripts/fuzz.py" --logs "$build/log" --seconds "$@"
}

# run_soak [COPIES]: so many damaged copies of each small test image, loaded in two processes whose memory differs. A
# sanitizer's words go to build/log, as the test holds whatever is printed against the library. The copies are written to
# memory, because ext4 writes a file that is written over to the disk at once.
run_soak() {
    local folder; folder="$(mktemp -d -p /dev/shm)"
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$folder'" EXIT
    mkdir -p "$build/log"
    (cd "$root" && TMPDIR="$folder" SHMCV_TEST_COPIES="${1:-3000}" ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:log_path=$build/log/asan" \
        go test -count=1 -v -timeout 0 -run '^TestNoMemoryOfTheProcessGetsIntoAnImage$' ./ops)
}
