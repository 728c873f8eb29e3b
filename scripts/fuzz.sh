# ./build.sh fuzz, and the suite of that name in ./build.sh test. Sourced by build.sh.

# run_fuzz [MINUTES]: all fuzz targets, for so many minutes together.
run_fuzz() { fuzz_for "$(awk -v minutes="${1:-10}" 'BEGIN { print minutes * 60 }')"; }

# test_fuzz: a minute of it.
test_fuzz() { fuzz_for 60 --report "$reports/fuzz.xml"; }

# fuzz_for SECONDS [OPTION...]
fuzz_for() {
    mkdir -p "$build/log"
    python3 "$root/scripts/fuzz.py" --logs "$build/log" --seconds "$@"
}
