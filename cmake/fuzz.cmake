# Every fuzz/<name>.cc, linked with the rooms that its line "// Rooms: data, formats" names, is two programs:
# - with ONWARD_FUZZ the fuzzer build/fuzz/fuzz_<name>
#   cmake --preset fuzz && ninja -C build/fuzz fuzz_read_csv && build/fuzz/fuzz_read_csv -max_total_time=600 -rss_limit_mb=2048
# - otherwise, where fuzz/regressions/<name> keeps inputs that once broke it, a test that replays them.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*.cc)
foreach(source ${fuzz_sources})
  get_filename_component(name ${source} NAME_WE)
  set(regressions ${CMAKE_SOURCE_DIR}/fuzz/regressions/${name})
  file(STRINGS ${source} rooms REGEX "^// Rooms: ")
  string(REGEX REPLACE "^// Rooms: " "" rooms "${rooms}")
  string(REGEX MATCHALL "[a-z]+" rooms "${rooms}")
  list(TRANSFORM rooms PREPEND onward_)
  if(ONWARD_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE ${rooms} -fsanitize=fuzzer)
  elseif(ONWARD_TESTS AND EXISTS ${regressions})
    add_executable(fuzz_${name} ${source} ${CMAKE_SOURCE_DIR}/fuzz/replay/replay.cc)
    target_link_libraries(fuzz_${name} PRIVATE ${rooms})
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${regressions})
  endif()
endforeach()
