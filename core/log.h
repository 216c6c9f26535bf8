#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

namespace logodds {

/// Sends the log to standard error, at "info" unless LOGODDS_LOG names another spdlog level. The log is the only
/// global state of the program.
void set_up_log();

/// Text for a terminal: what may come from a file can neither steer the terminal, as control characters other than the
/// end of a line become \xNN, nor fill it, as a line ends with … after 4096 bytes.
std::string printable(std::string_view text);

}  // namespace logodds
