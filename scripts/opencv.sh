# The OpenCV that libshmcv is linked with. Sourced by build.sh.
#
# need_opencv leaves PKG_CONFIG_PATH such that `pkg-config opencv4` names it, and opencv_plugin as the path of the
# highgui plugin that draws the windows (empty: built in, or not to be had).
#
# Ours is pinned, static and small: the four modules below, from the source distribution of opencv-python on PyPI,
# checked against the hash in opencv-requirements.txt, with the patches of opencv-patches, built once into the user's
# cache under a key of version, options and patches. An interrupted build goes on where it stopped.
# SHMCV_OPENCV=system takes the system's instead, without the patches.

opencv_version=4.14.0

# Only what decides the pixels and what keeps other libraries out; everything else is OpenCV's default, as in the
# cv2 that people compare us with.
opencv_options=(
    -DCMAKE_BUILD_TYPE=Release
    '-DBUILD_LIST=core,imgproc,imgcodecs,highgui'
    -DBUILD_SHARED_LIBS=OFF -DENABLE_PIC=ON -DOPENCV_GENERATE_PKGCONFIG=ON -DCMAKE_INSTALL_LIBDIR=lib
    -DBUILD_TESTS=OFF -DBUILD_PERF_TESTS=OFF -DBUILD_EXAMPLES=OFF -DBUILD_DOCS=OFF -DBUILD_opencv_apps=OFF
    -DBUILD_JAVA=OFF -DBUILD_opencv_python3=OFF -DBUILD_opencv_python2=OFF
    # codecs: OpenCV's own copies, so that nothing but libc is needed at run time
    -DBUILD_JPEG=ON -DBUILD_TIFF=ON -DBUILD_WEBP=ON -DBUILD_ZLIB=ON
    -DWITH_SPNG=ON -DWITH_ZLIB_NG=ON
    -DWITH_OPENJPEG=ON -DBUILD_OPENJPEG=ON -DWITH_OPENEXR=OFF -DWITH_JASPER=OFF -DWITH_AVIF=OFF -DWITH_JPEGXL=OFF -DWITH_GDAL=OFF
    -DWITH_IMGCODEC_HDR=OFF -DWITH_IMGCODEC_SUNRASTER=OFF -DWITH_IMGCODEC_PFM=ON -DWITH_IMGCODEC_GIF=OFF
    # nothing that loads, probes or traces behind our back
    -DWITH_IPP=OFF -DWITH_OPENCL=OFF -DWITH_ITT=OFF -DWITH_LAPACK=OFF -DWITH_EIGEN=OFF -DWITH_PROTOBUF=OFF
    -DWITH_FLATBUFFERS=OFF -DWITH_VA=OFF -DWITH_FFMPEG=OFF -DWITH_GSTREAMER=OFF -DWITH_V4L=OFF -DWITH_1394=OFF
    -DWITH_OBSENSOR=OFF -DWITH_VTK=OFF -DWITH_QUIRC=OFF -DCV_TRACE=OFF
    # windows: in a plugin that is opened with the first one
    -DWITH_GTK=OFF -DWITH_QT=OFF -DHIGHGUI_ENABLE_PLUGINS=ON
    # no folder of this machine in the texts of errors; build_opencv puts the prefix in the place of PREFIX
    '-DCMAKE_C_FLAGS=-ffile-prefix-map=PREFIX.work/source/opencv/= -ffile-prefix-map=PREFIX.work/build/='
    '-DCMAKE_CXX_FLAGS=-ffile-prefix-map=PREFIX.work/source/opencv/= -ffile-prefix-map=PREFIX.work/build/='
)
# -s: the assembler's symbols name its source files with their folders.
opencv_plugin_options=(
    -DCMAKE_BUILD_TYPE=Release -DOPENCV_PLUGIN_NAME=opencv_highgui_gtk3
    "-DCMAKE_MODULE_LINKER_FLAGS=-Wl,-s -Wl,-z,muldefs -Wl,--exclude-libs,ALL"
    '-DCMAKE_CXX_FLAGS=-ffile-prefix-map=PREFIX.work/source/opencv/= -ffile-prefix-map=PREFIX/include/opencv4/='
)

# The codecs' own memory errors, looked for by ./build.sh soak and fuzz.
if [ "${SHMCV_SANITIZE:-}" = address ]; then
    opencv_options=("${opencv_options[@]/_FLAGS=/_FLAGS=-fsanitize=address }")
    opencv_plugin_options=("${opencv_plugin_options[@]/_FLAGS=/_FLAGS=-fsanitize=address }")
fi

