# Installing what is missing. Sourced by build.sh.

# What the build and the tests call, and the Debian or Ubuntu package that brings it.
build_tools=(g++:g++ cmake:cmake ninja:ninja-build nasm:nasm pkg-config:pkg-config patch:patch python3:python3)
test_tools=(Xvfb:xvfb xdotool:xdotool import:imagemagick shellcheck:shellcheck zstd:zstd)

# install_missing TOOL:PACKAGE...: installs what is not there, saying so; where it cannot, says what to install.
install_missing() {
    local packages=() pair
    for pair in "$@"; do have "${pair%%:*}" || packages+=("${pair#*:}"); done
    # A library that the window plugin is compiled with, not a tool.
    if [ "${SHMCV_OPENCV:-bundled}" = bundled ] && ! { have pkg-config && pkg-config --exists gtk+-3.0; }; then
        packages+=(libgtk-3-dev)
    fi
    [ "${#packages[@]}" != 0 ] || return 0
    if have apt-get && as_root true; then
        say "installing ${packages[*]} (apt-get)"
        quietly "$build/log/apt-update.log" as_root apt-get update
        quietly "$build/log/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${packages[@]}"
    else
        warn "not installed here: ${packages[*]} (Debian's names); install them with your system's package manager"
    fi
}

need_go() {
    have go || die "Go 1.26 or later is needed to build: https://go.dev/dl/"
}

need_build_tools() { need_go; install_missing "${build_tools[@]}"; }
need_test_tools()  { need_go; install_missing "${build_tools[@]}" "${test_tools[@]}"; }

# need_python makes build/venv with what the tests, the checks and the samples import, pinned.
need_python() {
    python="$build/venv/bin/python"
    need_venv "$build/venv" "$root/scripts/python-requirements.txt"
}

# need_venv FOLDER REQUIREMENTS: a virtual environment with just these, made anew when they change.
need_venv() {
    local venv="$1" wanted="$2"
    cmp -s "$wanted" "$venv/requirements.txt" && return
    say "installing Python packages into ${venv#"$root/"}: $(grep -o '^[A-Za-z][A-Za-z0-9_-]*' "$wanted" | tr '\n' ' ')"
    rm -rf "$venv"
    python3 -m venv "$venv" || die "python3 -m venv failed (Debian, Ubuntu: apt-get install python3-venv)"
    quietly "$build/log/pip.log" "$venv/bin/python" -m pip install --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

# have_dotnet: whether the C# steps can run.
have_dotnet() {
    # An SDK kept beside this checkout serves where none is installed.
    # shellcheck disable=SC1091
    if ! have dotnet && [ -f "$root/../shared/dotnet/activate" ]; then . "$root/../shared/dotnet/activate"; fi
    have dotnet
}
