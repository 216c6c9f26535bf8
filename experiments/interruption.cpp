#include "experiments/interruption.h"

#include <csignal>
#include <cstdlib>

namespace logodds {

namespace {

volatile std::sig_atomic_t received_signal = 0;

void on_signal(int signal) {
  if (received_signal != 0) std::_Exit(128 + signal);
  received_signal = signal;
}

}  // namespace

void listen_for_interruption() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

int interruption() { return received_signal; }

}  // namespace logodds
