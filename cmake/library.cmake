# libonward.so: the C interface over everything. Only onward_* is visible, and the C++ runtime is inside, so that nothing of ours meets
# the symbols of a process that loads us. Consumers: find_package(onward CONFIG) and onward::onward, or pkg-config onward.
include(CMakePackageConfigHelpers)
set(exports ${CMAKE_SOURCE_DIR}/cmake/onward.map)
add_library(onward_library SHARED $<TARGET_OBJECTS:onward_api>)
target_link_libraries(onward_library PRIVATE onward_api)
target_include_directories(onward_library INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(onward_library PROPERTIES OUTPUT_NAME onward EXPORT_NAME onward VERSION ${ONWARD_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} LINK_DEPENDS ${exports})
target_link_options(onward_library PRIVATE -Wl,--version-script,${exports} -Wl,--exclude-libs,ALL -Wl,--no-undefined -Wl,--gc-sections)
if(CMAKE_BUILD_TYPE STREQUAL Release)
  target_link_options(onward_library PRIVATE -static-libstdc++ -static-libgcc -s)
endif()
add_library(onward::onward ALIAS onward_library)

install(TARGETS onward_library EXPORT onward LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/onward DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT onward FILE onward-targets.cmake NAMESPACE onward:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/onward)
file(WRITE ${CMAKE_BINARY_DIR}/onward-config.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/onward-targets.cmake)\n")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/onward-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/onward-config.cmake ${CMAKE_BINARY_DIR}/onward-config-version.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/onward)
file(RELATIVE_PATH ONWARD_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/onward.pc.in ${CMAKE_BINARY_DIR}/onward.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/onward.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
