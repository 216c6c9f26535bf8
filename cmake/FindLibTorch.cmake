# Imported targets for an installed LibTorch, without LibTorch's own package file, which insists on a CUDA toolkit.
#
#   LibTorch::LibTorch   torch_cpu and c10; with CUDA libraries also torch_cuda and c10_cuda where LOGODDS_CUDA is on
#
# Looks in LIBTORCH_ROOT (variable or environment), else in the torch package of the active Python if it is 2.11 or
# newer, else in .deps/torch, where ./dev unpacks the pinned wheel. Sets LibTorch_VERSION, LibTorch_ROOT and, where
# LOGODDS_CUDA is on, LibTorch_CUDART, the CUDA runtime that LibTorch uses.

set(_hints ${LIBTORCH_ROOT} $ENV{LIBTORCH_ROOT})
if(NOT _hints)
  execute_process(
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/active_torch.py
    OUTPUT_VARIABLE _hints OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND _hints ${CMAKE_SOURCE_DIR}/.deps/torch/torch)
endif()

find_path(LibTorch_INCLUDE_DIR ATen/ATen.h HINTS ${_hints} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS ${_hints} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 HINTS ${_hints} PATH_SUFFIXES lib NO_DEFAULT_PATH)
if(LibTorch_INCLUDE_DIR)
  get_filename_component(LibTorch_ROOT ${LibTorch_INCLUDE_DIR} DIRECTORY)
  file(STRINGS ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h _version REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9]*([0-9]+)[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2.\\3" LibTorch_VERSION "${_version}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "set LIBTORCH_ROOT to a directory with include/ and lib/ of LibTorch 2.11 or newer, or run ./dev build")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  # The wheel also ships headers of fmt and others that would shadow the system's; only LibTorch's own are let through.
  set(_own ${CMAKE_BINARY_DIR}/libtorch)
  file(MAKE_DIRECTORY ${_own})
  foreach(_directory ATen c10 torch)
    file(CREATE_LINK ${LibTorch_INCLUDE_DIR}/${_directory} ${_own}/${_directory} SYMBOLIC)
  endforeach()
  set_target_properties(
    LibTorch::LibTorch
    PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_own}"
               INTERFACE_LINK_LIBRARIES "${LibTorch_CPU_LIBRARY};${LibTorch_C10_LIBRARY}")
  get_filename_component(LibTorch_LIBRARY_DIR ${LibTorch_C10_LIBRARY} DIRECTORY)
  # at::parallel_for is written in the headers: without -fopenmp it is serial. One OpenMP runtime per process, the one
  # that LibTorch brought.
  file(GLOB _openmp ${LibTorch_LIBRARY_DIR}/libgomp*.so*)
  target_compile_options(LibTorch::LibTorch INTERFACE -fopenmp)
  target_link_libraries(LibTorch::LibTorch INTERFACE $<IF:$<BOOL:${_openmp}>,${_openmp},gomp>)
  # torch_cpu of a CUDA wheel needs cudart and cupti at link time, found through its own rpath at run time.
  file(GLOB _nvidia_directories ${LibTorch_ROOT}/../nvidia/*/lib)
  foreach(_directory ${_nvidia_directories})
    target_link_options(LibTorch::LibTorch INTERFACE "LINKER:-rpath-link,${_directory}")
  endforeach()
  if(LOGODDS_CUDA)
    # Nothing in our code names a symbol of these; without --no-as-needed the linker would drop the CUDA backend.
    target_link_options(
      LibTorch::LibTorch INTERFACE
      "LINKER:--push-state,--no-as-needed" ${LibTorch_LIBRARY_DIR}/libtorch_cuda.so
      ${LibTorch_LIBRARY_DIR}/libc10_cuda.so "LINKER:--pop-state")
    file(GLOB _cudart ${LibTorch_LIBRARY_DIR}/libcudart*.so*)
    foreach(_directory ${_nvidia_directories})
      file(GLOB _more ${_directory}/libcudart.so*)
      list(APPEND _cudart ${_more})
    endforeach()
    if(NOT _cudart)
      message(FATAL_ERROR "${LibTorch_ROOT} has no libcudart: LOGODDS_CUDA needs a LibTorch with CUDA")
    endif()
    list(GET _cudart 0 LibTorch_CUDART)
    get_filename_component(LibTorch_CUDART_DIR ${LibTorch_CUDART} DIRECTORY)
  endif()
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY)
