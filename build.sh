#!/usr/bin/env bash
# The entry to building, running and testing shmcv. Every step installs the tools that it needs, and prints their names.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: ./build.sh COMMAND [--target TARGET]

  run [--headless]   build, and flip a photograph through every language that is here
  test [SUITE...]    build, and run the tests: go, fuzz, c, python, csharp, csharp-net8, hosting (all of them unless named)
                     native, with others named: all of these
                     win-x64, if it is named: the library for Windows, under Wine; or its parts, win-x64-go and so on
                     old, likewise: what dist makes for linux-x64, on Debian 11; or old-c and so on
                     linux-arm64, likewise: the library for arm64, under QEMU; or linux-arm64-go and so on
  hosting [...]      only the hosting test; --without CURE [RUNS]: with a library that lacks a cure, to see it fail
  fuzz [MINUTES]     the fuzz targets, for so many minutes together (10 unless said)
  soak [COPIES]      so many damaged copies of each small test image, looked at for foreign memory (3000 unless said)
  check              formatting, linters, warnings, generated files, exported symbols
  bench [ROW...]     build, and measure beside other libraries; --quick: half a minute; --publish: write the documents
  build              build/libshmcv.so and include/shmcv.h
  generate           the generated files; run it after a change in export/ or internal/abi/
  install PREFIX     library, headers, pkg-config and CMake files, under PREFIX
  dist               the Python wheels, the archives for C and C++ and, if dotnet is installed, the NuGet packages, in build/dist
  deps               only install missing tools (Debian, Ubuntu)
  prepare            what the tests of the library for Windows need and is made once: its OpenCV, and a Debian 13 with Wine
  clean              remove build/; the cached OpenCV stays in ~/.cache/shmcv

--target TARGET goes with build, install, dist and test. Without it, the library is this machine's: gcc builds it, for this glibc.
dist makes the packages of linux-x64 then, and of each other target that has been built here; with it, the target's wheel and
archive. test --target linux-x64 runs the suites against what is given away; the other targets have suites of their own.
  linux-x64, linux-arm64   build/TARGET/libshmcv.so for glibc 2.28 and later, which is given away: zig builds it
  win-x64                  build/win-x64/libshmcv.dll, which Debian's mingw-w64 builds
  native                   as without --target
SHMCV_OPENCV=system links with the system's OpenCV instead of the pinned one. SHMCV_SANITIZE=address has soak and fuzz
run under the address sanitizer, with an OpenCV that is built for it.
TEXT
}

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=/dev/null
for part in common zig target deps opencv zig_plugin libdeflate native linux windows run test debian debian_python wine wine_go wine_c wine_csharp wine_python wine_hosting arm64 arm64_go arm64_c arm64_python arm64_csharp old old_c old_python old_csharp fuzz hosting bench check archive dist; do . "$here/scripts/$part.sh"; done

command="${1:-}"
named_target=
[ $# = 0 ] || shift
if [ "${1:-}" = --target ]; then
    case "$command" in build|install|dist|test) ;; *) die "--target goes with 'build', 'install', 'dist' and 'test' only" ;; esac
    named_target="${2:?usage: ./build.sh $command --target TARGET}"
    case "$command" in build|install) use_target "$named_target" ;; esac
    shift 2
fi
case "$command" in
build)     need_build_tools; need_library ;;
bench)     need_build_tools; need_library; run_bench "$@" ;;
run)       need_build_tools; need_library; run_samples "$@" ;;
test)      need_test_tools; need_tested_library "$named_target"; run_tests "$@" ;;
hosting)   need_build_tools; need_library; run_hosting "$@" ;;
fuzz)      need_build_tools; need_go_flags; run_fuzz "$@" ;;
soak)      need_build_tools; need_go_flags; run_soak "$@" ;;
check)     need_build_tools; need_library; run_checks ;;
generate)  need_go; generate ;;
install)   need_build_tools; need_library; install_library "${1:?usage: ./build.sh install PREFIX}" ;;
dist)      make_packages "$named_target" ;;
deps)      need_test_tools ;;
prepare)   prepare_windows ;;
clean)     rm -rf "$build" ;;
help|-h|--help) usage ;;
*)         usage >&2; exit 2 ;;
esac
