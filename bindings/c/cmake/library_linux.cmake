get_filename_component(shmcv_library "${SHMCV_LIBRARY_DIR}/libshmcv.so" ABSOLUTE)

# The library is installed as a file whose name has the version of the binary interface, and two links: the loader looks for
# the first one, whose name programs have, and the linker for the second one.
foreach(part MAJOR MINOR)
  file(STRINGS "${shmcv_root}/include/shmcv.h" shmcv_line REGEX "^#define SHMCV_ABI_${part} [0-9]+$")
  string(REGEX REPLACE "^.* " "" shmcv_abi_${part} "${shmcv_line}")
endforeach()
set(shmcv_soname "libshmcv.so.${shmcv_abi_MAJOR}")
set(shmcv_file "${shmcv_soname}.${shmcv_abi_MINOR}")
set(shmcv_links "${CMAKE_CURRENT_BINARY_DIR}/links")
file(MAKE_DIRECTORY "${shmcv_links}")
file(CREATE_LINK "${shmcv_file}" "${shmcv_links}/${shmcv_soname}" SYMBOLIC)
file(CREATE_LINK "${shmcv_soname}" "${shmcv_links}/libshmcv.so" SYMBOLIC)
install(FILES "${shmcv_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" RENAME "${shmcv_file}")
install(FILES "${shmcv_links}/${shmcv_soname}" "${shmcv_links}/libshmcv.so" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# The library looks for the plugin that draws windows beside itself. A library that was built without GTK has none.
install(FILES "${SHMCV_LIBRARY_DIR}/libopencv_highgui_gtk3.so" DESTINATION "${CMAKE_INSTALL_LIBDIR}" OPTIONAL)

# In shmcvConfig.cmake.
set(shmcv_properties "
    IMPORTED_LOCATION \"\${shmcv_libraries}/${shmcv_file}\"
    IMPORTED_SONAME \"${shmcv_soname}\"")