# What differs for another target: the compilers, and on Windows the windows, which Win32 itself draws. DirectX and
# DirectML would bring libraries of theirs.
opencv_windows_options=(
    -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=x86_64
    -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc-posix -DCMAKE_CXX_COMPILER=x86_64-w64-mingw32-g++-posix
    -DCMAKE_RC_COMPILER=x86_64-w64-mingw32-windres -DCMAKE_FIND_ROOT_PATH=/usr/x86_64-w64-mingw32
    -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY
    -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY
    -DHIGHGUI_ENABLE_PLUGINS=OFF -DWITH_WIN32UI=ON -DWITH_DIRECTX=OFF -DWITH_DIRECTML=OFF
)
# On Linux: nothing of this machine is found. The extensions that an arm64 processor may have beyond NEON are OpenCV's choice at
# run time; every one of 64 bits has NEON. Carotene and KleidiCV, arm64's own ways, round other than the rest of
# OpenCV, and without them the pixels are those of x86-64.
opencv_zig_options() {
    local option
    for option in SYSTEM_NAME=Linux SYSTEM_PROCESSOR="$zig_processor" C_COMPILER="$CC" CXX_COMPILER="$CXX" AR="$AR" \
        RANLIB="$(zig_tool ranlib)" FIND_ROOT_PATH="$(zig_prefix)/sysroot" FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
        FIND_ROOT_PATH_MODE_LIBRARY=ONLY FIND_ROOT_PATH_MODE_INCLUDE=ONLY FIND_ROOT_PATH_MODE_PACKAGE=ONLY; do
        echo "-DCMAKE_$option"
    done
    [ "$zig_processor" != aarch64 ] || printf '%s\n' -DWITH_CAROTENE=OFF -DWITH_KLEIDICV=OFF
}
use_opencv_target() {
    local more=() flags="$cross_flags"
    case "$target" in
    linux-*)
        mapfile -t more < <(opencv_zig_options)
        flags=-g0 ;; # Unless told, zig writes what debuggers read, four times as much as the rest.
    win-*)
        more=("${opencv_windows_options[@]}")
        opencv_plugin_options=() ;;
    esac
    opencv_options=("${opencv_options[@]/_FLAGS=/_FLAGS=${flags:+$flags }}" "${more[@]}")
}

