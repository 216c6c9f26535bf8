#include "core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdlib>

namespace logodds {

void set_up_log() {
  auto logger = spdlog::stderr_color_mt("logodds");
  logger->set_pattern("%^%l%$: %v");
  spdlog::set_default_logger(std::move(logger));
  const char* level = std::getenv("LOGODDS_LOG");
  spdlog::set_level(level == nullptr ? spdlog::level::info : spdlog::level::from_str(level));
}

}  // namespace logodds
