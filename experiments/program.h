#pragma once

#include <string>

namespace CLI {
class App;
}

namespace logodds {

/// Gives the program its name, version and subcommands; see commands.h for the other arguments.
void add_commands(CLI::App& app, const std::string& command_line, int& exit_code);

/// Does what a command line asks for and returns what the process is to end with. An error is printed to standard
/// error: one line per problem, as compilers do, so that an editor can jump to each.
int run_program(int argc, const char* const* argv);

}  // namespace logodds
