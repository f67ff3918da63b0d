# Settings that every target of this project shares:
#   rosey_settings(target [COVERED])
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# -O3 makes the build slower and the bot no faster.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

if(ROSEY_SANITIZE)
  add_compile_options(-fsanitize=${ROSEY_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ROSEY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # What clang 14 writes before a function for this check does not assemble for coroutines.
    add_compile_options(-fno-sanitize=function)
  endif()
  if(ROSEY_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns that it does not model fences; Asio uses them beside its own locks.
    add_compile_options(-Wno-tsan)
  endif()
endif()

# Unique symbols would make dlclose a silent no-op. Clang never emits them.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
endif()

function(rosey_settings target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "COVERED" "" "")
  target_compile_features(${target} PRIVATE cxx_std_20 c_std_11)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF C_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
  if(ROSEY_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 sees overlaps in std::string's operator+ (its bug 105651) and uninitialised strings in
    # std::variant and std::optional that are not there, and takes Asio's coroutine frames for
    # plain memory, once it optimises. In a unity build it takes every source for a header, where an
    # anonymous namespace would be a mistake.
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete;-Wno-subobject-linkage>)
  endif()
  if(arg_COVERED AND ROSEY_COVERAGE)
    # Atomic: threads share the counters.
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()
