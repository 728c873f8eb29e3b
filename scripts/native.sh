# How the Go code is compiled against OpenCV. Sourced by build.sh after opencv.sh.

# need_go_flags sets the environment that every go command of this project runs in.
need_go_flags() {
    [ -z "${GO_FLAGS_SET:-}" ] || return 0
    need_opencv
    local static=--static
    [ "${SHMCV_OPENCV:-bundled}" = bundled ] || static=""
    CGO_CPPFLAGS="$(pkg-config --cflags opencv4)"
    # shellcheck disable=SC2086 # $static is a flag or nothing
    CGO_LDFLAGS="$(pkg-config $static --libs opencv4) -static-libstdc++ -static-libgcc"
    export CGO_CPPFLAGS CGO_LDFLAGS
    export CGO_CFLAGS="-O2 -g" CGO_CXXFLAGS="-O2 -g -std=c++17"
    export GOFLAGS="-tags=gocv_specific_modules,gocv_highgui,customenv${SHMCV_EXTRA_TAGS:+,$SHMCV_EXTRA_TAGS}"
    GO_FLAGS_SET=1
}
