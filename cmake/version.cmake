# Run at every build (cmake -P): writes version.h with the commit that is being built, and touches it only on change.
execute_process(
  COMMAND git -C ${SOURCE} describe --always --dirty
  OUTPUT_VARIABLE LOGODDS_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT LOGODDS_COMMIT)
  set(LOGODDS_COMMIT unknown)
endif()
configure_file(${SOURCE}/experiments/version.h.in ${OUTPUT} @ONLY)
