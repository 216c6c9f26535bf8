#pragma once

#include "experiments/measure.h"

namespace logodds {

// Measures that read the metrics of a run. A column of lists (key frequencies) counts as the list's length.

/// A column at a step, by default at the last one that has it.
class ValueMeasure : public Measure {
 public:
  struct Options {
    std::string column = "test_accuracy";
    int64_t step = -1;
    void fields(Fields& fields);
  };
  explicit ValueMeasure(const Options& options) : options_(options) {}
  double of(const MeasuredRun& run) const override;

 private:
  Options options_;
};

/// The largest or smallest value that a column takes from a step on, or the step where it first does.
class ExtremeMeasure : public Measure {
 public:
  struct Options {
    std::string column = "test_accuracy";
    std::string which = "largest";
    std::string report = "value";
    int64_t from_step = 0;
    void fields(Fields& fields);
  };
  explicit ExtremeMeasure(const Options& options) : options_(options) {}
  double of(const MeasuredRun& run) const override;

 private:
  Options options_;
};

/// The first evaluated step at which a column is at least, or below, a value.
class FirstStepMeasure : public Measure {
 public:
  struct Options {
    std::string column = "test_accuracy";
    std::string side = "at_least";
    double value = 1;
    int64_t from_step = 0;
    void fields(Fields& fields);
  };
  explicit FirstStepMeasure(const Options& options) : options_(options) {}
  double of(const MeasuredRun& run) const override;

 private:
  Options options_;
};

/// The step of grokking as sweeps state it (training/grokking.h), of the test or the training set; or the gap.
class GrokStepMeasure : public Measure {
 public:
  struct Options {
    std::string set = "test";
    void fields(Fields& fields);
  };
  explicit GrokStepMeasure(const Options& options) : options_(options) {}
  double of(const MeasuredRun& run) const override;

 private:
  Options options_;
};

class GrokGapMeasure : public Measure {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  explicit GrokGapMeasure(const Options&) {}
  double of(const MeasuredRun& run) const override;
};

}  // namespace logodds
