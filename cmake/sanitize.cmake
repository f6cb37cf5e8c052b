# MALLOCSPY_SANITIZE: which parts of the tree a sanitizer covers.
#
# AddressSanitizer and ThreadSanitizer bring their own malloc, so a libmallocspy.so built with them cannot be preloaded
# into anything: their builds run the unit tests (spy/, allocator/ without its doors, tools/) and leave out every test
# that preloads or links the library. UndefinedBehaviorSanitizer needs no runtime when it traps, so with it the
# library works, and the whole test suite runs.
#
# Sets MALLOCSPY_INTERPOSES: whether the library of this build may be put into a process.

set(MALLOCSPY_INTERPOSES ON)

# For a shared object that goes into the target process: with `undefined`, its checks trap and it links no runtime.
function(mallocspy_trap_in target)
  if(MALLOCSPY_SANITIZE STREQUAL "undefined")
    target_compile_options(${target} PRIVATE -fno-sanitize=vptr -fsanitize-undefined-trap-on-error)
    target_link_options(${target} PRIVATE -fno-sanitize=undefined)
  endif()
endfunction()

if(MALLOCSPY_SANITIZE STREQUAL "")
  return()
endif()

if(MALLOCSPY_SANITIZE STREQUAL "address")
  set(MALLOCSPY_INTERPOSES OFF)
  add_compile_options(-fsanitize=address -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address)
elseif(MALLOCSPY_SANITIZE STREQUAL "thread")
  set(MALLOCSPY_INTERPOSES OFF)
  # GCC warns that fences are not modelled; the tests that rely on one say so themselves.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  add_link_options(-fsanitize=thread)
elseif(MALLOCSPY_SANITIZE STREQUAL "undefined")
  # GCC's -Wmaybe-uninitialized sees paths that only the checks themselves add.
  add_compile_options(-fsanitize=undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=undefined)
  # Inside the target process there is no runtime to print from: a violation is SIGILL. The vptr check needs RTTI.
  target_compile_options(mallocspy_inside INTERFACE -fno-sanitize=vptr
                         -fsanitize-undefined-trap-on-error)
else()
  message(FATAL_ERROR "MALLOCSPY_SANITIZE is '${MALLOCSPY_SANITIZE}'; it can be address, undefined, thread or empty")
endif()
