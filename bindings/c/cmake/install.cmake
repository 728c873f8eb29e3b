# The files that ./build.sh install puts under a prefix. None of them names the prefix, so the folder may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(shmcv_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/shmcv")

# The library's own files, and how a program's CMake finds them, differ from system to system.
include(cmake/library_${shmcv_system}.cmake)
if(NOT EXISTS "${shmcv_library}")
  message(FATAL_ERROR "There is no ${shmcv_library}: run ./build.sh build first")
endif()
install(FILES "${shmcv_root}/include/shmcv.h" "${shmcv_root}/include/shmcv.hpp"
        "${shmcv_root}/include/shmcv_constants.hpp"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${shmcv_root}/LICENSE" "${SHMCV_LIBRARY_DIR}/THIRD_PARTY_NOTICES" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

file(RELATIVE_PATH shmcv_prefix_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/shmcv.pc.in shmcv.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/shmcv.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

configure_package_config_file(cmake/shmcvConfig.cmake.in shmcvConfig.cmake
                              INSTALL_DESTINATION "${shmcv_cmake_dir}"
                              PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/shmcvConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/shmcvConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/shmcvConfigVersion.cmake"
        DESTINATION "${shmcv_cmake_dir}")
