# The files that ./build.sh install puts under a prefix. None of them names the prefix, so the folder may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(shmcv_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/shmcv")

install(FILES "${shmcv_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# The library looks for the plugin that draws windows beside itself. A library that was built without GTK has none.
install(FILES "${SHMCV_LIBRARY_DIR}/libopencv_highgui_gtk3.so" DESTINATION "${CMAKE_INSTALL_LIBDIR}" OPTIONAL)
install(FILES "${shmcv_root}/include/shmcv.h" "${shmcv_root}/include/shmcv.hpp"
        "${shmcv_root}/include/shmcv_constants.hpp"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${shmcv_root}/LICENSE" "${SHMCV_LIBRARY_DIR}/THIRD_PARTY_NOTICES" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

file(RELATIVE_PATH shmcv_prefix_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/shmcv.pc.in shmcv.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/shmcv.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

configure_package_config_file(cmake/shmcvConfig.cmake.in shmcvConfig.cmake
                              INSTALL_DESTINATION "${shmcv_cmake_dir}"
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/shmcvConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/shmcvConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/shmcvConfigVersion.cmake"
        DESTINATION "${shmcv_cmake_dir}")
