#pragma once

#include <string>
#include <vector>

#include "core/component.h"
#include "core/fields.h"
#include "core/yaml.h"

namespace logodds {

/// Writes options as a complete YAML tree that ReadFields reads back to the same options.
class WriteFields : public Fields {
 public:
  Node take() { return std::move(root_); }

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
  Node root_;
};

}  // namespace logodds
