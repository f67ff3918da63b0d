# Settings that every target of this project shares: rosey_settings(target [COVERED]).
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

if(ROSEY_SANITIZE)
  add_compile_options(-fsanitize=${ROSEY_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ROSEY_SANITIZE})
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
  if(arg_COVERED AND ROSEY_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()
