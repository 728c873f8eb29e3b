get_filename_component(shmcv_library "${SHMCV_LIBRARY_DIR}/libshmcv.dll" ABSOLUTE)

install(FILES "${shmcv_library}" DESTINATION "${CMAKE_INSTALL_BINDIR}")
# The import libraries: the first one is mingw-w64's, the second one Microsoft's.
install(FILES "${SHMCV_LIBRARY_DIR}/libshmcv.dll.a" "${SHMCV_LIBRARY_DIR}/shmcv.lib" DESTINATION "${CMAKE_INSTALL_LIBDIR}")

# In shmcvConfig.cmake. To CMake, clang-cl is MSVC too.
set(shmcv_choice [[
  set(shmcv_import "${shmcv_libraries}/libshmcv.dll.a")
  if(MSVC)
    set(shmcv_import "${shmcv_libraries}/shmcv.lib")
  endif()
]])
set(shmcv_properties [[
    IMPORTED_LOCATION "${shmcv_programs}/libshmcv.dll"
    IMPORTED_IMPLIB "${shmcv_import}"]])
