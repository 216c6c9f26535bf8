#include <CLI/CLI.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/memory.h"
#include "experiments/commands/commands.h"
#include "version.h"

namespace {

std::string joined(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) line += (i > 0 ? " " : "") + std::string(argv[i]);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace logodds;
  set_up_log();
  keep_freed_memory();
  CLI::App app(
      "logodds trains small networks and splits their logits into circuits, each with its evidence in log-odds.",
      "logodds");
  app.set_version_flag("--version", std::string("logodds ") + LOGODDS_VERSION + " (" + LOGODDS_COMMIT + "), LibTorch " +
                                        LOGODDS_LIBTORCH);
  app.require_subcommand(1);
  int exit_code = static_cast<int>(ExitCode::ok);
  add_train(app, joined(argc, argv), exit_code);
  add_sweep(app, joined(argc, argv), exit_code);
  add_inspect(app);
  add_export(app);
  add_data(app);
  add_plot(app);
  add_report(app);
  add_theory(app);
  add_reproduce(app, joined(argc, argv), exit_code);
  add_table(app);
  add_llc(app, exit_code);
  add_spectrum(app, exit_code);
  add_list(app);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(ExitCode::ok) : static_cast<int>(ExitCode::usage);
  } catch (const Error& error) {
    // One line per problem, as compilers do, so that an editor can jump to each.
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    spdlog::critical("internal error, please report it with the command line: {}", error.what());
    return static_cast<int>(ExitCode::internal);
  }
}