# What our patches put into its source: calls to functions that ops/codec_hooks.h declares.
opencv_patches=("$root"/scripts/opencv-patches/*.patch)
opencv_hooks="$root/ops/codec_hooks.h"

# The headers of its libjpeg-turbo that ops compiles with, which OpenCV does not install, from its source and its build.
opencv_jpeg_headers=(jpeglib.h jpegint.h jerror.h jmorecfg.h)
opencv_jpeg_built_headers=(jconfig.h)

# opencv_prefix: the folder that our OpenCV is (to be) installed in.
opencv_prefix() {
    local key
    key="$({
        printf '%s\n' "$opencv_version" "${opencv_options[@]}" "${opencv_plugin_options[@]}" \
            "${opencv_jpeg_headers[@]}" "${opencv_jpeg_built_headers[@]}"
        cat "${opencv_patches[@]}" "$opencv_hooks"
        [ -z "$zig_processor" ] || declare -f build_zig_plugin compile_zig_types gtk_flags write_stand_ins
    } | sha256sum)"
    echo "$cache/opencv-$opencv_version-${key:0:12}"
}

need_opencv() {
    opencv_plugin=""
    case "${SHMCV_OPENCV:-bundled}" in
    system)
        pkg-config --atleast-version=4.6 opencv4 ||
            die "SHMCV_OPENCV=system, but pkg-config finds no opencv4 of 4.6 or later (Debian, Ubuntu: apt-get install libopencv-dev)"
        return ;;
    bundled) ;;
    *) die "SHMCV_OPENCV=$SHMCV_OPENCV means nothing; it is 'system', or unset for the pinned OpenCV" ;;
    esac
    local prefix; prefix="$(opencv_prefix)"
    make_once "$prefix" OpenCV build_opencv "$prefix"
    export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    local plugin="$prefix/lib/libopencv_highgui_gtk3.so"
    [ ! -e "$plugin" ] || opencv_plugin="$plugin"
}

build_opencv() {
    local prefix="$1" work="$1.work" tool
    for tool in cmake ninja nasm pkg-config patch "${CXX:-g++}"; do
        have "$tool" || die "building OpenCV needs '$tool'; './build.sh deps' installs it, or use SHMCV_OPENCV=system"
    done
    say "building OpenCV $opencv_version for $target once, into $prefix (about 5 minutes on 2 cores; the log is $work/build.log)"
    mkdir -p "$work"
    local -x ZIG_LOCAL_CACHE_DIR="$work/zig-cache" # What zig keeps of each file; nobody asks for it twice.
    if [ ! -e "$work/source/complete" ]; then
        say "  fetching its source, 96 MB"
        quietly "$work/download.log" python3 -m pip download --no-deps --no-binary opencv-python \
            --require-hashes -r "$root/scripts/opencv-requirements.txt" -d "$work/download"
        rm -rf "$work/source" && mkdir "$work/source"
        tar -xzf "$work"/download/opencv*.tar.gz -C "$work/source" --strip-components=1
        patch_opencv "$work"
        touch "$work/source/complete"
    fi
    quietly "$work/configure.log" cmake -G Ninja -S "$work/source/opencv" -B "$work/build" \
        -DCMAKE_INSTALL_PREFIX="$prefix" "${opencv_options[@]//PREFIX/$prefix}"
    forget_machine "$prefix"
    ninja_with_progress "$work/build" "$work/build.log"
    rm -rf "$prefix"
    quietly "$work/install.log" cmake --install "$work/build"
    keep_licences "$work/source/opencv" "$prefix"
    install_opencv_jpeg_headers "$work" "$prefix"
    case "$target" in
    native) build_opencv_plugin "$prefix" ;;
    linux-*) build_zig_plugin "$prefix" ;;
    esac # On Windows the windows are in highgui itself.
    touch "$prefix/complete"
    rm -rf "$work"
    say "OpenCV $opencv_version is ready"
}

# build_opencv_plugin PREFIX
build_opencv_plugin() {
    local prefix="$1" work="$1.work"
    have_gtk || return 0
    quietly "$work/plugin.log" cmake -G Ninja -B "$work/plugin" \
        -S "$work/source/opencv/modules/highgui/misc/plugins/plugin_gtk" \
        -DOpenCV_DIR="$prefix/lib/cmake/opencv4" "${opencv_plugin_options[@]//PREFIX/$prefix}"
    quietly "$work/plugin-build.log" ninja -C "$work/plugin"
    cp "$work/plugin/libopencv_highgui_gtk3.so" "$prefix/lib/"
}
have_gtk() {
    find_gtk --exists gtk+-3.0 && return
    warn "no GTK 3 headers (libgtk-3-dev): this library will not open windows. To have them, install it and remove $prefix"
    return 1
}
find_gtk() { env -u PKG_CONFIG_LIBDIR pkg-config "$@"; } # This machine's, whatever the target.

# forget_machine PREFIX: takes this machine's name and folders out of the two files in which OpenCV's configuration
# compiles them in: the text of getBuildInformation(), and the folders that findDataFile() searches.
forget_machine() {
    sed -i -E -e "s|$1|/opencv|g" -e '/(Timestamp|Host|CMake build tool|C(\+\+)? Compiler|Python \(for build\)):/d' \
        "$1.work/build/modules/core/version_string.inc" "$1.work/build/opencv_data_config.hpp"
}

# keep_licences SOURCE PREFIX: adds the licences that OpenCV does not install, its own and libwebp's, to those of the
# other libraries that it does. scripts/notices.py reads them there.
keep_licences() {
    local folder="$2/share/licenses/opencv4"
    cp "$1/LICENSE" "$folder/opencv-LICENSE"
    cp "$1/COPYRIGHT" "$folder/opencv-COPYRIGHT"
    cp "$1/3rdparty/libwebp/COPYING" "$folder/libwebp-COPYING"
}

# patch_opencv WORK: no line around a change may differ from what the patch says (-F0), so that an OpenCV that has changed
# there stops the build, with the patch's name, until the patch has been looked at.
patch_opencv() {
    local work="$1" patch
    cp "$opencv_hooks" "$work/source/opencv/3rdparty/libjpeg-turbo/src/"
    for patch in "${opencv_patches[@]}"; do
        quietly "$work/${patch##*/}.log" patch -d "$work/source/opencv" -p1 -F0 --batch --forward -i "$patch"
    done
}

# install_opencv_jpeg_headers WORK PREFIX
install_opencv_jpeg_headers() {
    local source="$1/source/opencv/3rdparty/libjpeg-turbo/src" built="$1/build/3rdparty/libjpeg-turbo"
    local folder="$2/include/shmcv-3rdparty/libjpeg-turbo"
    mkdir -p "$folder"
    cp "${opencv_jpeg_headers[@]/#/$source/}" "${opencv_jpeg_built_headers[@]/#/$built/}" "$folder/"
}

# ninja_with_progress FOLDER LOG: a line at each tenth, and the log's end when it fails.
ninja_with_progress() {
    ninja -C "$1" 2>&1 | tee "$2" | awk '
        match($0, /^\[[0-9]+\/[0-9]+\]/) {
            split(substr($0, 2, RLENGTH - 2), n, "/"); tenth = int(10 * n[1] / n[2])
            if (tenth != last) { printf "      %3d %%\n", 10 * tenth; fflush(); last = tenth }
        }' >&2
    [ "${PIPESTATUS[0]}" = 0 ] || { tail -n 40 "$2" >&2; die "OpenCV did not build; the whole output is in $2"; }
}
