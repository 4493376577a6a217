# Settings shared by every target: standard, warnings, sanitizers, the optional CUDA language, and two helpers.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # installed tools find what they were linked with

find_program(VAE_MOLD mold)  # links some sixty programs in a quarter of the time
if(VAE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

include(GNUInstallDirs)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
set(BLA_VENDOR OpenBLAS)
find_package(BLAS REQUIRED)
find_path(VAE_CBLAS_INCLUDE_DIR cblas.h REQUIRED)
# Found by hand: oneDNN's own package file asks for OpenCL, which nothing here needs.
find_library(VAE_DNNL_LIBRARY dnnl REQUIRED)
find_path(VAE_DNNL_INCLUDE_DIR dnnl.h REQUIRED)

set(VAE_HAS_CUDA OFF)
if(NOT VAE_CUDA STREQUAL "OFF")
  find_package(CUDAToolkit QUIET)
  if(CUDAToolkit_FOUND)
    set(VAE_HAS_CUDA ON)
    if(NOT CMAKE_CUDA_COMPILER)
      set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
    endif()
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 90)
    endif()
    enable_language(CUDA)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25.1 does not know it
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    endif()
    include(VaeCudaLibraries)
    vae_find_cuda_libraries()
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  elseif(VAE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "VAE_CUDA=ON, but no CUDA toolkit was found")
  endif()
endif()
if(NOT VAE_HAS_CUDA)
  message(STATUS "CUDA backend: none")
endif()

set(VAE_HAS_MPI OFF)
if(NOT VAE_MPI STREQUAL "OFF")
  set(MPI_CXX_SKIP_MPICXX ON)  # its C interface alone
  find_package(MPI QUIET COMPONENTS CXX)
  set(VAE_HAS_MPI ${MPI_CXX_FOUND})
  if(VAE_MPI STREQUAL "ON" AND NOT VAE_HAS_MPI)
    message(FATAL_ERROR "VAE_MPI=ON, but no MPI was found (Debian: libopenmpi-dev)")
  endif()
endif()
if(VAE_HAS_MPI)
  message(STATUS "MPI: ${MPI_CXX_LIBRARIES} (standard ${MPI_CXX_VERSION})")
else()
  message(STATUS "MPI: none, a training on CPUs is one process")
endif()

set(VAE_HAS_ONNX OFF)
if(NOT VAE_ONNX STREQUAL "OFF")
  find_path(VAE_ONNX_INCLUDE_DIR onnx/onnx_pb.h)
  find_library(VAE_ONNX_LIBRARY onnx)
  find_library(VAE_ONNX_PROTO_LIBRARY onnx_proto)
  find_package(Protobuf QUIET)
  if(VAE_ONNX_INCLUDE_DIR AND VAE_ONNX_LIBRARY AND VAE_ONNX_PROTO_LIBRARY AND Protobuf_FOUND)
    set(VAE_HAS_ONNX ON)
  elseif(VAE_ONNX STREQUAL "ON")
    message(FATAL_ERROR "VAE_ONNX=ON, but no ONNX was found (Debian: libonnx-dev, libprotobuf-dev)")
  endif()
endif()
if(VAE_HAS_ONNX)
  message(STATUS "ONNX: ${VAE_ONNX_PROTO_LIBRARY} (protobuf ${Protobuf_VERSION})")
else()
  message(STATUS "ONNX: none, trained models are exported as weights alone")
endif()

# vae_use_onnx(target): the messages of ONNX files.
function(vae_use_onnx target)
  target_compile_definitions(${target} PRIVATE ONNX_NAMESPACE=onnx ONNX_ML=1)
  target_include_directories(${target} SYSTEM PRIVATE ${VAE_ONNX_INCLUDE_DIR})
  target_link_libraries(${target} PRIVATE ${VAE_ONNX_PROTO_LIBRARY} protobuf::libprotobuf)
endfunction()

# vae_options(target): warnings and sanitizers of this project; private, so users of the libraries do not inherit them.
function(vae_options target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unknown-pragmas>
                                           $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)
  # The host's part of a .cu file only starts kernels.
  target_compile_options(${target} PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<CONFIG:Release>>:-Xcompiler=-O1>)
  # clang says which loops it could not turn into vectors; they are right all the same.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-pass-failed>)
  # fmt 9 takes nvcc for a compiler without constexpr, and nvcc loses the marks of system headers, in which g++ then
  # warns about fmt.
  target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:FMT_USE_CONSTEXPR=1>)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wno-stringop-overflow>)
  if(VAE_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>
                                             $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xptxas=-warn-spills>)
  endif()
  if(VAE_SANITIZE)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${VAE_SANITIZE}
                                             -fno-omit-frame-pointer -fno-sanitize-recover=all>)
    target_link_options(${target} PUBLIC -fsanitize=${VAE_SANITIZE})
  endif()
endfunction()

# vae_group_sources(target): up to sixteen sources are compiled as one, in less than half the time of sixteen;
# -DCMAKE_UNITY_BUILD=OFF compiles each by itself. Sources with options of their own always are.
function(vae_group_sources target)
  if(NOT DEFINED CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
  endif()
endfunction()

# vae_quick_compile(target): for command lines and tests, which have no hot loops of their own.
function(vae_quick_compile target)
  vae_group_sources(${target})
  target_compile_options(${target} PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:-O1>)
endfunction()

# vae_library(name SOURCES ... LINK ...): the library of one folder, target vae_<name>, alias vae::<name>.
function(vae_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(vae_${name} STATIC ${arg_SOURCES})
  add_library(vae::${name} ALIAS vae_${name})
  set_target_properties(vae_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(vae_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(vae_${name} PUBLIC ${arg_LINK})
  target_compile_features(vae_${name} PUBLIC cxx_std_20)
  vae_options(vae_${name})
  vae_group_sources(vae_${name})
  set_property(GLOBAL APPEND PROPERTY VAE_LIBRARIES vae_${name})
endfunction()

# vae_tool(name SOURCES... ): an executable in build/bin, installed.
function(vae_tool name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK})
  vae_options(${name})
  vae_quick_compile(${name})
  set_property(GLOBAL APPEND PROPERTY VAE_TOOLS ${name})
endfunction()
