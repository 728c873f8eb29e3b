# The suite win-x64-go: the tests of Go packages, under Wine. Sourced by build.sh.

# The packages whose tests run, and how many frames and killed processes the longest tests take: to start a process takes
# Wine some tenths of a second.
wine_go_packages=(shm/internal/sys shm ops/internal/probe ops)
wine_variables=(SHMCV_FRAMES=2000 SHMCV_KILL_ROUNDS=10)

test_win-x64-go() { wine_in go test_go_in_wine; }

# test_go_in_wine compiles the tests of Go packages, and runs them where they find their files, with a screen and with a disk that
# is soon full. The library's late libraries are late in the tests, too.
test_go_in_wine() {
    local package program flags
    mkdir -p "$build/link"
    flags="$(late_link_flags "$build/link" | tr '\n' ' ')"
    for package in "${wine_go_packages[@]}"; do
        program="${package//\//-}.test.exe"
        (cd "$root" && CGO_LDFLAGS="$flags" quietly "$build/log/$program.log" go test -c -o "$build/tests/$program" "./$package") || return 1
        say "  $package"
        # shellcheck disable=SC2016
        in_wine env "${wine_variables[@]}" 'SHMCV_TEST_SMALL_DISK=Z:\small' sh -c "$with_display"'
            mkdir -p /small && mount -t tmpfs -o size=128k small /small
            cd "/src/$1" && wine "/work/tests/$2" -test.short -test.v=test2json -test.timeout 60m' \
            sh "$package" "$program" 2>&1 | as_events "$package" || true
    done
    # Nano Server and containers lack libraries that draw windows.
    in_wine env WINEDLLOVERRIDES=comdlg32= sh -c 'cd /src/ops && wine /work/tests/ops.test.exe -test.v=test2json -test.run WithoutTheLibraries' \
        2>&1 | as_events ops-without-libraries || true
}
