rosey_add_test(host_test
  SOURCES host/config_test.cpp
  LIBRARIES rosey_host
  LABELS unit)
rosey_add_test(sdk_test
  SOURCES sdk/task_scope_test.cpp sdk/wire_test.cpp
  LIBRARIES Rosey::plugin_api
  LABELS unit)
