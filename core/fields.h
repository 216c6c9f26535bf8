#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/yaml.h"

namespace logodds {

class Selection;

/// A key of the configuration and its one-line meaning.
struct Key {
  const char* name;
  const char* meaning;
};

/// The values a number may take; `low`/`high` themselves are allowed unless the end is open.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;
  bool open_high = false;

  bool contains(double value) const;
  std::string text() const;          ///< "at least 1", "in (0, 1]"
  std::string integer_text() const;  ///< "a whole number at least 1"
  std::string real_text() const;     ///< "a number in (0, 1]"
};
inline Range at_least(double low) { return {.low = low}; }
inline Range above(double low) { return {.low = low, .open_low = true}; }
inline Range between(double low, double high) { return {.low = low, .high = high}; }
inline Range inside(double low, double high) { return {low, high, true, true}; }

/// A scalar that may differ between the runs of a pack: one value, or one per run once `runs:` names it as an axis.
template <class T>
struct PerRun {
  T value{};
  std::vector<T> runs;

  PerRun() = default;
  PerRun(T single) : value(single) {}  // NOLINT: a plain value is the common case
  T at(size_t run) const { return runs.empty() ? value : runs.at(run); }
  std::vector<T> all(size_t run_count) const { return runs.empty() ? std::vector<T>(run_count, value) : runs; }
};

/// The axes of a pack of runs, as written under `runs:`; the runs are their product, the first axis slowest.
struct RunAxes {
  std::vector<std::pair<std::string, std::vector<Node>>> axes;
  Location where;
  size_t run_count() const;
  /// Index along axis `axis` of run `run`.
  size_t index(size_t axis, size_t run) const;
};

/// Visits the options of a component. Each component lists its fields once, in `Options::fields(Fields&)`; that one
/// list reads YAML (ReadFields), writes the resolved configuration (WriteFields) and prints `logodds list`
/// (ListFields).
class Fields {
 public:
  virtual ~Fields() = default;
  virtual void integer(Key key, int64_t& value, Range range) = 0;
  virtual void real(Key key, double& value, Range range) = 0;
  virtual void per_run(Key key, PerRun<int64_t>& value, Range range) = 0;
  virtual void per_run(Key key, PerRun<double>& value, Range range) = 0;
  virtual void flag(Key key, bool& value) = 0;
  virtual void text(Key key, std::string& value) = 0;
  virtual void choice(Key key, std::string& value, const std::vector<std::string>& allowed) = 0;
  virtual void integers(Key key, std::vector<int64_t>& value, Range range) = 0;
  virtual void section(Key key, const std::function<void(Fields&)>& inside) = 0;
  /// One component chosen by name: `key: NAME` or `key: {kind: NAME, …}`.
  virtual void component(Key key, Selection& selection) = 0;
  /// Any number of components of one sort, each under its name: `key: {NAME: {…}, NAME: {…}}`.
  virtual void components(Key key, std::vector<Selection>& selections, const Selection& prototype) = 0;
  virtual void axes(Key key, RunAxes& axes) = 0;
};

}  // namespace logodds
