# The suite win-x64-go: the tests of Go packages, under Wine. Sourced by build.sh.

# The packages whose tests run, and how many frames and killed processes the longest tests take: to start a process takes
# Wine some tenths of a second.
wine_go_packages=(shm/internal/sys shm ops/internal/probe ops)
wine_variables=(SHMCV_FRAMES=2000 SHMCV_KILL_ROUNDS=10)

test_win-x64-go() { wine_in go test_go_in_wine; }

# test_go_in_wine compiles the tests of Go packages, and runs them where they find their files.
test_go_in_wine() {
    local package program
    for package in "${wine_go_packages[@]}"; do
        program="${package//\//-}.test.exe"
        (cd "$root" && quietly "$build/log/$program.log" go test -c -o "$build/tests/$program" "./$package") || return 1
        say "  $package"
        # shellcheck disable=SC2016
        in_wine env "${wine_variables[@]}" sh -c 'cd "/src/$1" && wine "/work/tests/$2" -test.short -test.v=test2json -test.timeout 60m' \
            sh "$package" "$program" 2>&1 | as_events "$package" || true
    done
}
