# What `cmake --install` puts where. Components: `plugin_api` (headers and packages, needs no build),
# `bot` (the executable, its plugins, their migrations), `doc`.
include(CMakePackageConfigHelpers)

# Headers alone, so the packages belong to no architecture.
set(ROSEY_PACKAGE_DIR "${CMAKE_INSTALL_DATADIR}/cmake/RoseyPluginApi")
set(made "${PROJECT_BINARY_DIR}/package")
set(from "${PROJECT_SOURCE_DIR}/plugin_api/package")

install(DIRECTORY plugin_api/include/rosey
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT plugin_api
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
set_target_properties(rosey_plugin_abi PROPERTIES EXPORT_NAME plugin_abi)
set_target_properties(rosey_plugin_api PROPERTIES EXPORT_NAME plugin_api)
install(TARGETS rosey_plugin_abi rosey_plugin_api EXPORT RoseyPluginApi COMPONENT plugin_api)
install(EXPORT RoseyPluginApi FILE RoseyPluginApiTargets.cmake NAMESPACE Rosey::
        DESTINATION "${ROSEY_PACKAGE_DIR}" COMPONENT plugin_api)

configure_package_config_file("${from}/RoseyPluginApiConfig.cmake.in"
  "${made}/RoseyPluginApiConfig.cmake" INSTALL_DESTINATION "${ROSEY_PACKAGE_DIR}")
write_basic_package_version_file("${made}/RoseyPluginApiConfigVersion.cmake"
  VERSION "${ROSEY_ABI_VERSION}" COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES "${made}/RoseyPluginApiConfig.cmake" "${made}/RoseyPluginApiConfigVersion.cmake"
              cmake/RoseyAddPlugin.cmake cmake/check_coroutines.awk cmake/plugin.map
        DESTINATION "${ROSEY_PACKAGE_DIR}" COMPONENT plugin_api)

# Relative, so that the installed tree can be moved.
file(RELATIVE_PATH ROSEY_PC_TO_PREFIX
     "${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" ROSEY_PC_TO_PREFIX "${ROSEY_PC_TO_PREFIX}")
foreach(package rosey-plugin-api rosey-plugin-sdk)
  configure_file("${from}/${package}.pc.in" "${made}/${package}.pc" @ONLY)
  install(FILES "${made}/${package}.pc"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig" COMPONENT plugin_api)
endforeach()

install(TARGETS rosey RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT bot)
install(TARGETS playlist LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/rosey/plugins" COMPONENT bot)
install(DIRECTORY migrations DESTINATION "${CMAKE_INSTALL_DATADIR}/rosey" COMPONENT bot)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT doc)
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT doc)
install(DIRECTORY plugin_api/examples DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT doc
        REGEX "examples/CMakeLists\\.txt$" EXCLUDE)
