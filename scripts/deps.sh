# Installs missing tools and packages. Sourced by build.sh.

# TOOL:PACKAGE, a tool that the build or the tests call, and the Debian or Ubuntu package that contains it.
build_tools=(g++:g++ cmake:cmake ninja:ninja-build nasm:nasm pkg-config:pkg-config patch:patch python3:python3)
windows_tools=(x86_64-w64-mingw32-gcc-posix:gcc-mingw-w64-x86-64-posix x86_64-w64-mingw32-g++-posix:g++-mingw-w64-x86-64-posix
    x86_64-w64-mingw32-windres:binutils-mingw-w64-x86-64)
test_tools=(Xvfb:xvfb xdotool:xdotool import:imagemagick shellcheck:shellcheck zstd:zstd)

# install_missing TOOL:PACKAGE...: installs the packages of missing tools, and prints their names. If it cannot install
# them, it prints a note with the names.
install_missing() {
    local packages=() pair
    for pair in "$@"; do have "${pair%%:*}" || packages+=("${pair#*:}"); done
    # This is not a tool, but a library with which the build compiles the window plugin.
    if [ "${SHMCV_OPENCV:-bundled}" = bundled ] && [ "$target" != win-x64 ] && ! { have pkg-config && find_gtk --exists gtk+-3.0; }; then
        packages+=(libgtk-3-dev)
    fi
    [ "${#packages[@]}" != 0 ] || return 0
    if have apt-get && as_root true; then
        say "installing ${packages[*]} (apt-get)"
        mkdir -p "$cache"
        ( # Two steps of a build that run beside each other: apt-get fails while another one runs.
            flock 8
            quietly "$build/log/apt-update.log" as_root apt-get update
            quietly "$build/log/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y --no-install-recommends "${packages[@]}"
        ) 8>"$cache/apt-get.lock"
    else
        warn "not installed here: ${packages[*]} (Debian's names); install them with your system's package manager"
    fi
}

need_go() {
    have go || die "Go 1.26 or later is needed to build: https://go.dev/dl/"
}

need_build_tools() {
    need_go
    case "$target" in
    win-*)   install_missing "${build_tools[@]}" "${windows_tools[@]}" ;;
    linux-*) install_missing "${build_tools[@]}"; need_zig ;;
    *)       install_missing "${build_tools[@]}" ;;
    esac
}
need_test_tools()  { need_go; install_missing "${build_tools[@]}" "${test_tools[@]}"; }

# need_python makes build/venv with the pinned packages that the tests, checks and samples import, and sets $python. It is this
# machine's Python, whatever the target.
need_python() {
    python="$root/build/venv/bin/python"
    need_venv "$root/build/venv" "$root/scripts/python-requirements.txt"
}

# need_venv FOLDER REQUIREMENTS: makes a virtual environment with exactly these packages. It makes the environment again
# if REQUIREMENTS has changed.
need_venv() {
    local venv="$1" wanted="$2"
    cmp -s "$wanted" "$venv/requirements.txt" && return
    say "installing Python packages into ${venv#"$root/"}: $(grep -o '^[A-Za-z][A-Za-z0-9_-]*' "$wanted" | tr '\n' ' ')"
    rm -rf "$venv"
    python3 -m venv "$venv" || die "python3 -m venv failed (Debian, Ubuntu: apt-get install python3-venv)"
    quietly "$build/log/pip.log" "$venv/bin/python" -m pip install --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

# have_dotnet succeeds if the C# steps can run.
have_dotnet() {
    # If no SDK is installed, an SDK in a folder beside this checkout serves.
    # shellcheck disable=SC1091
    if ! have dotnet && [ -f "$root/../shared/dotnet/activate" ]; then . "$root/../shared/dotnet/activate"; fi
    have dotnet
}
