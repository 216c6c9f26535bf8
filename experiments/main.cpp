#include "core/log.h"
#include "core/memory.h"
#include "experiments/program.h"

int main(int argc, char** argv) {
  logodds::set_up_log();
  logodds::keep_freed_memory();
  return logodds::run_program(argc, argv);
}
