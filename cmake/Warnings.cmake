# Flags for our own code, carried by the target logodds_warnings: warnings, sanitizers.
add_library(logodds_warnings INTERFACE)
target_compile_options(logodds_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of "text" + std::string inside its own library (its bugs 105329 and 105651).
  target_compile_options(logodds_warnings INTERFACE -Wno-stringop-overflow -Wno-restrict -Wno-array-bounds)
endif()
if(LOGODDS_WERROR)
  target_compile_options(logodds_warnings INTERFACE -Werror)
endif()
if(LOGODDS_SANITIZE)
  target_compile_options(logodds_warnings INTERFACE -fsanitize=${LOGODDS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(logodds_warnings INTERFACE -fsanitize=${LOGODDS_SANITIZE})
endif()
