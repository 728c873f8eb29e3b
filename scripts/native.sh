# How the Go code is compiled against OpenCV and libdeflate. Sourced by build.sh after opencv.sh and libdeflate.sh.

# need_go_flags sets the environment that every go command of this project runs in.
need_go_flags() {
    [ -z "${GO_FLAGS_SET:-}" ] || return 0
    need_opencv
    need_libdeflate
    CGO_CPPFLAGS="$(pkg-config --cflags opencv4)"
    if [ "${SHMCV_OPENCV:-bundled}" = bundled ]; then
        # An OpenCV that is ours alone calls ops where its codecs warn and where two threads can share an image
        # (ops/codec_hooks.h).
        CGO_CPPFLAGS="$CGO_CPPFLAGS -DSHMCV_BUNDLED_OPENCV -I$(opencv_prefix)/include/shmcv-3rdparty/libjpeg-turbo"
        CGO_LDFLAGS="$(pkg-config --static --libs opencv4)"
    else
        CGO_LDFLAGS="$(pkg-config --libs opencv4)"
    fi
    # GTK is looked up at run time. Its log's types come from this machine's headers of GLib, which are there if GTK's are.
    case "$target" in
    native|linux-*)
        if find_gtk --exists glib-2.0; then CGO_CPPFLAGS="$CGO_CPPFLAGS $(find_gtk --cflags-only-I glib-2.0) -DSHMCV_GLIB"; fi ;;
    esac
    CGO_CPPFLAGS="$CGO_CPPFLAGS -I$libdeflate_prefix/include"
    CGO_LDFLAGS="$CGO_LDFLAGS -L$libdeflate_prefix/lib -ldeflate"
    case "$target" in
    native)  CGO_LDFLAGS="$CGO_LDFLAGS -static-libstdc++ -static-libgcc" ;;
    # zig's libc++ and libunwind are static, and hidden. It complains of a folder that OpenCV was built in and that is gone.
    linux-*) CGO_LDFLAGS="${CGO_LDFLAGS//-L$(opencv_prefix).work\/build\/lib /}" ;;
    win-*)   CGO_LDFLAGS="$CGO_LDFLAGS $windows_system_libraries -static" ;;
    esac
    # Where the tests find the plugin that draws windows; the library finds it beside itself.
    [ -z "$opencv_plugin" ] || export SHMCV_PLUGIN_DIR="${opencv_plugin%/*}"
    export CGO_CPPFLAGS CGO_LDFLAGS
    export CGO_CFLAGS="-O2 -g${cross_flags:+ $cross_flags}" CGO_CXXFLAGS="-O2 -g -std=c++17${cross_flags:+ $cross_flags}"
    # gocv: only what we use, and no flags of its own.
    go_tags=gocv_specific_modules,gocv_highgui,customenv
    export GOFLAGS="-tags=$go_tags"
    [ "${SHMCV_SANITIZE:-}" != address ] || GOFLAGS="$GOFLAGS -asan"
    GO_FLAGS_SET=1
}

# build_library FILE [FLAG...]: links the shared library as FILE.
# checklinkname goes with the tag: see export/host_linkname_linux.go. nodelete: Go's runtime cannot be unloaded.
# Bsymbolic, build-id: a forked child works with a copy of the library (export/fork_linux.c).
# -fmacro-prefix-map: OpenCV's headers name themselves in the texts of errors, and their folder stays out of the library.
build_library() {
    local file="$1" types=; shift
    local -x ZIG_LOCAL_CACHE_DIR="$build/zig-cache"
    case "$target" in
    linux-*)
        types="$build/types.o"
        compile_zig_types "$types" ;;
    esac
    CGO_CXXFLAGS="$CGO_CXXFLAGS -fmacro-prefix-map=$(opencv_prefix)/include/opencv4/=" \
        go build -buildmode=c-shared -trimpath -tags "$go_tags,shmcv_linkname" -o "$file" "$@" -ldflags "-s -w -checklinkname=0 \
        -extldflags '$types -Wl,-soname,libshmcv.so.$(abi_major) -Wl,--build-id=sha1 -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,--version-script=$root/export/shmcv.map'" ./export
}

# need_library builds libshmcv.so in the target's folder, with the window plugin beside it. For Windows it builds what windows.sh
# says.
need_library() {
    need_go_flags
    case "$target" in win-*) need_windows_library; return ;; esac
    say "building ${build#"$root/"}/libshmcv.so"
    mkdir -p "$build"
    (cd "$root" && build_library "$build/libshmcv.so")
    rm -f "$build/libshmcv.h" # cgo's own header; ours is include/shmcv.h
    ln -sf libshmcv.so "$build/libshmcv.so.$(abi_major)" # The loader looks for this name in programs that are linked with it.
    [ -z "$opencv_plugin" ] || install -C "$opencv_plugin" "$build/"
    case "$target" in
    linux-*) check_linux_library; need_notices ;;
    *)       write_notices || warn "build/THIRD_PARTY_NOTICES is not written: install, dist and check will fail" ;;
    esac
}

# use_library_of TARGET builds the library of another target than the one so far. It is to be called in a subshell, where `build` and the
# tools are that target's from then on.
use_library_of() {
    use_target "$1"
    unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
    need_build_tools
    need_library
}

# generate writes everything that bindings/gen makes.
generate() {
    say "generating the header, the shim and the bindings' raw layers"
    (cd "$root" && GOFLAGS='' go run ./bindings/gen)
}
