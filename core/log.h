#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace logodds {

/// Sends the log to standard error, at "info" unless LOGODDS_LOG names another spdlog level. The log is the only
/// global state of the program.
void set_up_log();

}  // namespace logodds
