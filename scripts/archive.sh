# ./build.sh dist: the folder for C and C++ programs, in one file. Sourced by build.sh.

# make_archive FOLDER lays out what `install` installs, with documents, and packs it as FOLDER/shmcv-VERSION-TARGET.tar.gz, for
# Windows as .zip. The same files make the same bytes.
make_archive() {
    local version name folder document archive documents=(security host-safety names)
    version="$(library_version)"
    name="shmcv-$version-$target"
    folder="$build/archive/$name"
    archive="$1/$name.tar.gz"
    case "$target" in
    win-*) archive="$1/$name.zip" documents+=(windows) ;;
    *)     documents+=(segment-format) ;;
    esac
    say "the archive for $target"
    rm -rf "$build/archive"
    lay_out "$folder" -DCMAKE_INSTALL_LIBDIR=lib
    mkdir -p "$folder/share/doc/shmcv"
    for document in "${documents[@]}"; do cp "$root/docs/$document.md" "$folder/share/doc/shmcv/"; done
    case "$target" in win-*) cp "$root/docs/shmcv-check.ps1" "$root/testdata/photograph.jpg" "$folder/share/doc/shmcv/" ;; esac
    cp "$root/README.md" "$folder/"
    python3 "$root/scripts/archive.py" "$folder" "$archive"
    check_archive "$archive" "$name"
}

# check_archive FILE NAME: a program for C finds in it what it needs, and the licences.
check_archive() {
    local files file wanted soname
    soname="libshmcv.so.$(abi_major)"
    case "$1" in
    *.zip)
        files="$(python3 -m zipfile -l "$1" | awk 'NR > 1 {print $1}')"
        wanted=(bin/libshmcv.dll lib/libshmcv.dll.a lib/shmcv.lib share/doc/shmcv/shmcv-check.ps1) ;; # for both linkers
    *)
        files="$(tar -tzf "$1")"
        wanted=(lib/libshmcv.so "lib/$soname" "lib/$soname.$(abi_minor)")
        [ -z "$opencv_plugin" ] || wanted+=("lib/${opencv_plugin##*/}") ;;
    esac
    for file in "${wanted[@]}" include/shmcv.h include/shmcv.hpp lib/pkgconfig/shmcv.pc lib/cmake/shmcv/shmcvConfig.cmake \
        share/doc/shmcv/LICENSE share/doc/shmcv/THIRD_PARTY_NOTICES README.md; do
        grep -qxF "$2/$file" <<<"$files" || die "$1 lacks $file"
    done
}
