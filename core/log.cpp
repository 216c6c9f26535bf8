#include "core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdlib>

namespace logodds {

std::string printable(std::string_view text) {
  constexpr size_t kMostBytes = 4096;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string shown;
  size_t line = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    line = c == '\n' ? 0 : line + 1;
    if (line > kMostBytes + 1) continue;
    if (line == kMostBytes + 1) {
      while (!shown.empty() && (shown.back() & 0xc0) == 0x80)
        shown.pop_back();  // the bytes of a character stay together
      if (!shown.empty() && (shown.back() & 0x80) != 0) shown.pop_back();
      shown += "…";
    } else if ((byte < 32 && c != '\n' && c != '\t') || byte == 127) {
      shown += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      shown += c;
    }
  }
  return shown;
}

namespace {

/// %*: the message, made printable.
class Printable : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Printable>(); }
};

}  // namespace

void set_up_log() {
  auto logger = spdlog::stderr_color_mt("logodds");
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Printable>('*').set_pattern("%^%l%$: %*");
  logger->set_formatter(std::move(formatter));
  spdlog::set_default_logger(std::move(logger));
  const char* level = std::getenv("LOGODDS_LOG");
  spdlog::set_level(level == nullptr ? spdlog::level::info : spdlog::level::from_str(level));
}

}  // namespace logodds
