# What is proven of plugin_api's headers by compiling them: each stands alone and gives no warning,
# and no released struct has changed.
set(include_folder "${PROJECT_SOURCE_DIR}/plugin_api/include")
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${include_folder}" "${include_folder}/*.h"
     "${include_folder}/*.hpp")

# A source that holds one line: the header.
function(rosey_lone_header header extension sources)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/lone_headers/${header}.${extension}")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n")
  set(${sources} ${${sources}} "${source}" PARENT_SCOPE)
endfunction()

# What a plugin's author may have switched on. Optimised, which is when GCC sees most; but not under
# a sanitizer, where it sees what is not there.
set(strict -Wconversion -Wsign-conversion -Wshadow)
if(NOT ROSEY_SANITIZE)
  list(APPEND strict -O2)
endif()

set(c_sources abi/layout_test.c)
set(cpp_sources abi/layout_test.cpp)
foreach(header IN LISTS headers)
  rosey_lone_header("${header}" cpp cpp_sources)
  if(header MATCHES "\\.h$")
    rosey_lone_header("${header}" c c_sources)
  endif()
endforeach()

foreach(language c cpp)
  set(target plugin_api_headers_${language})
  add_library(${target} OBJECT ${${language}_sources})
  rosey_settings(${target})
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  target_compile_options(${target} PRIVATE -Werror -g0 ${strict})
endforeach()
# The templates are looked at when a plugin uses them; nothing is switched off for these.
file(GLOB examples CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/plugin_api/examples/*/*.c*")
add_library(plugin_api_examples_strict OBJECT ${examples})
set_target_properties(plugin_api_examples_strict PROPERTIES UNITY_BUILD OFF C_STANDARD 11)
target_compile_options(plugin_api_examples_strict PRIVATE
  -Wall -Wextra -Wpedantic -Werror -g0 ${strict})
target_link_libraries(plugin_api_examples_strict PRIVATE Rosey::plugin_api)

# The C contract needs nothing but a C compiler: no other folder is searched.
target_include_directories(plugin_api_headers_c PRIVATE "${include_folder}")
target_link_libraries(plugin_api_headers_cpp PRIVATE Rosey::plugin_api)

# A coroutine that has been made already: what it was made from may be gone when it begins.
add_test(NAME PluginApi.SpawnTakesNoCoroutineThatHasBeenMade
  COMMAND "${CMAKE_CXX_COMPILER}" -std=c++20 -fsyntax-only "-I${include_folder}"
          "${CMAKE_CURRENT_SOURCE_DIR}/sdk/coroutines/spawned_too_early.cpp")
set_tests_properties(PluginApi.SpawnTakesNoCoroutineThatHasBeenMade PROPERTIES
  LABELS unit PASS_REGULAR_EXPRESSION "give spawn the function that makes the coroutine")

# The contract under the compiler that this build does not use, if it is there.
foreach(compiler gcc clang)
  string(TOUPPER "ROSEY_${compiler}" program)
  find_program(${program} ${compiler})
  if(NOT ${program})
    continue()
  endif()
  foreach(standard c11 c++20)
    string(REGEX MATCH "^c[+]*" language ${standard})
    add_test(NAME PluginApi.ContractIsAcceptedBy_${compiler}_as_${standard}
      COMMAND "${${program}}" -x ${language} -std=${standard} -fsyntax-only -Wall -Wextra -Wpedantic
              -Wconversion -Wsign-conversion -Wshadow -O2 -Werror "-I${include_folder}" "${CMAKE_CURRENT_SOURCE_DIR}/abi/layout_test.c")
    set_tests_properties(PluginApi.ContractIsAcceptedBy_${compiler}_as_${standard}
      PROPERTIES LABELS unit)
  endforeach()
endforeach()
