# The suite linux-arm64-csharp: the C# tests, published for arm64 on this machine, and run there. Sourced by build.sh.

test_linux-arm64-csharp() {
    is_skipped_without_dotnet linux-arm64-csharp && return
    arm64_in csharp test_csharp_in_arm64
}

# test_csharp_in_arm64 runs the tests as a program that brings its .NET with it. Without its exchange of pages that are written to and
# executed, .NET runs under QEMU; with it, it does not.
test_csharp_in_arm64() {
    say "  publishing the tests"
    as_root rm -rf "$build/tests/csharp" "$build/tests/csharp.xml"
    publish_program linux-arm64 "$root/bindings/csharp/ShmCv.Tests" "$build/tests/csharp" -p:RepositoryOfTests=/src
    say "  bindings/csharp/ShmCv.Tests"
    in_arm64 env DOTNET_EnableWriteXorExecute=0 sh -c 'cd /work/tests/csharp && ./ShmCv.Tests -noColor -longRunning 60 -result-jUnit ../csharp.xml </dev/null' || true
    take_report "$build/tests/csharp.xml" linux-arm64-csharp
}
