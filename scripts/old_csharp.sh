# The suite old-csharp: the C# tests, published on this machine, and run on an older Linux. Sourced by build.sh.

test_old-csharp() {
    is_skipped_without_dotnet old-csharp && return
    old_in csharp test_csharp_in_old
}

# test_csharp_in_old runs the tests as a program that brings its .NET with it. Those that take an SDK are skipped, and say so.
test_csharp_in_old() {
    say "  publishing the tests"
    as_root rm -rf "$build/old/csharp" "$build/old/csharp.xml"
    publish_program linux-x64 "$root/bindings/csharp/ShmCv.Tests" "$build/old/csharp" -p:LinuxX64Folder="$build" -p:RepositoryOfTests=/src
    say "  bindings/csharp/ShmCv.Tests"
    in_old sh -c 'cd /work/old/csharp && ./ShmCv.Tests -noColor -longRunning 60 -result-jUnit ../csharp.xml </dev/null' || true
    take_report "$build/old/csharp.xml" old-csharp
}
