# The system and processor that the library is built for. Sourced by build.sh before the parts that build.
#
# use_target TARGET sets `target`, `build` and the tools:
#   native       this machine's library, by its own compiler and for its own glibc, into build/. It is the target unless
#                another is named: the suites run against it.
#   linux-x64    what is given away: by zig, for glibc 2.28 and later, into build/linux-x64. zig.sh has the compiler.
#   linux-arm64  the same for arm64, into build/linux-arm64.
#   win-x64      cross-built on Linux by Debian's mingw-w64, into build/win-x64: its threads are winpthreads, its C library is
#                the system's own msvcrt.dll, and everything that GCC brings is linked in.

target=native
cmake_options=() # What tells CMake of another target.
cross_flags= # What every C and C++ file of another target is compiled with, OpenCV's too.
zig_processor= # The processor of a target that zig builds, as zig, GNU and CMake call it.

# use_target TARGET: to be called before need_opencv, need_libdeflate or need_go_flags.
use_target() {
    case "$1" in
    native) return ;;
    linux-x64|linux-arm64|win-x64) ;;
    *) die "there is no target '$1'; there are native, which is built unless another is named, linux-x64, linux-arm64 and win-x64" ;;
    esac
    [ -z "${SHMCV_SANITIZE:-}" ] || die "SHMCV_SANITIZE is for this machine's own library only, without --target"
    [ "${SHMCV_OPENCV:-bundled}" = bundled ] || die "SHMCV_OPENCV=system is for this machine's own library only, without --target"
    target="$1"
    build="$root/build/$target"
    export CGO_ENABLED=1
    case "$target" in
    linux-x64)   use_zig x86_64 amd64 ;;
    linux-arm64) use_zig aarch64 arm64 ;;
    win-x64)     use_mingw ;;
    esac
    use_opencv_target
    use_libdeflate_target
}

# use_zig PROCESSOR GOARCH
use_zig() {
    zig_processor="$1"
    CC="$(zig_tool cc)" CXX="$(zig_tool c++)" AR="$(zig_tool ar)"
    export CC CXX AR
    export GOOS=linux GOARCH="$2"
    export PKG_CONFIG_LIBDIR="$cache/none" # Nothing of this machine is found for it.
    cmake_options=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$zig_processor")
}

use_mingw() {
    export CC=x86_64-w64-mingw32-gcc-posix CXX=x86_64-w64-mingw32-g++-posix AR=x86_64-w64-mingw32-ar
    export GOOS=windows GOARCH=amd64
    export PKG_CONFIG_LIBDIR=/usr/x86_64-w64-mingw32/lib/pkgconfig # Nothing of Linux is found for it.
    cross_flags="$windows_compiler_flags"
    cmake_options=(-DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=x86_64)
}

# GCC aligns no stack to more than 16 bytes on Windows, and yet spills AVX registers with instructions that need 32 (its
# bug 54412). The assembler makes them those that need no alignment, which are as fast.
windows_compiler_flags=-Wa,-muse-unaligned-vector-move
