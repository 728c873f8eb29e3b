# The suite old-python: the wheel, installed by pip on an older Linux, and the Python tests with it. Sourced by build.sh.
#
# The packages that the tests import are the last ones for Python 3.9, pinned, and are fetched once into the user's cache.

test_old-python() { old_in python test_python_in_old; }

# need_old_python leaves old_python as the folder of the wheels of those packages.
need_old_python() {
    local key
    key="$({ cat "$root/scripts/old-python-requirements.txt"; declare -f fetch_old_python; } | sha256sum)"
    old_python="$cache/python-old-${key:0:12}"
    make_once "$old_python" "the folder of packages for Python 3.9" fetch_old_python "$old_python"
}

fetch_old_python() {
    say "fetching Python packages for Python 3.9, into $1"
    rm -rf "$1"
    quietly "$build/log/pip-old.log" python3 -m pip download --disable-pip-version-check --no-deps --require-hashes \
        --only-binary=:all: --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 --python-version 3.9 -d "$1" \
        -r "$root/scripts/old-python-requirements.txt"
    touch "$1/complete"
}

# test_python_in_old installs the wheel as its users do, with that system's own pip, and runs the sample and the tests with it.
# Those tests that take a compiler's, an SDK's or a display's further programs are skipped, and say so.
test_python_in_old() {
    need_old_python
    as_root rm -rf "$build/old/python" "$build/old/dist" "$build/old/packages"
    mkdir -p "$build/old/python" "$build/old/dist"
    cp -a "$old_python" "$build/old/packages"
    make_wheel "$build/old/dist"
    quietly "$build/log/pip-install-old.log" in_old sh -c '
        python3 -m venv /work/old/python/venv && cd /work/old/dist &&
        /work/old/python/venv/bin/pip install --no-index --find-links /work/old/packages shmcv-*.whl pytest opencv-python-headless pillow'
    say "  the sample"
    quietly "$build/log/sample-old.log" in_old sh -c '
        cd /work/old/python && venv/bin/python /src/python-sample/flip.py --headless /src/testdata/photograph.jpg flipped.png'
    say "  bindings/python/tests"
    in_old sh -c '
        cd /src/bindings/python && exec /work/old/python/venv/bin/python -m pytest -q -p no:cacheprovider -o pythonpath=tests \
        --junitxml=/work/old/python.xml tests' || true
    take_report "$build/old/python.xml" old-python
}
