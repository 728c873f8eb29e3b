# The suite linux-arm64-go: the tests of Go packages, compiled on this machine for arm64, and run there. Sourced by build.sh.

# The packages whose tests run, and how many frames and killed processes the longest tests take: QEMU is a tenth as fast.
arm64_go_packages=(shm/internal/sys shm ops/internal/probe ops)
arm64_variables=(SHMCV_FRAMES=2000 SHMCV_KILL_ROUNDS=10 SHMCV_PLUGIN_DIR=/work)
# The models go through orders of steps. They compute, and know nothing of the processor. QEMU says yes to every advice about memory
# (madvise) and does nothing, so that no page comes by MADV_POPULATE_READ. The pages that it translates programs into are among those
# that a process has touched.
arm64_go_skipped='^Test(NoOrderOf|Model|SparseFileIsReservedWhenItIsOpened|ProbeOfALargeFileReadsTheHeaderAlone)'

test_linux-arm64-go() { arm64_in go test_go_in_arm64; }

test_go_in_arm64() {
    local package program
    for package in "${arm64_go_packages[@]}"; do
        program="${package//\//-}.test"
        (cd "$root" && quietly "$build/log/$program.log" go test -c -o "$build/tests/$program" "./$package") || return 1
        say "  $package"
        # shellcheck disable=SC2016
        in_arm64 env "${arm64_variables[@]}" sh -c 'cd "/src/$1" && exec "/work/tests/$2" -test.short -test.v=test2json -test.timeout 60m \
            -test.skip "$3"' sh "$package" "$program" "$arm64_go_skipped" 2>&1 | as_events "$package" || true
    done
}
