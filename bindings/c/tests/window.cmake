# Real windows, on an X server of the tests' own. The X11 headers come with the GTK headers, which the window plugin
# needs.
find_package(X11)
if(X11_FOUND)
  add_executable(close_window close_window.c)
  target_link_libraries(close_window PRIVATE X11::X11)
  target_compile_options(close_window PRIVATE ${warnings})
  test_program(window test_window.c WITH_DISPLAY screenshot_ key_ delay_ window_ display_)
  add_dependencies(test_window close_window)
  target_compile_definitions(test_window PRIVATE SHMCV_CLOSE_WINDOW="$<TARGET_FILE:close_window>")
else()
  add_test(NAME window.all COMMAND sh -c "echo 'THE WINDOW TESTS ARE NOT BUILT: NO X11 HEADERS HERE (libx11-dev)'; exit 77")
  limits(10 window.all)
endif()
