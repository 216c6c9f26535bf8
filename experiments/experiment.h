#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/component.h"
#include "core/yaml.h"
#include "models/model.h"
#include "training/hook.h"
#include "training/loss.h"
#include "training/optimizer.h"
#include "training/schedule.h"
#include "training/task.h"
#include "training/trainer.h"
#include "training/transform.h"

namespace logodds {

/// Whether a name can be that of a directory, here and not elsewhere: letters, digits, '-', '_' and '.', not first.
bool is_plain_name(const std::string& name);

/// A whole configuration: what is read from YAML, and nothing that is not.
struct ExperimentOptions {
  std::string name;  ///< of the run directory; the file's stem unless given
  PerRun<int64_t> seed{0};
  std::string device = "cpu";
  std::string dtype = "float32";
  int64_t threads = 0;  ///< 0: one per core
  bool tf32 = false;
  Selection task{tasks()};
  Selection model{models()};
  Selection loss{losses(), "cross_entropy"};
  Selection optimizer{optimizers(), "adamw"};
  std::vector<Selection> transforms;  ///< in the order in which they are applied
  Selection schedule{schedules(), "constant"};
  TrainerOptions training;
  std::vector<Selection> hooks;
  std::vector<Selection> theory;
  RunAxes runs;

  void fields(Fields& fields);
};

/// An experiment: its options and the one function that assembles components from them.
class Experiment {
 public:
  /// Reads a configuration file with overrides on top. Throws one Error that lists every problem.
  static Experiment from_file(const std::string& path, const std::vector<std::string>& overrides = {});
  static Experiment from_yaml(const Node& root, const std::string& default_name);

  const ExperimentOptions& options() const { return options_; }
  size_t run_count() const { return options_.runs.run_count(); }
  std::vector<int64_t> seeds() const { return options_.seed.all(run_count()); }

  /// The complete configuration, loadable again.
  std::string resolved() const;

  /// Full keys of the settings that may differ between the runs of a pack.
  const std::vector<std::string>& per_run_keys() const { return per_run_keys_; }

  /// What tells run r from the others: "seed 0, weight_decay 1"; "seed 0" for a single run.
  std::string run_label(size_t run) const;

  /// The same without the seed: "weight_decay 1"; empty for a single run.
  std::string setting_label(size_t run) const;

  /// Throws Error where the device that is asked for is not there.
  void refuse_missing_device() const;

  /// Sets threads and builds every component, weights initialised. Throws Error, before anything is written.
  Pack assemble() const;

 private:
  std::string axes_label(size_t run, bool with_seed) const;

  std::vector<std::string> per_run_keys_;
  mutable ExperimentOptions options_;  // fields() visits mutably; nothing here changes them after reading
};

}  // namespace logodds
