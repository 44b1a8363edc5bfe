# What is delivered: the program.
if(EXISTS ${CMAKE_SOURCE_DIR}/src/onward/cli/main.cc)
  add_executable(onward ${CMAKE_SOURCE_DIR}/src/onward/cli/main.cc)
  target_link_libraries(onward PRIVATE onward_cli)
  set_target_properties(onward PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endif()
