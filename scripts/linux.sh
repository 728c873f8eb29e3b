# What a library for Linux must be. Sourced by build.sh. The build of what is given away looks at what the linker made, and
# not at what it was asked for: zig leaves out some options of the linker without a word.

# check_linux_library looks at the target's library, and at the plugin if there is one.
check_linux_library() {
    local library="$build/libshmcv.so" plugin="$build/libopencv_highgui_gtk3.so" machine
    case "$target" in
    linux-x64)   machine="X86-64" ;;
    linux-arm64) machine="AArch64" ;;
    esac
    readelf -hW "$library" | grep -q "Machine: .*$machine" || die "libshmcv.so is not for $machine"
    exports_are_the_headers "$library" || die "libshmcv.so exports other functions than the header declares"
    needs_libc_alone "$library" || die "libshmcv.so needs libraries or functions beside the C library's"
    needs_no_later_glibc "$library" || die "libshmcv.so needs a later glibc than $zig_glibc"
    stays_loaded "$library" || die "libshmcv.so has no SONAME, no build id, or can be unloaded"
    static_tls_is_small "$library" || die "libshmcv.so takes too much of the static TLS"
    library_holds_no_folders "$library" || die "libshmcv.so names folders of this machine"
    [ -e "$plugin" ] || return 0
    needs_no_later_glibc "$plugin" || die "the plugin for windows needs a later glibc than $zig_glibc"
    plugin_is_plain "$plugin" || die "the plugin for windows exports or needs something beside OpenCV's entry, GTK and the C library"
    library_holds_no_folders "$plugin" || die "the plugin for windows names folders of this machine"
}

# The file shows the functions of the header and nothing else.
exports_are_the_headers() {
    diff <(exported_functions | sort) <(nm -D --defined-only "$1" | awk '{print $3}' | sort)
}

libc_libraries='libc|libm|libdl|libpthread|librt|ld-linux[a-z0-9-]*' # as parts of a regular expression

# The file needs libc's own libraries and nothing else, and each of the functions that it takes is one of theirs. A function
# that --wrap should have brought and has not would be one without a version.
needs_libc_alone() {
    local others
    others="$(needs_others "$1" "$libc_libraries"
        nm -D --undefined-only "$1" | awk '$1 == "U"' | grep -v '@GLIBC_')" || true
    [ -z "$others" ] || { echo "$others"; return 1; }
}
# needs_others FILE LIBRARIES prints what the file needs beside these libraries.
needs_others() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vxE "($2)\.so\.[0-9]+"; }

needs_no_later_glibc() {
    local latest
    latest="$(readelf -VW "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)"
    echo "${1##*/}: glibc ${latest#GLIBC_} and later" >&2
    [ -n "$latest" ] && [ "$(printf '%s\n' "$latest" "GLIBC_$zig_glibc" | sort -V | tail -n 1)" = "GLIBC_$zig_glibc" ]
}

# Go's runtime cannot be unloaded. A forked child works with a copy of the file of the same build id (export/fork_linux.c).
stays_loaded() {
    local dynamic; dynamic="$(readelf -dW "$1")"
    grep -q '(SONAME).*\[libshmcv\.so' <<<"$dynamic" && grep -q '(FLAGS_1).*NODELETE' <<<"$dynamic" &&
        readelf -nW "$1" | grep -q 'Build ID'
}

# Go makes the library use static TLS, of which all libraries that a process opens at run time share about 1.6 KB.
static_tls_is_small() {
    local size
    size="$(readelf -lW "$1" | awk '$1 == "TLS" {print $6}')"
    echo "static TLS: $((size)) bytes" >&2
    [ -n "$size" ] && [ "$((size))" -le 128 ]
}

plugin_is_plain() {
    local others
    others="$(needs_others "$1" "$libc_libraries|lib($(IFS='|'; echo "${gtk_libraries[*]//./\\.}"))"
        nm -D --undefined-only "$1" | awk '$1 == "U"' | grep -vE '@GLIBC_| (gtk|gdk|g|cairo)_'
        nm -D --defined-only "$1" | grep -v ' opencv_ui_plugin_init_v0$')" || true
    [ -z "$others" ] || { echo "$others"; return 1; }
}
