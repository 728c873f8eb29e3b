# The long runs. The rounds measure memory, and use the library as users have it. The threads use the same library, and
# also one with Go's race detector if that exists. The detector works only in programs at fixed addresses. A shared
# library does not have a fixed address, so the library with the detector is an archive.
set(SHMCV_RACE_ARCHIVE "" CACHE FILEPATH "libshmcv.a with Go's race detector; empty: none was built")
set(SHMCV_RACE_LINK_FLAGS "" CACHE STRING "The flags for linking a program with that archive")

add_executable(test_soak test_soak.c)
target_link_libraries(test_soak PRIVATE shmcv_test)

function(soak_test name)
  add_test(NAME soak.${name} COMMAND ${ARGN})
  limits(900 soak.${name})
  set_tests_properties(soak.${name} PROPERTIES RUN_SERIAL ON ENVIRONMENT "GORACE=halt_on_error=1 exitcode=66")
endfunction()

set(threads_test eight_threads_calling_everything_leave_nothing_behind)
soak_test(rounds test_soak rounds_of_create_load_clear_leave_nothing_behind)
soak_test(threads
          "${CMAKE_CURRENT_SOURCE_DIR}/with_display.sh" --or-without "$<TARGET_FILE:test_soak>" ${threads_test} 15)

if(SHMCV_RACE_ARCHIVE)
  add_executable(test_soak_race test_soak.c test.c test_linux.c)
  separate_arguments(race_link_flags UNIX_COMMAND "${SHMCV_RACE_LINK_FLAGS}")
  target_compile_definitions(test_soak_race PRIVATE SHMCV_TESTDATA="${testdata}" SHMCV_RACE)
  target_compile_options(test_soak_race PRIVATE ${warnings} -fno-pie)
  target_include_directories(test_soak_race PRIVATE "${shmcv_root}/include")
  # The whole archive, because only OpenCV calls some parts of it, and OpenCV comes after it on the command line.
  target_link_libraries(test_soak_race PRIVATE
    -no-pie -Wl,--whole-archive "${SHMCV_RACE_ARCHIVE}" -Wl,--no-whole-archive ${race_link_flags} stdc++ m Threads::Threads)
  soak_test(threads_under_the_race_detector test_soak_race ${threads_test} 60)
endif()
