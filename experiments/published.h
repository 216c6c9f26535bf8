#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/component.h"
#include "core/yaml.h"
#include "experiments/measure.h"
#include "experiments/sweep.h"

namespace logodds {

/// What is held against a published figure: a value over the runs and its 95 % interval (NaN limits without one).
struct Measured {
  double value, low, high;
  double seen_to;  ///< where `value` is +∞: the last step that was looked at
};

enum class Verdict { reproduced, unclear, not_reproduced, not_defined };
std::string name_of(Verdict verdict);

/// One figure of a publication: how it is measured here and what would count as the same.
struct PublishedFigure {
  std::string what;
  std::string setting;  ///< the name of the setting whose runs are measured
  std::string against;  ///< where not empty: the setting whose runs, one by one, theirs are divided by
  std::vector<std::pair<std::string, std::string>> where;  ///< keys of the sweep and the value that the runs have
  Selection measure{measures()};
  std::string take = "median";  ///< over the runs; or the smallest or largest median of the settings of the sweep
  std::string stated;           ///< the figure as published: "0.94", "3 to 5", "≥ 0.99"
  double low = 0, high = 0;     ///< what the measured value may be
  std::string why;              ///< of this tolerance
  std::string reason;           ///< found for a figure that does not reproduce
  Location location;

  /// Reproduced: the value is as stated up to the tolerance; unclear: it is not, but its interval reaches there, or it
  /// lies beyond the steps that were looked at; else not reproduced.
  Verdict verdict(const Measured& measured) const;
};

/// A publication's setting: an ordinary configuration, or one of the program's own with changes.
struct PublishedSetting {
  std::string name;
  Node configuration;

  /// As a sweep of at least one run: axes under `runs` are axes of the sweep, and a single run is a sweep over its
  /// seed. Throws Error as Sweep does.
  Sweep sweep() const;
};

/// A file of experiments/published/: settings and the figures that a publication states for them.
struct PublishedEntry {
  std::string name;
  std::string title;
  std::string source;
  double core_minutes = 0;  ///< what training takes on one core of the machine that the entry was written on
  std::vector<PublishedSetting> settings;
  std::vector<PublishedFigure> figures;

  const PublishedSetting& setting(const std::string& name) const;
};

/// Names of the entries that the program carries.
std::vector<std::string> published_names();

/// One of them by its name, or a file of the same form by its path, which ends in .yaml. Throws one Error that lists
/// every problem of the entry, those of its settings apart.
PublishedEntry read_published(const std::string& name_or_path);

}  // namespace logodds
