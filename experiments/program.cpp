#include "experiments/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "version.h"

namespace logodds {

void add_commands(CLI::App& app, const std::string& command_line, int& exit_code) {
  app.set_version_flag("--version", std::string("logodds ") + LOGODDS_VERSION + " (" + LOGODDS_COMMIT + "), LibTorch " +
                                        LOGODDS_LIBTORCH);
  app.require_subcommand(1);
  add_train(app, command_line, exit_code);
  add_sweep(app, command_line, exit_code);
  add_verify_resume(app, exit_code);
  add_check(app, exit_code);
  add_inspect(app);
  add_export(app);
  add_data(app);
  add_plot(app);
  add_report(app);
  add_theory(app);
  add_reproduce(app, command_line, exit_code);
  add_table(app);
  add_llc(app, exit_code);
  add_spectrum(app, exit_code);
  add_list(app);
}

namespace {

std::string joined(int argc, const char* const* argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) line += (i > 0 ? " " : "") + std::string(argv[i]);
  return line;
}

/// LibTorch has no exception of its own for memory that is not there, or could not even be counted.
bool is_lack_of_memory(const std::exception& error) {
  const std::string_view what = error.what();
  const auto says = [&](const char* words) { return what.find(words) != std::string_view::npos; };
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr || says("can't allocate memory") ||
         says("calculation overflowed") || says("integer multiplication overflow");
}

/// The parser would only say that a subcommand is required.
void refuse_unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (word.starts_with('-') || std::ranges::count(names, word) > 0) return;
  throw Error("'" + word + "' is not a command" + suggestion(word, names));
}

int failed(const std::string& message, ExitCode code) {
  std::fprintf(stderr, "%s\n", printable(message).c_str());
  return static_cast<int>(code);
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  CLI::App app(
      "logodds trains small networks and splits their logits into circuits, each with its evidence in log-odds.",
      "logodds");
  int exit_code = static_cast<int>(ExitCode::ok);
  try {
    add_commands(app, joined(argc, argv), exit_code);
    refuse_unknown_command(app, argc > 1 ? argv[1] : "-");
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(app.exit(error) == 0 ? ExitCode::ok : ExitCode::usage);
  } catch (const Error& error) {
    return failed(error.what(), error.code());
  } catch (const std::exception& error) {
    if (is_lack_of_memory(error)) {
      return failed(
          "this machine has not the memory for that: take a smaller model, fewer runs at once or fewer examples",
          ExitCode::usage);
    }
    spdlog::critical("internal error, please report it with the command line: {}", error.what());
    return static_cast<int>(ExitCode::internal);
  }
}

}  // namespace logodds
