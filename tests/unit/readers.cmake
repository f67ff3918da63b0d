# Readers of what comes from outside, under the rules that the fuzzers check.
rosey_add_test(readers_test
  SOURCES readers/readers_test.cpp
          ../fuzz/file_readers.cpp
          ../fuzz/mutator.cpp
          ../fuzz/wire_reader.cpp
          ../fuzz/wire_seeds.cpp
  LIBRARIES rosey_host
  LABELS unit)
target_compile_definitions(readers_test PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
