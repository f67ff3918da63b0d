# The storage service on real SQLite files, its messages, its client, and migrations.
rosey_add_test(storage_test
  SOURCES
    storage/batch_test.cpp
    storage/change_test.cpp
    storage/client_test.cpp
    storage/kv_test.cpp
    storage/migrator_test.cpp
    storage/names_test.cpp
    storage/playlist_schema_test.cpp
    storage/select_test.cpp
    storage/service_test.cpp
    storage/timestamp_test.cpp
    storage/values_test.cpp
    storage/wire_test.cpp
  LIBRARIES rosey_storage SQLiteCpp PkgConfig::sqlite3
  LABELS unit)
target_compile_definitions(storage_test PRIVATE ROSEY_MIGRATIONS="${PROJECT_SOURCE_DIR}/migrations")
