#!/usr/bin/env bash
# sample_test.sh CHECKOUT: the C samples compile without a warning. With and without a display the first saves a picture and
# leaves no segment behind; with one it shows both pictures. For a file that is no photograph it prints an error that names
# the file. The second, the camera, publishes until Ctrl-C, goes on with the stream of one that was killed, and removes its
# stream's name.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
tests="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$1"
"$CC" -std=c11 "${warnings[@]}" c-sample/flip.c -Iinclude -Lbuild -lshmcv -Wl,-rpath,"$PWD/build" -o "$work/flip"

segments_of() { sed -n 's/.*segment \([0-9a-f-]\{36\}\).*/\1/p' "$1"; }
gone() {
    local name
    for name in $(segments_of "$1"); do [ ! -e "/dev/shm/$name" ] || fail "the sample left segment $name behind"; done
}

for option in --headless ""; do
    # shellcheck disable=SC2086 # an option or nothing
    "$work/flip" $option testdata/photograph.jpg "$work/flipped.png" >"$work/said"
    cat "$work/said"
    [ -s "$work/flipped.png" ] || fail "there is no picture"
    grep -q "$work/flipped.png" "$work/said" || fail "it does not say where the picture is"
    [ "$(segments_of "$work/said" | wc -l)" = 2 ] || fail "it does not name its two segments"
    gone "$work/said"
    rm "$work/flipped.png"
done

status=0
"$tests/with_display.sh" "$work/flip" testdata/photograph.jpg "$work/flipped.png" >"$work/said" || status=$?
cat "$work/said"
if [ "$status" != 77 ]; then
    [ "$status" = 0 ] || fail "it fails with a display"
    grep -q 'showed both' "$work/said" || fail "it shows nothing with a display"
    gone "$work/said"
fi

if "$work/flip" --headless testdata/empty.jpg "$work/flipped.png" >"$work/said" 2>"$work/why"; then
    fail "the sample accepted an empty file as a photograph"
fi
grep -q empty.jpg "$work/why" || fail "the message does not name the file: $(cat "$work/why")"

# The camera publishes until Ctrl-C. bindings/python/tests/test_samples.py runs it together with the other programs of its
# chain.
"$CC" -std=c11 "${warnings[@]}" c-sample/camera.c -Iinclude -Lbuild -lshmcv -Wl,-rpath,"$PWD/build" -o "$work/camera"
name="shmcv-sample-test-$$"
trap 'rm -rf "$work" "/dev/shm/$name"' EXIT
for signal in KILL INT; do
    coproc CAMERA { exec "$work/camera" "$name" 500; }
    camera=$CAMERA_PID
    # shellcheck disable=SC2153 # coproc makes CAMERA
    read -r said <&"${CAMERA[0]}"
    case "$said" in *"$name"*) ;; *) fail "the camera does not name its stream: $said" ;; esac
    exec {from}<&"${CAMERA[0]}"
    kill -"$signal" "$camera"
    status=0
    wait "$camera" || status=$?
    if [ "$signal" = INT ]; then
        [ "$status" = 0 ] || fail "the camera fails when Ctrl-C ends it"
        read -r said <&"$from"
        case "$said" in "the camera has published "*) ;; *) fail "the camera does not tell what it has done: $said" ;; esac
        [ ! -e "/dev/shm/$name" ] || fail "the camera leaves its stream behind"
    fi
    exec {from}<&-
done
