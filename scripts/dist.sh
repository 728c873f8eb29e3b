# ./build.sh install and ./build.sh dist: what leaves this folder. Sourced by build.sh.

# write_notices writes build/THIRD_PARTY_NOTICES, the licences of everything that is linked into the library. It fails,
# removes the file and names the component if one has no notice.
write_notices() {
    local version library=libshmcv.so
    case "$target" in win-*) library=libshmcv.dll ;; esac
    version="$(sed -n 's/^const Version = "\(.*\)"/\1/p' "$root/internal/abi/version.go")"
    (cd "$root" && python3 scripts/notices.py "$version" "$build/$library" "$build/THIRD_PARTY_NOTICES")
}
need_notices() { write_notices || die "a component has no notice, or its licence is not found (see above)"; }

# install_library PREFIX installs the library, headers, licences, the pkg-config file and the CMake package under PREFIX.
install_library() {
    local prefix
    need_notices
    prefix="$(realpath -m "$1")"
    quietly "$build/log/install-configure.log" cmake -G Ninja -S "$root/bindings/c" -B "$build/install" \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DSHMCV_BUILD_TESTS=OFF
    quietly "$build/log/install.log" cmake --install "$build/install"
    say "installed:"
    sort "$build/install/install_manifest.txt"
    echo
}

# make_packages makes the Python wheel and the NuGet packages in build/dist.
make_packages() {
    need_python
    need_notices
    mkdir -p "$build/dist"
    say "the Python wheel"
    quietly "$build/log/wheel.log" "$python" -m pip wheel --disable-pip-version-check --no-deps \
        --wheel-dir "$build/dist" "$root/bindings/python"
    if have_dotnet; then
        say "the NuGet packages"
        quietly "$build/log/nuget.log" dotnet pack "$root/bindings/csharp" -c Release -o "$build/dist"
    else
        warn "THE NUGET PACKAGES ARE SKIPPED: NO .NET SDK ('dotnet') HERE"
    fi
    case "$target" in win-*) make_archive ;; esac
    say "in build/dist:"
    ls "$build/dist"
}
