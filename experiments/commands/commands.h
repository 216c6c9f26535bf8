#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace logodds {

/// Each adds a subcommand to the program; `exit_code` receives what the process ends with, `command_line` is what the
/// user typed.
void add_train(CLI::App& app, const std::string& command_line, int& exit_code);
void add_sweep(CLI::App& app, const std::string& command_line, int& exit_code);
void add_verify_resume(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app);
void add_data(CLI::App& app);
void add_export(CLI::App& app);
void add_plot(CLI::App& app);
void add_report(CLI::App& app);
void add_theory(CLI::App& app);
void add_reproduce(CLI::App& app, const std::string& command_line, int& exit_code);
void add_table(CLI::App& app);
void add_llc(CLI::App& app, int& exit_code);
void add_spectrum(CLI::App& app, int& exit_code);
void add_list(CLI::App& app);

/// "17,45" as the numbers of an input; throws Error.
std::vector<int64_t> parse_input(const std::string& text);

/// Digests by the names of files, from what `sha256sum` prints: "HEX  NAME" per line; throws Error.
std::map<std::string, std::string> read_digests(const std::string& path);

}  // namespace logodds
