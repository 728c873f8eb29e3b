# What ./build.sh install puts under a prefix. Nothing in it names the prefix, so the whole may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(shmcv_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/shmcv")

install(FILES "${shmcv_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# The windows' plugin; the library looks for it beside itself, and does without where it is not.
install(FILES "${SHMCV_LIBRARY_DIR}/libopencv_highgui_gtk3.so" DESTINATION "${CMAKE_INSTALL_LIBDIR}" OPTIONAL)
install(FILES "${shmcv_root}/include/shmcv.h" "${shmcv_root}/include/shmcv.hpp"
        "${shmcv_root}/include/shmcv_constants.hpp"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${shmcv_root}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL)

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
