# The libdeflate that libshmcv is linked with: it inflates PNGs. Sourced by build.sh.
#
# need_libdeflate leaves libdeflate_prefix as the folder of its header, its archive and its licence. Its source is pinned
# as OpenCV's is (libdeflate-requirements.txt), and is built once into the user's cache, whichever OpenCV is used.

# Decompression and checksums alone. Each chooses its code for the processor at run time.
libdeflate_sources=(deflate_decompress adler32 crc32 utils x86/cpu_features arm/cpu_features)
libdeflate_options=(-O2 -fPIC -fvisibility=hidden)
[ "${SHMCV_SANITIZE:-}" != address ] || libdeflate_options+=(-fsanitize=address)

use_libdeflate_target() {
    case "$target" in
    win-*) libdeflate_options+=("$cross_flags") ;;
    esac
}

need_libdeflate() {
    local key
    key="$({
        cat "$root/scripts/libdeflate-requirements.txt"
        printf '%s\n' "${libdeflate_sources[@]}" "${libdeflate_options[@]}" ${zig_processor:+"$CC"}
        declare -f build_libdeflate # what it puts where
    } | sha256sum)"
    libdeflate_prefix="$cache/libdeflate-${key:0:12}"
    make_once "$libdeflate_prefix" libdeflate build_libdeflate "$libdeflate_prefix"
}

build_libdeflate() {
    local prefix="$1" work="$1.work" source
    say "fetching and building libdeflate, into $prefix"
    rm -rf "$prefix" "$work"
    mkdir -p "$work/source" "$prefix/lib" "$prefix/include" "$prefix/share/licenses/libdeflate"
    quietly "$work/download.log" python3 -m pip download --no-deps --no-binary deflate \
        --require-hashes -r "$root/scripts/libdeflate-requirements.txt" -d "$work/download"
    tar -xzf "$work"/download/deflate*.tar.gz -C "$work/source" --strip-components=1
    for source in "${libdeflate_sources[@]}"; do
        quietly "$work/build.log" "${CC:-cc}" "${libdeflate_options[@]}" -ffile-prefix-map="$work/source/=" \
            -c "$work/source/libdeflate/lib/$source.c" -o "$work/${source/\//_}.o"
    done
    quietly "$work/archive.log" "${AR:-ar}" rcs "$prefix/lib/libdeflate.a" "$work"/*.o
    cp "$work/source/libdeflate/libdeflate.h" "$prefix/include/"
    # scripts/notices.py reads it there.
    cp "$work/source/libdeflate/COPYING" "$prefix/share/licenses/libdeflate/libdeflate-COPYING"
    touch "$prefix/complete"
    rm -rf "$work"
}
