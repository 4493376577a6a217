# vae_find_cuda_libraries(): the libraries beside the CUDA toolkit that CUDAToolkit_LIBRARY_DIR and _INCLUDE_DIRS name. Sets
#   VAE_CUBLAS_LIBRARIES, VAE_CUBLAS_INCLUDE_DIR   cuBLAS and cuBLASLt; an error without them
#   VAE_HAS_CUDNN, VAE_CUDNN_LIBRARY, VAE_CUDNN_INCLUDE_DIR   cuDNN 9 or later, as VAE_CUDNN asks for it
# and says in one line what was found. Beside the toolkit and the system's folders it looks at what pip installs for python3:
# nvidia/*/{include,lib} in a folder of Python's path, where a library has its versioned name alone (libcudnn.so.9).
set(VAE_CUDNN AUTO CACHE STRING "Convolutions of CUDA devices through cuDNN: AUTO (if it is found), ON, OFF")
set_property(CACHE VAE_CUDNN PROPERTY STRINGS AUTO ON OFF)

# Folders nvidia/* of Python's path that hold libraries.
function(vae_pip_folders result)
  find_package(Python3 QUIET COMPONENTS Interpreter)
  set(found)
  if(Python3_Interpreter_FOUND)
    execute_process(COMMAND ${Python3_EXECUTABLE} -c "import sys; print(';'.join(p for p in sys.path if p))"
                    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    foreach(folder ${path})
      file(GLOB packages LIST_DIRECTORIES true ${folder}/nvidia/*/lib)
      list(APPEND found ${packages})
    endforeach()
  endif()
  list(TRANSFORM found REPLACE "/lib$" "")
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# The version that a cudnn_version.h states.
function(vae_cudnn_version folder result)
  set(version)
  if(EXISTS ${folder}/cudnn_version.h)
    file(READ ${folder}/cudnn_version.h text)
    foreach(part MAJOR MINOR PATCHLEVEL)
      if(text MATCHES "#define CUDNN_${part} ([0-9]+)")
        list(APPEND version ${CMAKE_MATCH_1})
      endif()
    endforeach()
    list(JOIN version . version)
  endif()
  set(${result} ${version} PARENT_SCOPE)
endfunction()

# vae_find_library(NAME header names...): the cache entries VAE_NAME_LIBRARY and VAE_NAME_INCLUDE_DIR.
macro(vae_find_library name header)
  find_library(VAE_${name}_LIBRARY NAMES ${ARGN} HINTS ${CUDAToolkit_LIBRARY_DIR} PATHS ${pip} PATH_SUFFIXES lib)
  get_filename_component(beside "${VAE_${name}_LIBRARY}" DIRECTORY)
  find_path(VAE_${name}_INCLUDE_DIR ${header} HINTS ${beside}/../include ${CUDAToolkit_INCLUDE_DIRS})
  mark_as_advanced(VAE_${name}_LIBRARY VAE_${name}_INCLUDE_DIR)
endmacro()

function(vae_find_cuda_libraries)
  vae_pip_folders(pip)
  vae_find_library(CUBLAS cublas_v2.h cublas libcublas.so.13 libcublas.so.12)
  vae_find_library(CUBLASLT cublasLt.h cublasLt libcublasLt.so.13 libcublasLt.so.12)
  if(NOT (VAE_CUBLAS_LIBRARY AND VAE_CUBLAS_INCLUDE_DIR AND VAE_CUBLASLT_LIBRARY AND VAE_CUBLASLT_INCLUDE_DIR))
    message(FATAL_ERROR "the CUDA toolkit has no cuBLAS with headers, and neither has Python's path (pip: nvidia/cublas)")
  endif()
  set(VAE_CUBLAS_LIBRARIES ${VAE_CUBLAS_LIBRARY} ${VAE_CUBLASLT_LIBRARY} PARENT_SCOPE)

  set(VAE_HAS_CUDNN OFF)
  set(cudnn "no cuDNN: convolutions go through columns")
  if(NOT VAE_CUDNN STREQUAL "OFF")
    vae_find_library(CUDNN cudnn.h cudnn libcudnn.so.9)
    vae_cudnn_version("${VAE_CUDNN_INCLUDE_DIR}" version)
    if(VAE_CUDNN_LIBRARY AND version VERSION_GREATER_EQUAL 9)
      set(VAE_HAS_CUDNN ON)
      set(cudnn "cuDNN ${version} (${VAE_CUDNN_LIBRARY})")
    elseif(VAE_CUDNN_LIBRARY AND version)
      set(cudnn "no cuDNN of version 9 (${VAE_CUDNN_INCLUDE_DIR} has ${version}): convolutions go through columns")
    endif()
  endif()
  message(STATUS "CUDA backend: toolkit ${CUDAToolkit_VERSION} (${CUDAToolkit_LIBRARY_DIR}), cuBLAS (${VAE_CUBLAS_LIBRARY}), ${cudnn}")
  if(VAE_CUDNN STREQUAL "ON" AND NOT VAE_HAS_CUDNN)
    message(FATAL_ERROR "VAE_CUDNN=ON, but ${cudnn}")
  endif()
  set(VAE_HAS_CUDNN ${VAE_HAS_CUDNN} PARENT_SCOPE)
endfunction()
