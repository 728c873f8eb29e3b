# The suite win-x64-csharp: the C# tests, published for Windows on this machine, under Wine. Sourced by build.sh.

test_win-x64-csharp() {
    is_skipped_without_dotnet win-x64-csharp && return
    wine_in csharp test_csharp_in_wine
}

# test_csharp_in_wine runs the tests as a program that brings its .NET with it, with the samples in a folder beside it.
test_csharp_in_wine() {
    local version
    say "  publishing the tests and the samples"
    as_root rm -rf "$build/tests/csharp" "$build/tests/samples"
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
    say "  a user's program, published in each way"
    newcomer_in_wine 2>&1 | as_go_prints | as_events csharp/newcomer
    say "  bindings/csharp/ShmCv.Tests"
    csharp_tests_in_wine csharp-tests '' -trait- needs=display
    csharp_tests_in_wine csharp-display "$with_display export SHMCV_TEST_DISPLAY=1;" -trait needs=display
}

# csharp_tests_in_wine REPORT BEFORE ARGUMENT...: runs tests, after what BEFORE does in the shell.
csharp_tests_in_wine() {
    local report="$1" before="$2"
    shift 2
    as_root rm -f "$build/tests/$report.xml"
    # shellcheck disable=SC2016
    in_wine sh -c "$before"'
        cd /work/tests/csharp
        report="$1"
        shift
        wine ShmCv.Tests.exe -noColor -longRunning 60 -result-jUnit "../$report.xml" "$@" </dev/null | cat' sh "$report" "$@" || true
    take_report "$build/tests/$report.xml" "win-x64-$report"
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

# newcomer_in_wine does what a user does who has the packages in a folder: adds one to a program by `dotnet add package`, and publishes
# the program: for a .NET that is there, for every system and for Windows alone; and with its .NET. The .NET that is there has the
# files of the program that has its own. The picture is Linux's. (One file takes a host, singlefilehost.exe, that not every SDK has.)
newcomer_in_wine() {
    local work="$build/newcomer" program="$build/newcomer/program" way status
    rm -rf "$work"
    mkdir -p "$program" "$work/root/host/fxr/10.0.0" "$work/root/shared/Microsoft.NETCore.App"
    cp "$photograph" "$work/"
    cat >"$program/Program.cs" <<'CSHARP'
using ShmCv;

using var photo = Segment.Create("newcomer", 3840 * 2160 * 3);
photo.Load("photograph.jpg");
photo.Flip(FlipCode.Horizontal);
photo.Save(args[0]);
CSHARP
    cat >"$program/Program.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <InvariantGlobalization>true</InvariantGlobalization>
  </PropertyGroup>
</Project>
XML
    status=FAIL
    (
        cd "$program"
        export NUGET_PACKAGES="$build/examples/cache"
        dotnet add package ShmCv --version "$(cd "$build/examples/packages" && echo ShmCv.[0-9]*.nupkg | sed 's/^ShmCv\.//; s/\.nupkg$//')" \
            --source "$build/examples/packages" &&
            dotnet publish -c Release -o "$work/portable" &&
            dotnet publish -c Release -r win-x64 --no-self-contained -o "$work/small" &&
            dotnet publish -c Release -r win-x64 --self-contained -o "$work/whole"
    ) && status=PASS
    echo "$status package_is_added_from_a_folder, status 0"
    cp "$work/small/Program.exe" "$work/portable/" # Linux's SDK puts Linux's program there.
    cp "$work/whole/hostfxr.dll" "$work/root/host/fxr/10.0.0/"
    cp -r "$work/whole" "$work/root/shared/Microsoft.NETCore.App/10.0.99"
    python3 - "$work"/root/shared/Microsoft.NETCore.App/10.0.99 <<'PYTHON'
import json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
of_program = folder / "Program.deps.json"
files = json.loads(of_program.read_text())
for group in [*files["targets"].values(), files["libraries"]]:
    for name in [name for name in group if not name.startswith("runtimepack.")]:
        del group[name]
(folder / "Microsoft.NETCore.App.deps.json").write_text(json.dumps(files))
PYTHON
    rm "$work"/root/shared/Microsoft.NETCore.App/*/{Program,ShmCv,libshmcv}*
    (cd "$work" && env -u SHMCV_LIBRARY dotnet portable/Program.dll linux.png)
    for way in portable small whole; do
        status=FAIL
        # shellcheck disable=SC2016
        in_wine env 'DOTNET_ROOT=Z:\work\newcomer\root' sh -c 'cd /work/newcomer && wine "$1/Program.exe" "$1.png"' sh "$way" &&
            cmp "$work/linux.png" "$work/$way.png" && status=PASS
        echo "$status published_program_${way}_runs, status 0"
    done
}
