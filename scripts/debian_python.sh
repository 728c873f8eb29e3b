# The wheel, installed by pip on a Debian (debian.sh), and the Python sample and tests with it: the suites old-python and
# linux-arm64-python. Sourced by build.sh.
#
# The packages that the tests import are pinned. Their wheels are fetched once into the user's cache.

# need_wheels SYSTEM PYTHON PLATFORM... leaves wheels as the folder of what scripts/SYSTEM-python-requirements.txt has, for a Python of
# that version. The platforms are those of wheels' names.
need_wheels() {
    local system="$1" requirements="$root/scripts/$1-python-requirements.txt" key
    shift
    key="$({ cat "$requirements"; declare -f fetch_wheels; } | sha256sum)"
    wheels="$cache/python-$system-${key:0:12}"
    make_once "$wheels" "the Python packages of $system" fetch_wheels "$wheels" "$requirements" "$@"
}

fetch_wheels() {
    local folder="$1" requirements="$2" version="$3"
    shift 3
    say "fetching packages for Python $version, into $folder"
    rm -rf "$folder"
    quietly "$build/log/pip-download.log" python3 -m pip download --disable-pip-version-check --no-deps --require-hashes \
        --only-binary=:all: "${@/#/--platform=}" --python-version "$version" -d "$folder" -r "$requirements"
    touch "$folder/complete"
}

# test_wheel SUITE IN: IN runs a command on the system, as in_old does. The wheel is installed as its users install it, by that
# system's own pip. Those tests that take a compiler or an SDK are skipped, and say so.
test_wheel() {
    local suite="$1" in="$2"
    as_root rm -rf "$build/python"
    mkdir -p "$build/python/wheels"
    cp "$wheels"/*.whl "$build/python/wheels"
    make_wheel "$build/python/wheels"
    say "  pip install"
    quietly "$build/log/pip-install.log" "$in" sh -c '
        cd /work/python && python3 -m venv venv &&
        exec venv/bin/pip install --no-index --find-links wheels shmcv pytest opencv-python-headless pillow'
    say "  the sample"
    quietly "$build/log/python-sample.log" "$in" sh -c '
        cd /work/python && exec venv/bin/python /src/python-sample/flip.py --headless /src/testdata/photograph.jpg flipped.png'
    say "  bindings/python/tests"
    "$in" sh -c 'cd /src/bindings/python && exec /work/python/venv/bin/python -m pytest -q -p no:cacheprovider -o pythonpath=tests \
        --junitxml=/work/python/report.xml tests' || true
    take_report "$build/python/report.xml" "$suite"
}
