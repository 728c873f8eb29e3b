# The suite win-x64-csharp: the C# tests, published for Windows on this machine, under Wine. Sourced by build.sh.

test_win-x64-csharp() {
    is_skipped_without_dotnet win-x64-csharp && return
    wine_in csharp test_csharp_in_wine
}

# test_csharp_in_wine runs the tests as a program that brings its .NET with it, with the samples in a folder beside it.
test_csharp_in_wine() {
    local version
    say "  publishing the tests and the samples"
    as_root rm -rf "$build/tests/csharp" "$build/tests/samples" "$build/tests/csharp.xml"
    publish_program win-x64 "$root/bindings/csharp/ShmCv.Tests" "$build/tests/csharp" -p:RepositoryOfTests=Z:/src
    publish_program win-x64 "$root/csharp-sample" "$build/tests/samples/Flip" -p:PublishAot=false
    publish_program win-x64 "$root/csharp-sample/stream" "$build/tests/samples/Stream"
    publish_program win-x64 "$root/csharp-sample/recorder" "$build/tests/samples/Recorder"
    for version in 0x20000 0x30007 0 none; do
        "$CC" -shared "-DABI_VERSION_$version" -o "$build/tests/other-$version.dll" "$root/bindings/csharp/ShmCv.Tests/other.c"
    done
    publish_examples
    # Wine's debugger would look for a minute at each program that an exception ends.
    quietly "$build/log/wine-debugger.log" in_wine wine reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' \
        /v Debugger /d false /f
    say "  bindings/csharp/ShmCv.Tests"
    in_wine sh -c 'cd /work/tests/csharp && wine ShmCv.Tests.exe -noColor -longRunning 60 -result-jUnit ../csharp.xml </dev/null | cat'
    take_report "$build/tests/csharp.xml" win-x64-csharp
}

# publish_examples publishes the examples of the documents as their readers would: new programs that reference the packages,
# which come from a local folder. All are in build/win-x64/tests/examples, each with a name of its own.
publish_examples() {
    local work="$build/examples" version file number program
    say "  publishing the examples of the documents"
    version="$(library_version)-wine.$$"
    rm -rf "$work"
    as_root rm -rf "$build/tests/examples"
    quietly "$build/log/pack.log" dotnet pack "$root/bindings/csharp" -c Release "-p:Version=$version" \
        --artifacts-path "$work/artifacts" -o "$work/packages"
    for file in README.md bindings/csharp/ShmCv/README.md bindings/csharp/ShmCv.SkiaSharp/README.md; do
        for ((number = 0; number < $(grep -c '^```csharp$' "$root/$file"); number++)); do
            program="${file//\//-}-$number"
            mkdir -p "$work/$program"
            awk -v want="$number" '/^```csharp$/ {here = found++ == want; next} /^```/ {here = 0} here' "$root/$file" >"$work/$program/Program.cs"
            cat >"$work/$program/$program.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <InvariantGlobalization>true</InvariantGlobalization>
    <RestoreAdditionalProjectSources>$work/packages</RestoreAdditionalProjectSources>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="ShmCv.SkiaSharp" Version="$version" />
  </ItemGroup>
</Project>
XML
            NUGET_PACKAGES="$work/cache" quietly "$build/log/example.log" dotnet publish "$work/$program" -c Release -r win-x64 \
                --self-contained -o "$build/tests/examples"
        done
    done
}
