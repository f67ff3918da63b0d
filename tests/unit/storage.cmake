# What the storage service does on SQLite only, its messages, its client, and migrations.
rosey_add_test(storage_test
  SOURCES
    storage/bounded_queue_test.cpp
    storage/client_test.cpp
    storage/fault_log_test.cpp
    storage/histogram_test.cpp
    storage/migrator_test.cpp
    storage/plan_test.cpp
    storage/playlist_schema_test.cpp
    storage/service_test.cpp
    storage/sqlite_file_test.cpp
    storage/sqlite_session_test.cpp
    storage/timestamp_test.cpp
    storage/wire_test.cpp
  LIBRARIES storage_support SQLiteCpp PkgConfig::sqlite3
  LABELS unit)
target_compile_definitions(storage_test PRIVATE ROSEY_MIGRATIONS="${PROJECT_SOURCE_DIR}/migrations")
