# ./build.sh install and ./build.sh dist: what leaves this folder. Sourced by build.sh.

# install_library PREFIX: library, headers, pkg-config file and CMake package under PREFIX.
install_library() {
    local prefix
    prefix="$(realpath -m "$1")"
    quietly "$build/log/install-configure.log" cmake -G Ninja -S "$root/bindings/c" -B "$build/install" \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DSHMCV_BUILD_TESTS=OFF
    quietly "$build/log/install.log" cmake --install "$build/install"
    say "installed:"
    sort "$build/install/install_manifest.txt"
    echo
}

# make_packages: the Python wheel and the NuGet packages, in build/dist.
make_packages() {
    need_python
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
    say "in build/dist:"
    ls "$build/dist"
}
