#!/usr/bin/env bash
# readme_test.sh CHECKOUT: each C and C++ program in the README (a ```c or ```cpp block with a main) compiles without a
# warning and runs, in a folder with the photograph in it. The test gives its segments unique names.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
root="$1"
[ -e "$root/README.md" ] || { echo "THERE IS NO README.md HERE"; exit 77; }

mkdir "$work/run"
cp "$root/testdata/photograph.jpg" "$work/run/"
ln -s "$root/testdata" "$work/run/testdata"

# blocks LANGUAGE: writes each block of that language to its own file.
blocks() {
    awk -v language="$1" -v folder="$work" '
        $0 == "```" language { inside = 1; file = folder "/block-" ++n "." language; next }
        /^```/ { inside = 0 }
        inside { print > file }' "$root/README.md"
    sed -i "s/\"\(photo\|mirrored\)\"/\"readme-$$-\1\"/" "$work"/block-*."$1"
}

compile() {
    case "$1" in
    *.c) "$CC" -std=c11 "${warnings[@]}" "$1" "${flags[@]}" ;;
    *.cpp) "$CXX" -std=c++17 "${warnings[@]}" "$1" "${flags[@]}" ;;
    esac
}
flags=("-I$root/include" "-L$root/build" -lshmcv "-Wl,-rpath,$root/build" -o "$work/program")

for language in c cpp; do
    blocks "$language" || fail "README.md has no \`\`\`$language block"
    ran=0
    for file in "$work"/block-*."$language"; do
        { [ -e "$file" ] && grep -q 'int main' "$file"; } || continue
        compile "$file" || fail "this does not compile: $(cat "$file")"
        (cd "$work/run" && "$work/program") || fail "this does not run: $(cat "$file")"
        ran=$((ran + 1))
    done
    [ "$ran" != 0 ] || fail "README.md has no program in a \`\`\`$language block"
    ! ls /dev/shm/readme-$$-* 2>/dev/null || fail "a program left these segments behind"
    echo "ok: $ran in $language"
done
