#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "experiments/published.h"
#include "experiments/sweep_directory.h"

namespace logodds {

/// Seconds of core time that training has taken in a directory of an entry so far; 0 where there is none.
double core_seconds(const std::filesystem::path& path);

/// An entry's settings in a directory: SETTING/ is the directory of its sweep, time.json the seconds that training
/// took.
class Reproduction {
 public:
  /// Reads the settings' sweeps. Throws one Error that lists every problem of every setting.
  Reproduction(const PublishedEntry& entry, std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// Whether all trainings are over.
  bool trained() const;

  /// Trains what is lacking, `workers` trainings at a time, 0 for as many as there are cores. Returns what the process
  /// ends with; a signal saves and ends it.
  int train(size_t workers, const std::string& command_line) const;

  /// A row per figure: what, published, measured (null where infinite or undefined), low, high (null for one run),
  /// runs, seen_to (of an infinite one), verdict, why, and reason where it was not reproduced. Throws Error where an
  /// entry asks for what its runs do not have.
  Row rows() const;

  /// Where it was trained: commits, machines and seconds of core time, each as found in the runs' own files.
  Row provenance() const;

 private:
  struct Setting {
    std::string name;
    Sweep sweep;
    SweepDirectory directory;
  };
  struct Values;

  const Setting& setting(const std::string& name) const;
  Values values(const PublishedFigure& figure, const std::string& setting) const;
  Row row(const PublishedFigure& figure) const;
  void add_time(double seconds) const;

  const PublishedEntry& entry_;
  std::filesystem::path path_;
  std::vector<Setting> settings_;
};

}  // namespace logodds
