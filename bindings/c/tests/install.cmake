# The tests that do what a user does: install the product, link with it, follow the README.
function(script_test name script)
  add_test(NAME product.${name} COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/${script}" ${ARGN})
  limits(1200 product.${name})
  set_tests_properties(product.${name} PROPERTIES
    ENVIRONMENT_MODIFICATION "DISPLAY=unset:;WAYLAND_DISPLAY=unset:"
    ENVIRONMENT "CC=${CMAKE_C_COMPILER};CXX=${CMAKE_CXX_COMPILER}")
endfunction()

script_test(installs_and_links install_test.sh "${CMAKE_COMMAND}" "${CMAKE_BINARY_DIR}" "${testdata}")
script_test(readme_examples_run readme_test.sh "${shmcv_root}")
script_test(sample_runs sample_test.sh "${shmcv_root}")
if("$ENV{SHMCV_OPENCV}" STREQUAL "system")
  message(STATUS "libshmcv.so is linked with the system's OpenCV: no test checks which libraries it needs")
else()
  script_test(needs_libc_alone libraries_test.sh "${shmcv_library}")
endif()
