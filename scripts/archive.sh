# ./build.sh dist --target win-x64: the folder for C and C++ programs, in a zip file. Sourced by build.sh.

# make_archive lays out what `install` installs, with the documents for Windows, and packs it as build/TARGET/dist/shmcv-VERSION-TARGET.zip.
# The same sources make the same bytes.
make_archive() {
    local version name folder
    version="$(library_version)"
    name="shmcv-$version-$target"
    folder="$build/archive/$name"
    say "the archive"
    rm -rf "$build/archive"
    lay_out "$folder"
    mkdir -p "$folder/share/doc/shmcv" "$build/dist"
    cp "$root/docs/windows.md" "$root/docs/shmcv-check.ps1" "$root/docs/security.md" "$root/docs/host-safety.md" "$root/docs/names.md" \
        "$folder/share/doc/shmcv/"
    cp "$root/testdata/photograph.jpg" "$folder/share/doc/shmcv/"
    cp "$root/README.md" "$folder/"
    python3 "$root/scripts/archive.py" "$folder" "$build/dist/$name.zip"
    check_archive "$build/dist/$name.zip" "$name"
}

# check_archive ZIP NAME: a program for C finds in it what it needs, for both linkers, and the licences.
check_archive() {
    local files file
    files="$(python3 -m zipfile -l "$1" | awk 'NR > 1 {print $1}')"
    for file in bin/libshmcv.dll lib/libshmcv.dll.a lib/shmcv.lib include/shmcv.h include/shmcv.hpp lib/cmake/shmcv/shmcvConfig.cmake \
        share/doc/shmcv/LICENSE share/doc/shmcv/THIRD_PARTY_NOTICES share/doc/shmcv/shmcv-check.ps1 README.md; do
        grep -qxF "$2/$file" <<<"$files" || die "$1 lacks $file"
    done
}
