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

# lay_out PREFIX puts the library, headers, licences, the pkg-config file and the CMake package under PREFIX.
lay_out() {
    need_notices
    quietly "$build/log/install-configure.log" cmake -G Ninja -S "$root/bindings/c" -B "$build/install" "${cmake_options[@]}" \
        -DSHMCV_LIBRARY_DIR="$build" -DCMAKE_INSTALL_PREFIX="$1" -DSHMCV_BUILD_TESTS=OFF
    quietly "$build/log/install.log" cmake --install "$build/install"
}

# install_library PREFIX lays out the files, and prints their names.
install_library() {
    lay_out "$(realpath -m "$1")"
    say "installed:"
    sort "$build/install/install_manifest.txt"
    echo
}

# need_other_libraries brings the library for another system up to date, if it has been built here: a package that carries
# the libraries of several systems carries those of one state of the sources.
need_other_libraries() {
    [ -e "$build/win-x64/libshmcv.dll" ] || return 0
    (
        use_target win-x64
        unset GO_FLAGS_SET PKG_CONFIG_PATH SHMCV_PLUGIN_DIR
        need_build_tools
        need_library
    )
}

# make_packages makes the target's packages in its dist folder: the Python wheel; for Linux the NuGet packages, which also carry
# the library for Windows if it has been built here; for Windows an archive for C and C++ programs.
make_packages() {
    need_notices
    say "the Python wheel"
    make_wheel
    case "$target" in
    linux-*) make_nuget_packages ;;
    win-*) make_archive ;;
    esac
    say "in ${build#"$root/"}/dist:"
    ls "$build/dist"
}

make_nuget_packages() {
    if ! have_dotnet; then
        warn "THE NUGET PACKAGES ARE SKIPPED: NO .NET SDK ('dotnet') HERE"
        return
    fi
    need_other_libraries
    say "the NuGet packages"
    quietly "$build/log/nuget.log" dotnet pack "$root/bindings/csharp" -c Release -o "$build/dist"
}

# make_wheel makes the Python wheel with the target's library, of a copy of the package that has the target's notices.
make_wheel() {
    local copy="$build/wheel/bindings/python" library=libshmcv.so
    case "$target" in win-*) library=libshmcv.dll ;; esac
    need_python
    rm -rf "$build/wheel"
    mkdir -p "$copy" "$build/dist"
    (cd "$root/bindings/python" && cp -RL src hatch_build.py pyproject.toml README.md LICENSE "$copy")
    cp "$build/THIRD_PARTY_NOTICES" "$copy"
    SHMCV_LIBRARY="$build/$library" quietly "$build/log/wheel.log" "$python" -m pip wheel --disable-pip-version-check \
        --no-deps --wheel-dir "$build/dist" "$copy"
}
