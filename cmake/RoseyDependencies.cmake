# Finds what Debian 12 ships; nothing is downloaded. scripts/install-packages names the packages.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
# Debian's cnats-config.cmake names a static library that the package does not hold.
pkg_check_modules(nats REQUIRED IMPORTED_TARGET libnats)

find_program(ROSEY_CCACHE ccache)
if(ROSEY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # One clone may use what another has compiled.
  set(launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_CURRENT_SOURCE_DIR}"
               CCACHE_NOHASHDIR=true "${ROSEY_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${launcher}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}")
endif()
