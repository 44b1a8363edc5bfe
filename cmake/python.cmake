# The Python extension over libonward.so, for the interpreter of build/venv (tools/setup.sh makes it). Without that environment, or
# without nanobind in it, it is left out. tools/build_wheel.sh packs what is built here.
set(ONWARD_PYTHON ${CMAKE_SOURCE_DIR}/build/venv/bin/python CACHE FILEPATH "The interpreter that the Python package is built for")
set(facts "")
if(EXISTS ${ONWARD_PYTHON} AND CMAKE_BUILD_TYPE STREQUAL Release)
  execute_process(COMMAND ${ONWARD_PYTHON} -c "import nanobind, numpy; print(nanobind.cmake_dir(), numpy.get_include(), sep=';')"
                  OUTPUT_VARIABLE facts OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(facts)
  list(GET facts 0 nanobind_ROOT)
  list(GET facts 1 numpy_include)
  set(Python_EXECUTABLE ${ONWARD_PYTHON})
  find_package(Python 3.9 COMPONENTS Interpreter Development.Module REQUIRED)
  find_package(nanobind CONFIG REQUIRED)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/python/extension/*.cc)
  nanobind_add_module(onward_python NB_STATIC NOMINSIZE ${sources})
  target_include_directories(onward_python SYSTEM PRIVATE ${numpy_include})
  target_link_libraries(onward_python PRIVATE onward_library)
  set_target_properties(onward_python PROPERTIES OUTPUT_NAME _core LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/extension
                        BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN")
elseif(CMAKE_BUILD_TYPE STREQUAL Release)
  message(STATUS "The Python package is left out: ${ONWARD_PYTHON} has no nanobind and numpy (tools/setup.sh quickstart)")
endif()
