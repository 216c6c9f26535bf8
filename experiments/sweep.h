#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiments/experiment.h"

namespace logodds {

/// One training of a sweep: runs of equal shape that are trained at once.
struct SweepPack {
  /// Places along each axis of the sweep, from first to before second; more than one only where runs may differ.
  std::vector<std::pair<size_t, size_t>> ranges;
  std::string name;  ///< of its run directory, in words: "weight_decay=0.1,seed=3"
  Experiment experiment;
  std::vector<std::vector<std::string>> values;  ///< [run][key], as written
};

/// A configuration with a section `sweep`: the product of its axes, made into packs. An axis is a list of values,
/// {count: n, from: a} for a, a+1, …, or {from: a, to: b, count: n, scale: linear | log}; the axes under `zip` advance
/// together. Values that cannot differ between runs make separate packs; the others fill packs of at most `pack_runs`.
class Sweep {
 public:
  /// Reads a configuration file with overrides on top ("sweep.KEY=…" sets or replaces an axis). Throws one Error that
  /// lists every problem of every value; each component is built once for each value of each axis.
  static Sweep from_file(const std::string& path, const std::vector<std::string>& overrides = {});
  static Sweep from_yaml(Node root, const std::string& default_name) { return Sweep(std::move(root), default_name); }

  const std::string& name() const { return name_; }
  /// Full keys of what varies, in written order.
  std::vector<std::string> keys() const;
  /// In the order of the product, the first axis slowest.
  const std::vector<SweepPack>& packs() const { return packs_; }
  size_t run_count() const;

  /// The configuration with every axis written out, loadable again.
  std::string resolved() const;

 private:
  struct Axis {
    std::vector<std::string> keys;          ///< one, but for `zip`
    std::vector<Location> where;            ///< of the keys
    std::vector<std::vector<Node>> values;  ///< [key][place]
    bool zipped = false;
    bool per_run = false;  ///< whether its values may differ between the runs of a pack
    size_t size() const { return values.front().size(); }
  };

  Sweep(Node root, const std::string& default_name);
  void read_axes(const Node& section, Problems& problems);
  void add_axis(Axis axis, Problems& problems);
  void check_axes(const Node& section, Problems& problems) const;
  void check_values();
  void make_packs();
  Node point(const std::vector<size_t>& places) const;
  SweepPack pack(std::vector<std::pair<size_t, size_t>> ranges) const;
  std::string short_key(const std::string& key) const;

  Node root_;  ///< the configuration without `sweep`
  std::string name_;
  int64_t pack_runs_ = 0;
  std::vector<Axis> axes_;
  std::vector<SweepPack> packs_;
};

}  // namespace logodds
