#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/component.h"
#include "core/fields.h"

namespace logodds {

/// One described key, for `logodds list`.
struct FieldDescription {
  std::string key;
  std::string value;    ///< the default
  std::string allowed;  ///< range, names, or sort of value
  std::string meaning;
  bool per_run = false;
};

/// Describes the fields of one component; sections are walked with dotted keys.
class ListFields : public Fields {
 public:
  const std::vector<FieldDescription>& descriptions() const { return descriptions_; }

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
  void add(Key key, std::string value, std::string allowed, bool per_run = false);

  std::string prefix_;
  std::vector<FieldDescription> descriptions_;
};

}  // namespace logodds
