# The long runs. The rounds, which measure memory, run in the library as users have it; the threads in one with Go's race
# detector too, where that was built. The detector works only in programs that lie at fixed addresses, which a shared
# library does not: that one is an archive.
set(SHMCV_RACE_ARCHIVE "" CACHE FILEPATH "libshmcv.a with Go's race detector; empty: none was built")
set(SHMCV_RACE_LINK_FLAGS "" CACHE STRING "What a program that is linked with that archive is linked with besides")

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
  add_executable(test_soak_race test_soak.c test.c)
  separate_arguments(race_link_flags UNIX_COMMAND "${SHMCV_RACE_LINK_FLAGS}")
  target_compile_definitions(test_soak_race PRIVATE SHMCV_TESTDATA="${testdata}" SHMCV_RACE)
  target_compile_options(test_soak_race PRIVATE ${warnings} -fno-pie)
  target_include_directories(test_soak_race PRIVATE "${shmcv_root}/include")
  # All of the archive: parts of it are called by OpenCV alone, which comes behind it.
  target_link_libraries(test_soak_race PRIVATE
    -no-pie -Wl,--whole-archive "${SHMCV_RACE_ARCHIVE}" -Wl,--no-whole-archive ${race_link_flags} stdc++ m Threads::Threads)
  soak_test(threads_under_the_race_detector test_soak_race ${threads_test} 60)
endif()
