# ./build.sh run: the samples, one in each language. Sourced by build.sh.

# run_samples [--headless]: each sample flips the photograph into build/run/. Fails if a sample fails.
run_samples() {
    local options=() sample failed=()
    case "${1:-}" in
    --headless) options=(--headless) ;;
    "")
        if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
            say "no display here (DISPLAY and WAYLAND_DISPLAY are not set): --headless"
            options=(--headless)
        fi ;;
    *) die "'./build.sh run' takes --headless or nothing, not '$1'" ;;
    esac
    need_python
    rm -rf "$build/run"
    mkdir -p "$build/run"
    for sample in c python csharp; do
        say "the $sample sample"
        "run_$sample" "${options[@]}" || failed+=("$sample")
    done
    [ "${#failed[@]}" = 0 ] || die "the sample did not work in: ${failed[*]}"
    say "pictures: $(echo "$build"/run/*.png)"
}

photograph="$root/testdata/photograph.jpg"

# This is the command line of the README.
run_c() {
    (cd "$root" && cc c-sample/flip.c -Iinclude -Lbuild -lshmcv -Wl,-rpath,"$PWD/build" -o build/run/flip &&
        build/run/flip "$@" "$photograph" "$build/run/flipped-c.png")
}

run_python() {
    SHMCV_LIBRARY="$build/libshmcv.so" PYTHONPATH="$root/bindings/python/src" \
        "$python" "$root/python-sample/flip.py" "$@" "$photograph" "$build/run/flipped-python.png"
}

run_csharp() {
    local project
    project="$(find "$root/csharp-sample" -maxdepth 1 -name '*.csproj' 2>/dev/null)"
    [ -n "$project" ] || { warn "THE C# SAMPLE IS SKIPPED: IT IS NOT IN THIS CHECKOUT"; return 0; }
    have_dotnet || { warn "THE C# SAMPLE IS SKIPPED: NO .NET SDK ('dotnet') HERE"; return 0; }
    SHMCV_LIBRARY="$build/libshmcv.so" \
        dotnet run -c Release --project "$project" -- "$@" "$photograph" "$build/run/flipped-csharp.png"
}
