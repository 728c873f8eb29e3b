# The suite linux-arm64-python: the Python tests, for arm64. Sourced by build.sh.
#
# The Python is Debian's. The packages that the tests import are wheels for arm64, pinned, and are put together once in the user's cache.

test_linux-arm64-python() { arm64_in python test_python_in_arm64; }

# need_arm64_python leaves arm64_python as the folder of the packages.
need_arm64_python() {
    local key
    key="$({ cat "$root/scripts/arm64-python-requirements.txt"; declare -f make_arm64_python; } | sha256sum)"
    arm64_python="$cache/python-linux-arm64-${key:0:12}"
    make_once "$arm64_python" "the folder of Python packages for arm64" make_arm64_python "$arm64_python"
}

make_arm64_python() {
    say "fetching Python packages for arm64, into $1"
    rm -rf "$1"
    quietly "$build/log/pip-arm64.log" python3 -m pip install --disable-pip-version-check --no-compile --no-deps --require-hashes \
        --only-binary=:all: --platform manylinux_2_28_aarch64 --python-version 3.11 --target "$1" \
        -r "$root/scripts/arm64-python-requirements.txt"
    touch "$1/complete"
}

# test_python_in_arm64: those tests that take a compiler, an SDK or a display are skipped, and say so.
test_python_in_arm64() {
    need_arm64_python
    rm -rf "$build/packages" "$build/python.xml"
    cp -a "$arm64_python" "$build/packages"
    in_arm64 env PYTHONPATH=/work/packages sh -c 'cd /src/bindings/python && exec python3 -m pytest -q -p no:cacheprovider \
        -o pythonpath="src tests" --junitxml=/work/python.xml tests' || true
    take_report "$build/python.xml" linux-arm64-python
}
