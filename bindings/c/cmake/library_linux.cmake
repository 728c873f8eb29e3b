get_filename_component(shmcv_library "${SHMCV_LIBRARY_DIR}/libshmcv.so" ABSOLUTE)

install(FILES "${shmcv_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# The library looks for the plugin that draws windows beside itself. A library that was built without GTK has none.
install(FILES "${SHMCV_LIBRARY_DIR}/libopencv_highgui_gtk3.so" DESTINATION "${CMAKE_INSTALL_LIBDIR}" OPTIONAL)

# In shmcvConfig.cmake.
set(shmcv_properties [[
    IMPORTED_LOCATION "${shmcv_libraries}/libshmcv.so"
    IMPORTED_SONAME "libshmcv.so"]])
