# How each package is found. README.md beside this file says at which version and who may use it.
#
# Config packages keep the target names they export. Those found by pkg-config or by hand get names of the same form:
#   libunwind::libunwind  libdw::libdw  libelf::libelf  libedit::libedit  ncursesw::ncursesw  libiberty::libiberty
#   libunwind::libunwind  libdw::libdw  libelf::libelf  libiberty::libiberty  zlib::zlib
#   libunwind::libunwind  libdw::libdw  libelf::libelf  libiberty::libiberty  httplib::httplib

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# Ends the configuration with what to do about it.
function(mallocspy_missing name debian_package)
  message(FATAL_ERROR "${name} was not found: run 'tools/dev setup', or install Debian's ${debian_package} (or your system's package of it)")
endfunction()

# A package known to pkg-config, as one imported target.
function(mallocspy_pkg_config target module minimum debian_package)
  string(MAKE_C_IDENTIFIER "mallocspy_${module}" prefix)
  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET "${module}>=${minimum}")
  if(NOT ${prefix}_FOUND)
    mallocspy_missing("${module} ${minimum}" ${debian_package})
  endif()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(${target} INTERFACE PkgConfig::${prefix})
  set_target_properties(PkgConfig::${prefix} PROPERTIES IMPORTED_GLOBAL TRUE)
endfunction()

mallocspy_pkg_config(libunwind::libunwind libunwind 1.6 libunwind-dev)
mallocspy_pkg_config(libdw::libdw libdw 0.187 libdw-dev)
mallocspy_pkg_config(libelf::libelf libelf 0.187 libelf-dev)
mallocspy_pkg_config(ncursesw::ncursesw ncursesw 6.2 libncurses-dev)
mallocspy_pkg_config(libedit::libedit libedit 3.1 libedit-dev)
mallocspy_pkg_config(zlib::zlib zlib 1.2 zlib1g-dev)

mallocspy_pkg_config(httplib::httplib cpp-httplib 0.11 libcpp-httplib-dev)

find_path(LIBIBERTY_INCLUDE_DIR libiberty/demangle.h)
find_library(LIBIBERTY_LIBRARY iberty)
mark_as_advanced(LIBIBERTY_INCLUDE_DIR LIBIBERTY_LIBRARY)
if(NOT LIBIBERTY_INCLUDE_DIR OR NOT LIBIBERTY_LIBRARY)
  mallocspy_missing(libiberty libiberty-dev)
endif()
add_library(libiberty::libiberty STATIC IMPORTED GLOBAL)
set_target_properties(libiberty::libiberty PROPERTIES
  IMPORTED_LOCATION ${LIBIBERTY_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${LIBIBERTY_INCLUDE_DIR}
  # Else its header declares a basename that contradicts <cstring>'s.
  INTERFACE_COMPILE_DEFINITIONS HAVE_DECL_BASENAME=1)

# The names of a CMake package, its minimum and Debian's package of it.
macro(mallocspy_config_package name minimum debian_package)
  find_package(${name} ${minimum} QUIET CONFIG)
  if(NOT ${name}_FOUND)
    mallocspy_missing("${name} ${minimum}" ${debian_package})
  endif()
endmacro()

find_package(Protobuf 3.21 QUIET)
if(NOT Protobuf_FOUND OR NOT TARGET protobuf::protoc)
  mallocspy_missing("protobuf 3.21" "libprotobuf-dev protobuf-compiler")
endif()
mallocspy_config_package(absl 20220623 libabsl-dev)
mallocspy_config_package(nlohmann_json 3.11 nlohmann-json3-dev)
if(BUILD_TESTING)
  mallocspy_config_package(GTest 1.12 "libgtest-dev libgmock-dev")
  mallocspy_config_package(benchmark 1.7 libbenchmark-dev)
endif()
