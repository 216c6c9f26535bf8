#pragma once

#include "experiments/measure.h"

namespace logodds {

/// A figure of `inspect --circuits` of the trained network, named by its path in the JSON; a list counts as its length.
class InspectedMeasure : public Measure {
 public:
  struct Options {
    std::string figure = "measures.gradient_symmetricity";
    void fields(Fields& fields);
  };
  explicit InspectedMeasure(const Options& options) : options_(options) {}
  double of(const MeasuredRun& run) const override;

 private:
  Options options_;
};

}  // namespace logodds
