# OpenCV's plugin for windows, built by zig: the plugin and the library hand each other C++ objects, so one compiler
# builds both. Sourced by build.sh after opencv.sh.
#
# Of GTK only this machine's headers are needed, and the names of its functions. Debian's headers for arm64 are those for
# x86-64, but for one macro of GLib about copying a va_list, which OpenCV and ops do not use. GTK of 3.22 and GLib of 2.56,
# RHEL 8's, have all functions that OpenCV calls.

gtk_libraries=(gtk-3 gdk-3 cairo gdk_pixbuf-2.0 gobject-2.0 glib-2.0)

# build_zig_plugin PREFIX
build_zig_plugin() {
    local prefix="$1" work="$1.work" source="$1.work/source/opencv/modules" folder="$1.work/plugin" flags=() libraries=()
    have_gtk || return 0
    mapfile -t flags < <(gtk_flags)
    mapfile -t libraries < <(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --static --libs opencv4 | tr ' ' '\n' | grep -vx -e -lopencv_highgui -e '')
    rm -rf "$folder"
    mkdir -p "$folder"
    write_stand_ins "$folder"
    compile_zig_types "$folder/types.o"
    quietly "$work/plugin-compile.log" "$CXX" -c -O3 -DNDEBUG -std=c++11 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden \
        -ffunction-sections -fdata-sections -w -ffile-prefix-map="$work/source/opencv/=" -ffile-prefix-map="$prefix/include/opencv4/=" \
        -DBUILD_PLUGIN=1 -DHAVE_GTK -DHAVE_GTK3 "${flags[@]}" \
        -I"$work/build" -I"$work/build/modules/highgui" -I"$source/highgui/src" -I"$source/highgui/include" -I"$source/core/include" \
        -I"$prefix/include/opencv4" "$source/highgui/src/window_gtk.cpp" -o "$folder/window_gtk.o"
    # highgui has the functions that window_gtk.cpp defines, for a library without windows. The first definition stays.
    # zig passes the option for that to no linker of a library, but its linker has it.
    quietly "$work/plugin-join.log" "$(zig_prefix)/ziglang/zig" ld.lld -r --allow-multiple-definition -o "$folder/highgui.o" \
        "$folder/window_gtk.o" "$prefix/lib/libopencv_highgui.a"
    echo '{ global: opencv_ui_plugin_init_v0; local: *; };' >"$folder/exports.map"
    quietly "$work/plugin-link.log" "$CXX" -shared -s -o "$prefix/lib/libopencv_highgui_gtk3.so" "$folder/highgui.o" "$folder/types.o" \
        -Wl,-soname,libopencv_highgui_gtk3.so -Wl,--version-script="$folder/exports.map" -Wl,--gc-sections -Wl,--as-needed \
        "${libraries[@]}" -L"$folder" "${gtk_libraries[@]/#/-l}"
}

# gtk_flags prints the folders of GTK's headers, one flag a line. A folder that also has the headers of this machine's C library is none.
gtk_flags() {
    find_gtk --cflags-only-I gtk+-3.0 | tr ' ' '\n' | grep -vxE -e '-I/usr/include(/[a-z0-9_]+-linux-gnu)?' -e ''
    printf '%s\n' -DGLIB_VERSION_M{IN_REQUIRED,AX_ALLOWED}=GLIB_VERSION_2_56 -DGDK_VERSION_M{IN_REQUIRED,AX_ALLOWED}=GDK_VERSION_3_22
}

# write_stand_ins FOLDER: libraries that have the names of GTK's functions and nothing else. The linker notes the libraries'
# names in the plugin, and the loader of the user's machine opens the real ones.
write_stand_ins() {
    local name file
    for name in "${gtk_libraries[@]}"; do
        file="$(find_gtk --variable=libdir gtk+-3.0)/lib$name.so"
        nm -D --defined-only "$file" | awk '$2 ~ /^[TWi]$/ {sub(/@.*/, "", $3); print ".globl " $3 "\n.type " $3 ",%function\n" $3 ":"}' >"$1/$name.s"
        quietly "$1/$name.log" "$CC" -shared -nostdlib -o "$1/lib$name.so" "$1/$name.s" \
            -Wl,-soname,"$(readelf -d "$file" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')"
    done
}
