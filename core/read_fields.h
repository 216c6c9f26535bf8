#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/component.h"
#include "core/error.h"
#include "core/fields.h"
#include "core/yaml.h"

namespace logodds {

/// Reads options from a YAML tree. Problems are collected, each as "file:line:col: …": unknown keys with the nearest
/// valid name, values of the wrong sort or out of range, components that do not exist.
class ReadFields : public Fields {
 public:
  ReadFields(const Node& root, Problems& problems);

  /// Reports unknown keys of the outermost map and spreads the run axes over the per-run fields they name; call it
  /// once, after all fields were visited.
  void finish();

  /// Full keys of the fields that may differ between runs, in the order of their visits.
  std::vector<std::string> run_keys() const;

  void integer(Key key, int64_t& value, Range range) override;
  void real(Key key, double& value, Range range) override;
  void per_run(Key key, PerRun<int64_t>& value, Range range) override;
  void per_run(Key key, PerRun<double>& value, Range range) override;
  void flag(Key key, bool& value) override;
  void text(Key key, std::string& value) override;
  void choice(Key key, std::string& value, const std::vector<std::string>& allowed) override;
  void integers(Key key, std::vector<int64_t>& value, Range range) override;
  void section(Key key, const std::function<void(Fields&)>& inside) override;
  void component(Key key, Selection& selection) override;
  void components(Key key, std::vector<Selection>& selections, const Selection& prototype) override;
  void axes(Key key, RunAxes& axes) override;

 private:
  /// A field that `runs:` may name: its full key and how to give it one value per run.
  struct RunField {
    std::string path;
    std::string name;
    std::function<void(const RunAxes&, size_t axis)> spread;
  };

  const Node* take(Key key);
  std::string path(const std::string& key) const;
  void problem(const Location& where, const std::string& message);
  bool enough_problems() const;
  void refuse_unknown_keys();
  void inside_map(const std::string& key, const Node& node, const std::function<void()>& visit);
  void read_choice(const std::string& key, const Node& name_node, const Node* options, Selection& selection);
  bool read(const Node& node, const std::string& what, int64_t& value, Range range);
  bool read(const Node& node, const std::string& what, double& value, Range range);
  template <class T>
  void read_per_run(Key key, PerRun<T>& value, Range range);
  const RunField* find_run_field(const std::string& name) const;

  const Node* node_;
  Problems& problems_;
  size_t problem_count_ = 0;
  std::string prefix_;
  std::vector<std::string> seen_;
  std::vector<RunField> run_fields_;
  RunAxes* axes_ = nullptr;
};

}  // namespace logodds
