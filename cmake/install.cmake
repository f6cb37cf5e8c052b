# What `cmake --install` lays out:
#   bin/mallocspy   lib/libmallocspy.so   lib/libmallocspy_*.so (the built-in spies that --spy can name)
#   include/mallocspy/spy/malloc_spy.h    include/mallocspy/com/*.h
#   include/mallocspy/allocator/heap_check.h, heap_dump.h, leak_check.h, reference_counts.h
#   lib/libmallocspy_gtest.a   lib/libmallocspy_gtest_main.a   include/mallocspy/googletest/*.h, where GoogleTest was found
#   lib/cmake/mallocspy/mallocspyConfig.cmake   lib/pkgconfig/mallocspy.pc
# Nothing in it names the prefix, so the tree can be moved.

include(CMakePackageConfigHelpers)

install(TARGETS mallocspy mallocspy_trace mallocspy_faults mallocspy_command
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES spy/malloc_spy.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mallocspy/spy)
install(FILES allocator/heap_check.h allocator/heap_dump.h allocator/leak_check.h allocator/reference_counts.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mallocspy/allocator)
install(DIRECTORY spy/com/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mallocspy/com FILES_MATCHING PATTERN "*.h")
if(TARGET mallocspy_gtest)
  install(TARGETS mallocspy_gtest mallocspy_gtest_main ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES googletest/failing_allocations.h googletest/leak_listener.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mallocspy/googletest)
endif()
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/ci.md docs/cost.md docs/known_leaks.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)

configure_package_config_file(cmake/mallocspyConfig.cmake.in ${CMAKE_BINARY_DIR}/package/mallocspyConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mallocspy
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/mallocspyConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_BINARY_DIR}/package/mallocspyConfig.cmake
  ${CMAKE_BINARY_DIR}/package/mallocspyConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mallocspy)

configure_file(cmake/mallocspy.pc.in ${CMAKE_BINARY_DIR}/package/mallocspy.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/mallocspy.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
