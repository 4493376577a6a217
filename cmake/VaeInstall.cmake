# cmake --install and find_package(vaekit): every folder library with its headers.
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY VAE_LIBRARIES)
install(TARGETS ${libraries} EXPORT vaekitTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(folder tensor kernels autograd nn models data)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vaekit
          FILES_MATCHING PATTERN "*.h")
endforeach()
install(EXPORT vaekitTargets NAMESPACE vae:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vaekit)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vaekitConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/vaekitConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vaekit)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vaekitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vaekitConfig.cmake ${PROJECT_BINARY_DIR}/vaekitConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vaekit)
