# cmake --install and find_package(vaekit): the tools, every folder library with its headers, and vaekit::vaekit for all of them
# that a program of one's own needs. Installed headers are included as <vaekit/...> throughout, so that a user's
# "data/dataset.h" is his own.
include(CMakePackageConfigHelpers)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include/vaekit SYMBOLIC)  # the same spelling in the build
add_library(vae_vaekit INTERFACE)
add_library(vaekit::vaekit ALIAS vae_vaekit)
set_target_properties(vae_vaekit PROPERTIES EXPORT_NAME vaekit)
target_link_libraries(vae_vaekit INTERFACE vae::fit)
target_include_directories(vae_vaekit INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)

get_property(tools GLOBAL PROPERTY VAE_TOOLS)
if(tools)
  install(TARGETS ${tools} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

get_property(libraries GLOBAL PROPERTY VAE_LIBRARIES)
install(TARGETS ${libraries} vae_vaekit EXPORT vaekitTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(CODE "set(source ${PROJECT_SOURCE_DIR})
set(staged ${PROJECT_BINARY_DIR}/installed-headers)
set(includes ${CMAKE_INSTALL_INCLUDEDIR})")
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/InstallHeaders.cmake)
install(EXPORT vaekitTargets NAMESPACE vae:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vaekit)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vaekitConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/vaekitConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vaekit)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vaekitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vaekitConfig.cmake ${PROJECT_BINARY_DIR}/vaekitConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vaekit)
