rosey_add_test(host_test
  SOURCES host/address_test.cpp host/config_test.cpp host/lanes_test.cpp host/ownership_test.cpp host/plugin_files_test.cpp
          host/subscription_rules_test.cpp host/text_file_test.cpp
  LIBRARIES rosey_host
  LABELS unit)
target_compile_definitions(host_test PRIVATE LIBRARY_FILE="$<TARGET_FILE:hello>")
add_dependencies(host_test hello)
rosey_add_test(sdk_test
  SOURCES sdk/coroutine_check_test.cpp sdk/logger_test.cpp sdk/open_requests_test.cpp sdk/printable_test.cpp
          sdk/task_scope_test.cpp sdk/text_test.cpp sdk/verbs_test.cpp sdk/wire_test.cpp
  LIBRARIES Rosey::plugin_api
  LABELS unit)
target_compile_definitions(sdk_test PRIVATE
  SDK_TESTS="${CMAKE_CURRENT_SOURCE_DIR}/sdk"
  COROUTINE_AWK="${ROSEY_AWK}"
  COROUTINE_CHECK="${ROSEY_COROUTINE_CHECK}")
