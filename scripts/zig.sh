# The compiler of the libraries for Linux that are given away. Sourced by build.sh.
#
# A library that this machine's own gcc builds needs this machine's glibc, or a later one. zig's clang links with the
# symbols of any glibc, for any processor, and brings its own libc++, of which nothing is visible outside.

zig_glibc=2.28 # RHEL 8's, which is the oldest that a wheel's tag (manylinux_2_28) of today names.

# zig_prefix: the folder that zig is (to be) installed in.
zig_prefix() {
    local key
    key="$({
        cat "$root/scripts/zig-requirements.txt"
        declare -f install_zig write_zig_compiler # what they put where
    } | sha256sum)"
    echo "$cache/zig-$(sed -n 's/^ziglang==\([0-9.]*\).*/\1/p' "$root/scripts/zig-requirements.txt")-${key:0:12}"
}

# zig_tool TOOL: the path of cc, c++, ar or ranlib for the target, e.g. .../bin/aarch64-linux-gnu.2.28-cc.
zig_tool() { echo "$(zig_prefix)/bin/$zig_processor-linux-gnu.$zig_glibc-$1"; }

need_zig() {
    local prefix; prefix="$(zig_prefix)"
    make_once "$prefix" "the folder of zig" install_zig "$prefix"
}

install_zig() {
    local prefix="$1" processor tool
    say "fetching zig, 100 MB, into $prefix"
    rm -rf "$prefix"
    mkdir -p "$prefix/bin" "$prefix/sysroot"
    quietly "$prefix/download.log" python3 -m pip download --no-deps --only-binary :all: \
        --require-hashes -r "$root/scripts/zig-requirements.txt" -d "$prefix/download"
    quietly "$prefix/unpack.log" python3 -m zipfile -e "$prefix"/download/ziglang*.whl "$prefix"
    chmod +x "$prefix/ziglang/zig"
    for processor in x86_64 aarch64; do
        for tool in cc c++ ar ranlib; do
            write_zig_compiler "$prefix" "$processor-linux-gnu.$zig_glibc" "$tool" \
                >"$prefix/bin/$processor-linux-gnu.$zig_glibc-$tool"
        done
    done
    chmod +x "$prefix"/bin/*
    rm -rf "$prefix/download"
    touch "$prefix/complete"
}

# write_zig_compiler PREFIX TARGET TOOL prints a program that is the tool for the target: cmake and go call a compiler by
# the path of one file.
# -O2, which a later -O overrides: without one, as linkers are called, zig takes a libc++ that is built for debugging, and
# the undefined behaviour sanitizer. -march: zig has names of its own for arm64's processors and their extensions.
write_zig_compiler() {
    cat <<TEXT
#!/usr/bin/env bash
export ZIG_GLOBAL_CACHE_DIR="\${ZIG_GLOBAL_CACHE_DIR:-$1/cache}"
export ZIG_LOCAL_CACHE_DIR="\${ZIG_LOCAL_CACHE_DIR:-$1/cache}"
TEXT
    case "$3" in
    ar|ranlib) echo "exec '$1/ziglang/zig' $3 \"\$@\"" ;;
    *) cat <<TEXT
for argument; do
    shift
    case "\$argument" in
    -march=armv8*-a*)
        argument="\${argument/-march=armv8-a/-mcpu=generic}"
        argument="\${argument/-march=armv8./-mcpu=generic+v8_}"
        argument="\${argument/-a+/a+}"
        argument="\${argument/+simd/+neon}"
        argument="\${argument/+fp16/+fullfp16}" ;;
    esac
    set -- "\$@" "\$argument"
done
exec '$1/ziglang/zig' $3 -target $2 -O2 -fno-sanitize=undefined "\$@"
TEXT
    esac
}

# compile_zig_types FILE: the part of libc++abi that tells types apart, for the library and the plugin. As zig builds it, two types are one if their
# addresses are, so that an object or an exception of the plugin for windows is of no type that the library knows. Here they
# are one if their names are, as in GCC's library.
compile_zig_types() {
    local libraries; libraries="$(zig_prefix)/ziglang/lib"
    quietly "$build/log/types.log" "$CXX" -O3 -g0 -fPIC -fvisibility=hidden -std=c++23 -w -ffile-prefix-map="$libraries/=" \
        -I"$libraries/libcxxabi/src" -I"$libraries/libcxx/src" -D_LIBCXXABI_BUILDING_LIBRARY -D_LIBCPP_BUILDING_LIBRARY \
        -D_LIBCPP_TYPEINFO_COMPARISON_IMPLEMENTATION=2 -c "$libraries/libcxxabi/src/private_typeinfo.cpp" -o "$1"
}
