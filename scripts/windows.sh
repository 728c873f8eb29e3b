# What is Windows' own in building the library: the DLL's exports, its import libraries, its version, and what is loaded
# late. Sourced by build.sh; target.sh says by what it is compiled.

mingw=x86_64-w64-mingw32

# What OpenCV's highgui needs of the system. On Windows Server Core, Nano Server and in containers some of these files are
# missing. So the library opens them with its first window (ops/display_windows.c): the linker makes their functions such
# as are looked up at the first call.
windows_late_libraries="comdlg32 gdi32 ole32 user32"
windows_system_libraries="-lcomdlg32 -lgdi32 -lole32 -luser32 -luuid -loleaut32"

# need_windows_library builds build/win-x64/libshmcv.dll, with the import libraries libshmcv.dll.a and shmcv.lib.
#
# Go links an archive, and the DLL is linked here, because Go's own linking of a DLL exports every Go function that C calls.
# The objects say so themselves, in a section .drectve, which is taken out.
need_windows_library() {
    local work="$build/link" flags=()
    say "building build/$target/libshmcv.dll"
    mkdir -p "$work"
    (cd "$root" && CGO_CXXFLAGS="$CGO_CXXFLAGS -fmacro-prefix-map=$(opencv_prefix)/include/opencv4/=" \
        go build -buildmode=c-archive -trimpath -tags "$go_tags" -ldflags "-s -w" -o "$work/libshmcv.a" ./export)
    rm -f "$work/libshmcv.h"
    "$mingw-objcopy" --remove-section=.drectve "$work/libshmcv.a"
    write_exports >"$work/libshmcv.def"
    write_version_resource >"$work/version.rc"
    "$mingw-windres" --codepage=65001 "$work/version.rc" "$work/version.o"
    mapfile -t flags < <(late_link_flags "$work")
    quietly "$build/log/link.log" "$CXX" -shared -static -s -o "$build/libshmcv.dll" \
        -Wl,--whole-archive "$work/libshmcv.a" -Wl,--no-whole-archive "$work/version.o" "$work/libshmcv.def" \
        -Wl,--out-implib,"$build/libshmcv.dll.a" -Wl,--no-insert-timestamp \
        -Wl,--dynamicbase,--nxcompat,--high-entropy-va \
        "${flags[@]}"
    "$mingw-dlltool" -d "$work/libshmcv.def" -D libshmcv.dll -l "$build/shmcv.lib"
    check_windows_library
    need_notices
}

# late_link_flags FOLDER: the flags for the linker, each on a line, of which the late libraries are those that write_late_library
# makes in FOLDER.
late_link_flags() {
    local library
    # shellcheck disable=SC2086 # the flags are many words
    printf '%s\n' $CGO_LDFLAGS | grep -vxE -- "-l(${windows_late_libraries// /|})"
    for library in $windows_late_libraries; do
        [ "$1/$library.a" -nt "$root/scripts/windows.sh" ] || write_late_library "$library" "$1"
        echo "$1/$library.a"
    done
    echo -ldelayimp
}

# The linker's list of exports, from the functions of the header.
write_exports() {
    echo "LIBRARY libshmcv.dll"
    echo "EXPORTS"
    exported_functions
}
exported_functions() { sed -n 's/^ *\(shmcv_[a-z0-9_]*\);$/\1/p' "$root/export/shmcv.map"; }

# write_late_library LIBRARY FOLDER: an archive of all functions of a system's library, each of which opens the library at
# its first call.
write_late_library() {
    local library="$1" folder="$2"
    {
        echo "LIBRARY $library.dll"
        echo "EXPORTS"
        "$mingw-nm" "/usr/$mingw/lib/lib$library.a" 2>/dev/null | sed -n 's/^.* T \([A-Za-z_][A-Za-z0-9_]*\)$/\1/p' | sort -u
    } >"$folder/$library.def"
    "$mingw-dlltool" -d "$folder/$library.def" -D "$library.dll" --output-delaylib "$folder/$library.a"
}

# The version that the file's properties show.
write_version_resource() {
    local version numbers
    version="$(library_version)"
    numbers="$(echo "$version" | sed 's/[^0-9.].*//; s/\./,/g'),0"
    cat <<TEXT
1 VERSIONINFO
FILEVERSION $numbers
PRODUCTVERSION $numbers
FILEOS 0x40004
FILETYPE 2
{
    BLOCK "StringFileInfo"
    {
        BLOCK "040904B0"
        {
            VALUE "FileDescription", "shmcv: named shared memory with OpenCV images"
            VALUE "FileVersion", "$version"
            VALUE "InternalName", "libshmcv"
            VALUE "OriginalFilename", "libshmcv.dll"
            VALUE "ProductName", "shmcv"
            VALUE "ProductVersion", "$version"
        }
    }
    BLOCK "VarFileInfo"
    {
        VALUE "Translation", 0x409, 1200
    }
}
TEXT
}

# check_windows_library looks at what comes out: it exports the functions of the header, it needs DLLs of every edition of
# Windows, it shows no message box, its memory is protected, it has a version, and it holds no folder of this machine.
check_windows_library() {
    local dll="$build/libshmcv.dll" headers others flag
    headers="$("$mingw-objdump" -p "$dll")"
    diff <(exported_functions | sort) \
        <(awk '/\[Ordinal\/Name Pointer\] Table/ {names = 1; next} names && NF == 0 {exit} names {print $NF}' <<<"$headers" | sort) ||
        die "libshmcv.dll exports other functions than the header declares"
    others="$(sed -n 's/^\tDLL Name: //p' <<<"$headers" | tr '[:upper:]' '[:lower:]' | sort -u |
        grep -vxE '(advapi32|kernel32|msvcrt|ws2_32|ntdll|bcrypt|bcryptprimitives)\.dll' || true)"
    [ -z "$others" ] || die "libshmcv.dll needs DLLs that not every edition of Windows has: $others"
    ! grep -q '[[:space:]]MessageBox[A-Z]' <<<"$headers" || die "libshmcv.dll has message boxes"
    for flag in HIGH_ENTROPY_VA DYNAMIC_BASE NX_COMPAT; do
        grep -q "^[[:space:]]*$flag\$" <<<"$headers" || die "libshmcv.dll lacks $flag"
    done
    "$mingw-windres" -J coff -O rc "$build/link/version.o" /dev/null || die "libshmcv.dll has no version"
    library_holds_no_folders "$dll" || die "libshmcv.dll names folders of this machine"
}
