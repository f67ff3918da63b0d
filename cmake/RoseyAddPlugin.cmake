# rosey_add_plugin(name SOURCES file... [MIGRATIONS folder]): a library that the host can load, and
# unload for good.
#
#   -fno-gnu-unique, hidden inlines   a unique symbol would make dlclose a silent no-op
#   the version script                one exported symbol, so that plugins cannot collide
#   -z defs                           what is missing is found when linking, not when loading
#   no SONAME                         the loader must never take a new file for an old one
#
# MIGRATIONS is the folder of NNN_name.sql files; its own name is the plugin's id. They are copied to
# migrations/<id> beside the library, where the host looks for them.
#
# Sources in C alone get the C contract; one in C++ brings the SDK and what it needs.
set(ROSEY_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/plugin.map")
set(ROSEY_COROUTINE_CHECK "${CMAKE_CURRENT_LIST_DIR}/check_coroutines.awk")
find_program(ROSEY_AWK NAMES mawk gawk awk)
if(NOT ROSEY_AWK)
  message(STATUS "There is no awk: the coroutines of plugins are not checked")
endif()

function(rosey_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MIGRATIONS" "SOURCES")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "rosey_add_plugin(${name}): SOURCES is missing")
  endif()
  set(cpp_sources ${arg_SOURCES})
  list(FILTER cpp_sources EXCLUDE REGEX "\\.[ch]$")
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(cpp_sources AND NOT CXX IN_LIST languages)
    message(FATAL_ERROR "rosey_add_plugin(${name}): ${cpp_sources} needs C++, which this project has "
                        "not enabled; write project(... LANGUAGES CXX)")
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES
    PREFIX "lib"
    NO_SONAME ON
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${ROSEY_PLUGIN_MAP}")
  if(C IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  if(cpp_sources)
    target_compile_features(${name} PRIVATE cxx_std_20)
    target_link_libraries(${name} PRIVATE Rosey::plugin_api)
    rosey_check_coroutines(${name})
    # Clang never emits unique symbols.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
    endif()
  else()
    target_link_libraries(${name} PRIVATE Rosey::plugin_abi)
  endif()
  target_link_options(${name} PRIVATE "LINKER:--version-script=${ROSEY_PLUGIN_MAP}")
  # Clang leaves a sanitizer's symbols to the executable.
  if(NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize" AND NOT ROSEY_SANITIZE)
    target_link_options(${name} PRIVATE "LINKER:-z,defs")
  endif()
  if(arg_MIGRATIONS)
    _rosey_copy_migrations(${name} "${arg_MIGRATIONS}")
  endif()
endfunction()

# Before the library is made, since the host may load that at once.
function(_rosey_copy_migrations name folder)
  get_filename_component(from "${folder}" ABSOLUTE)
  get_filename_component(id "${from}" NAME)
  file(GLOB files CONFIGURE_DEPENDS "${from}/*.sql")
  if(NOT files)
    message(FATAL_ERROR "rosey_add_plugin(${name}): the folder ${folder} of MIGRATIONS holds no .sql file")
  endif()
  set(to "$<TARGET_FILE_DIR:${name}>/migrations/${id}")
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${name}_migrations.stamp")
  add_custom_command(OUTPUT "${stamp}"
    COMMAND ${CMAKE_COMMAND} -E rm -rf "${to}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${to}"
    COMMAND ${CMAKE_COMMAND} -E copy ${files} "${to}"
    COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
    DEPENDS ${files} VERBATIM)
  add_custom_target(${name}_migrations DEPENDS "${stamp}")
  add_dependencies(${name} ${name}_migrations)
endfunction()

# rosey_check_coroutines(target): the build fails where the target's sources, or headers beside them,
# use coroutines in a way that ends the bot. rosey_add_plugin does it for the plugin; call it for a
# library of yours that the plugin links. -DROSEY_CHECK_COROUTINES=OFF leaves it out.
function(rosey_check_coroutines target)
  if(NOT ROSEY_AWK OR (DEFINED ROSEY_CHECK_COROUTINES AND NOT ROSEY_CHECK_COROUTINES))
    return()
  endif()
  get_target_property(all_sources ${target} SOURCES)
  set(sources "")
  foreach(source IN LISTS all_sources)
    if(source MATCHES "\\.(cc|cpp|cxx|h|hh|hpp|hxx)$" AND NOT source MATCHES "^\\$<")
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
      list(APPEND sources "${source}")
    endif()
  endforeach()
  if(NOT sources)
    return()
  endif()
  set(gcc12 0)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    set(gcc12 1)
  endif()
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${target}.coroutines")
  add_custom_command(OUTPUT "${stamp}"
    COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C "${ROSEY_AWK}" -v gcc12=${gcc12}
            -v "dirs=${CMAKE_CURRENT_SOURCE_DIR}:${PROJECT_SOURCE_DIR}"
            -v "depfile=${stamp}.d" -v "target=${stamp}" -f "${ROSEY_COROUTINE_CHECK}" ${sources}
    COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
    DEPENDS "${ROSEY_COROUTINE_CHECK}" ${sources}
    DEPFILE "${stamp}.d"
    COMMENT "Checking the coroutines of ${target}"
    VERBATIM)
  add_custom_target(${target}_coroutines DEPENDS "${stamp}")
  add_dependencies(${target} ${target}_coroutines)
endfunction()
