# What is delivered: the program, the C library, the Python package.
include(GNUInstallDirs)

# What is delivered runs on machines that have none of our build's libraries: archives instead of shared objects, where there are any.
# Debian does not make some of them for shared objects; of those libonward.so needs the libraries (which the wheel brings along).
set(archives ${CMAKE_BINARY_DIR}/archives)
file(REMOVE_RECURSE ${archives})  # what an earlier configuration chose
foreach(name utf8proc lz4 lzma z jpeg png webp openjp2 re2 bz2)
  find_library(ONWARD_ARCHIVE_${name} lib${name}.a)
  set(folder ${archives}/any)
  if(name MATCHES "^(re2|bz2|jpeg|png|webp|openjp2)$")
    set(folder ${archives}/program)
  endif()
  file(MAKE_DIRECTORY ${folder})
  if(ONWARD_ARCHIVE_${name})
    file(CREATE_LINK ${ONWARD_ARCHIVE_${name}} ${folder}/lib${name}.a SYMBOLIC)
  endif()
endforeach()

if(EXISTS ${CMAKE_SOURCE_DIR}/src/onward/cli/main.cc)
  add_executable(onward ${CMAKE_SOURCE_DIR}/src/onward/cli/main.cc)
  target_link_libraries(onward PRIVATE onward_cli)
  set_target_properties(onward PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  if(CMAKE_BUILD_TYPE STREQUAL Release)
    target_link_directories(onward BEFORE PRIVATE ${archives}/program ${archives}/any)
    target_link_options(onward PRIVATE -static-libstdc++ -static-libgcc)
  endif()
  install(TARGETS onward RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

target_include_directories(onward_api PUBLIC ${CMAKE_SOURCE_DIR}/include)
include(library)
include(python)
