#!/usr/bin/env bash
# readme_test.sh CHECKOUT: each C and C++ example in the README (a ```c or ```cpp block), and the one at the top of each
# header, is a program that compiles without a warning and runs as it stands. Without its input it fails with a message, and
# leaves no name behind, so that the next run works.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/examples.sh"
root="$1"
[ -e "$root/README.md" ] || { echo "THERE IS NO README.md HERE"; exit 77; }
flags=("-I$root/include" "-L$root/build" -lshmcv "-Wl,-rpath,$root/build")
names=(photo mirrored cam0)

compile() {
    case "$1" in
    *.c) "$CC" -std=c11 "${warnings[@]}" "$1" "${flags[@]}" -o "$2" ;;
    *.cpp) "$CXX" -std=c++17 "${warnings[@]}" "$1" "${flags[@]}" -o "$2" ;;
    esac
}

none_left() {
    local name
    for name in "${names[@]}"; do [ ! -e "/dev/shm/$name" ] || fail "$1 left the name $name behind"; done
}

write_writer >"$work/writer.c"
compile "$work/writer.c" "$work/writer" || fail "the writer does not compile"

# with_writer COMMAND...: runs the command while there is a writer.
with_writer() {
    local status=0 said
    coproc WRITER { exec "$work/writer" "$root/testdata/photograph.jpg"; }
    local writer=$WRITER_PID
    # shellcheck disable=SC2153 # coproc makes WRITER
    exec {to}>&"${WRITER[1]}" {from}<&"${WRITER[0]}"
    # The shell's own copy, which it closes when the writer ends, must not keep the writer's input open.
    eval "exec ${WRITER[1]}>&-"
    read -r said <&"$from" || true
    [ "$said" = published ] || fail "the writer does not publish"
    "$@" || status=$?
    exec {to}>&-
    wait "$writer" || fail "the writer failed"
    exec {from}<&-
    return $status
}

run_in() { (cd "$1" && "$2"); }

# check PROGRAM SOURCE: runs it without its input, and twice with it.
check() {
    local run="$work/run" without="$work/without" turn
    rm -rf "$run" "$without"
    mkdir "$run" "$without"
    cp "$root/testdata/photograph.jpg" "$run/"
    if run_in "$without" "$1" >"$work/said" 2>&1; then fail "this succeeds without its input: $(cat "$2")"; fi
    grep -qE 'photograph\.jpg|cam0' "$work/said" || fail "the message names no input: $(cat "$work/said")"
    none_left "$2"
    for turn in first second; do
        if grep -q stream_open "$2"; then with_writer run_in "$run" "$1"; else run_in "$run" "$1"; fi ||
            fail "this does not run for the $turn time: $(cat "$2")"
        none_left "$2"
    done
    ls "$run"/*.png >/dev/null || fail "this makes no picture: $(cat "$2")"
}

none_left "another program"
for language in c cpp; do
    blocks "$language" "$root" "$work"
    ran=0
    for file in "$work"/block-*."$language" "$work/header.$language"; do
        [ -s "$file" ] || fail "there is no example in $language: $file"
        compile "$file" "$work/program" || fail "this does not compile: $(cat "$file")"
        check "$work/program" "$file"
        ran=$((ran + 1))
    done
    echo "ok: $ran in $language"
done
