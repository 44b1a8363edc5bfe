# What is delivered: the program, the C library, the Python package.
include(GNUInstallDirs)
if(EXISTS ${CMAKE_SOURCE_DIR}/src/onward/cli/main.cc)
  add_executable(onward ${CMAKE_SOURCE_DIR}/src/onward/cli/main.cc)
  target_link_libraries(onward PRIVATE onward_cli)
  set_target_properties(onward PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  install(TARGETS onward RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

target_include_directories(onward_api PUBLIC ${CMAKE_SOURCE_DIR}/include)
include(library)
