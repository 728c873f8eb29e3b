# ./build.sh install and ./build.sh dist: what leaves this folder. Sourced by build.sh.

# write_notices writes build/THIRD_PARTY_NOTICES, the licences of everything that is linked into the library. It fails,
# removes the file and names the component if one has no notice.
write_notices() {
    local version library=libshmcv.so
    case "$target" in win-*) library=libshmcv.dll ;; esac
    version="$(library_version)"
    (cd "$root" && python3 scripts/notices.py "$version" "$build/$library" "$build/THIRD_PARTY_NOTICES")
}
need_notices() { write_notices || die "a component has no notice, or its licence is not found (see above)"; }

# lay_out PREFIX [OPTION...]: puts the library, headers, licences, the pkg-config file and the CMake package under PREFIX. The
# options are CMake's.
lay_out() {
    local prefix="$1"
    shift
    need_notices
    rm -f "$build/install/CMakeCache.txt" # It would keep the options of an earlier call.
    quietly "$build/log/install-configure.log" cmake -G Ninja -S "$root/bindings/c" -B "$build/install" "${cmake_options[@]}" \
        -DSHMCV_LIBRARY_DIR="$build" -DCMAKE_INSTALL_PREFIX="$prefix" -DSHMCV_BUILD_TESTS=OFF "$@"
    quietly "$build/log/install.log" cmake --install "$build/install"
}

# install_library PREFIX lays out the files, and prints their names.
install_library() {
    lay_out "$(realpath -m "$1")"
    say "installed:"
    sort "$build/install/install_manifest.txt"
    echo
}

shipped_targets=(linux-x64 linux-arm64 win-x64) # what is given away

# make_packages [TARGET] makes the target's wheel and archive, in the target's own folder dist. Without a target it makes, in
# build/dist, those of linux-x64 and of each other target whose library has been built here, and the NuGet packages, which
# carry the libraries of all of them.
make_packages() {
    local dist="$root/build/dist" each
    if [ -n "${1:-}" ]; then
        dist="$(folder_of "$1")/dist"
        make_packages_of "$1" "$dist"
    else
        rm -rf "$dist"
        for each in $(targets_built_here); do make_packages_of "$each" "$dist"; done
        make_nuget_packages "$dist"
    fi
    say "in ${dist#"$root/"}:"
    ls "$dist"
}

# folder_of TARGET prints the folder of the target's library.
folder_of() { (use_target "$1" && echo "$build"); }

targets_built_here() {
    local each
    for each in "${shipped_targets[@]}"; do
        if [ "$each" = linux-x64 ] || [ -e "$root/build/$each/THIRD_PARTY_NOTICES" ]; then echo "$each"; fi
    done
}

# make_packages_of TARGET FOLDER brings the target's library up to date, so that all that is given away is of one state of the
# sources, and makes its wheel and its archive.
make_packages_of() { (
    mkdir -p "$2"
    use_library_of "$1"
    need_notices
    say "the Python wheel for $1"
    make_wheel "$2"
    make_archive "$2"
); }

# make_nuget_packages FOLDER: they carry the libraries of all targets that have been built here. The time in them is a fixed one,
# that of the wheels, so that the same sources make the same bytes.
make_nuget_packages() {
    if ! have_dotnet; then
        warn "THE NUGET PACKAGES ARE SKIPPED: NO .NET SDK ('dotnet') HERE"
        return
    fi
    say "the NuGet packages"
    SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1580601600}" quietly "$build/log/nuget.log" dotnet pack "$root/bindings/csharp" -c Release -p:LinuxX64Folder="$(folder_of linux-x64)" -o "$1"
}

# make_wheel FOLDER makes the Python wheel with the target's library, of a copy of the package that has the target's notices.
make_wheel() {
    local copy="$build/wheel/bindings/python" made="$build/wheel/made" library=libshmcv.so glibc=
    case "$target" in
    win-*) library=libshmcv.dll ;;
    linux-*) glibc="$zig_glibc" ;; # The target native is for machines like this one.
    esac
    need_python
    rm -rf "$build/wheel"
    mkdir -p "$copy" "$1"
    (cd "$root/bindings/python" && cp -RL src hatch_build.py pyproject.toml README.md LICENSE "$copy")
    find "$copy" -name __pycache__ -prune -exec rm -rf {} +
    cp "$build/THIRD_PARTY_NOTICES" "$copy"
    SHMCV_LIBRARY="$build/$library" SHMCV_GLIBC="$glibc" quietly "$build/log/wheel.log" "$python" -m pip wheel \
        --disable-pip-version-check --no-deps --wheel-dir "$made" "$copy"
    [ -z "$glibc" ] || check_wheel "$made"/*.whl
    mv "$made"/*.whl "$1/"
}

# check_wheel WHEEL: a wheel for Linux holds what it should, and works with the glibc that its name says.
check_wheel() {
    need_venv "$root/build/dist-venv" "$root/scripts/dist-requirements.txt"
    "$root/build/dist-venv/bin/python" "$root/scripts/wheel.py" "$1" >&2 || die "the wheel is not fit to be given away"
}
