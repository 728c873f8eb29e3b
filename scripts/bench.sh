# ./build.sh bench: everything that scripts/bench/bench.py needs. Sourced by build.sh.

# run_bench [--quick] [--publish] [--from FILE] [ROW...]: see scripts/bench/bench.py --help.
run_bench() {
    local source="$root/scripts/bench" python="$build/bench/venv/bin/python" options=()
    need_venv "$build/bench/venv" "$source/requirements.txt"
    SHMCV_BENCH_PYTHONNET="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pythonnet/runtime"
    export SHMCV_BENCH_PYTHONNET # the folder of Python.Runtime.dll, when the C# peers are built and when they run
    build_c_peers
    build_iceoryx2_peers "$python"
    if build_csharp_peers; then options=(--csharp "$source/csharp/bin/Release/net10.0/Bench.dll"); fi
    say "measuring: minutes, or with --quick less than one; let the machine do nothing else"
    "$python" "$source/bench.py" "${options[@]}" "$@"
}

build_c_peers() {
    local program warnings=(-Wall -Wextra -Werror)
    for program in peer handover; do
        cc -std=c11 -O3 "${warnings[@]}" "$root/scripts/bench/$program.c" -I"$root/include" -L"$build" -lshmcv \
            -Wl,-rpath,"$build" -o "$build/bench/$program"
    done
    cc -std=c11 -O3 "${warnings[@]}" "$root/scripts/bench/loadlib.c" -ldl -o "$build/bench/loadlib"
}

# build_csharp_peers fails, having said why, where there is nothing to build, or nothing to build it with.
build_csharp_peers() {
    local project="$root/scripts/bench/csharp"
    have_dotnet || { warn "THE C# PEERS ARE SKIPPED: NO .NET SDK ('dotnet') HERE"; return 1; }
    quietly "$build/log/bench-csharp.log" dotnet build -c Release "$project"
}

# build_iceoryx2_peers PYTHON: iceoryx2's wheel goes to the peers' environment, and a peer in Rust is built with its crate.
# Each is skipped, with a sentence, where it cannot be had.
build_iceoryx2_peers() {
    local source="$root/scripts/bench/iceoryx2" python="$1"
    local wanted="$source/requirements.txt" installed="$build/bench/venv/iceoryx2.txt" log="$build/log/bench-iceoryx2.log"
    mkdir -p "$build/log"
    if ! cmp -s "$wanted" "$installed"; then
        if "$python" -m pip install --disable-pip-version-check --only-binary :all: --require-hashes -r "$wanted" >"$log" 2>&1; then
            cp "$wanted" "$installed"
        else
            warn "ICEORYX2 IN PYTHON IS SKIPPED: pip CANNOT INSTALL IT HERE; see $log"
        fi
    fi
    if ! have cargo; then
        warn "ICEORYX2 IN RUST IS SKIPPED: NO RUST ('cargo') HERE"
    elif ! cargo build --release --locked --manifest-path "$source/Cargo.toml" --target-dir "$build/bench/iceoryx2" >"$log" 2>&1; then
        warn "ICEORYX2 IN RUST IS SKIPPED: cargo CANNOT BUILD IT HERE (its crates need libclang too); see $log"
    fi
}
