# Copies the headers of `source` to `staged` with their includes spelt <vaekit/...>, and installs them in `includes`.
set(folders tensor kernels autograd nn models data)
list(TRANSFORM folders REPLACE "(.+)" "${source}/\\1/*.h" OUTPUT_VARIABLE patterns)
list(JOIN folders "|" folder)
file(GLOB_RECURSE headers RELATIVE ${source} ${patterns})
file(LOCK ${staged}.lock GUARD PROCESS)  # installations side by side take turns
file(REMOVE_RECURSE ${staged})
foreach(header vaekit.h ${headers})
  file(READ ${source}/${header} text)
  string(REGEX REPLACE "#include \"((${folder})/[^\"]+)\"" "#include <vaekit/\\1>" text "${text}")
  file(WRITE ${staged}/vaekit/${header} "${text}")
endforeach()
file(INSTALL ${staged}/vaekit DESTINATION ${CMAKE_INSTALL_PREFIX}/${includes})
