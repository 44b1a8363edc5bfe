# One program for each fuzz/<name>.cc: build/fuzz/fuzz_<name>, linked with the rooms that its line "// Rooms: data, formats" names.
#   cmake --preset fuzz && ninja -C build/fuzz fuzz_read_csv && build/fuzz/fuzz_read_csv -max_total_time=600 -rss_limit_mb=2048
if(ONWARD_FUZZ)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*.cc)
  foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    file(STRINGS ${source} rooms REGEX "^// Rooms: ")
    string(REGEX REPLACE "^// Rooms: " "" rooms "${rooms}")
    string(REGEX MATCHALL "[a-z]+" rooms "${rooms}")
    list(TRANSFORM rooms PREPEND onward_)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE ${rooms} -fsanitize=fuzzer)
  endforeach()
endif()
