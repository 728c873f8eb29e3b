# The system and processor that the library is built for. Sourced by build.sh before the parts that build.
#
# use_target TARGET sets `target`, `build` and the tools. linux-x64 is built natively, into build/. win-x64 is
# cross-built on Linux by Debian's mingw-w64, into build/win-x64: its threads are winpthreads, its C library is the
# system's own msvcrt.dll, and everything that GCC brings is linked in.

target=linux-x64
cmake_options=() # What tells CMake of another target.
cross_flags= # What every C and C++ file of another target is compiled with, OpenCV's too.

# use_target TARGET: to be called before need_opencv, need_libdeflate or need_go_flags.
use_target() {
    case "$1" in
    linux-x64) return ;;
    win-x64) ;;
    *) die "there is no target '$1'; there are linux-x64, which is built unless another is named, and win-x64" ;;
    esac
    [ -z "${SHMCV_SANITIZE:-}" ] || die "SHMCV_SANITIZE is for linux-x64 only"
    [ "${SHMCV_OPENCV:-bundled}" = bundled ] || die "SHMCV_OPENCV=system is for linux-x64 only"
    target="$1"
    build="$build/$target"
    export CC=x86_64-w64-mingw32-gcc-posix CXX=x86_64-w64-mingw32-g++-posix AR=x86_64-w64-mingw32-ar
    export GOOS=windows GOARCH=amd64 CGO_ENABLED=1
    export PKG_CONFIG_LIBDIR=/usr/x86_64-w64-mingw32/lib/pkgconfig # Nothing of Linux is found for it.
    cross_flags="$windows_compiler_flags"
    cmake_options=(-DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=x86_64)
    use_opencv_target
    use_libdeflate_target
}

# GCC aligns no stack to more than 16 bytes on Windows, and yet spills AVX registers with instructions that need 32 (its
# bug 54412). The assembler makes them those that need no alignment, which are as fast.
windows_compiler_flags=-Wa,-muse-unaligned-vector-move
