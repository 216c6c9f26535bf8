#include "experiments/measure.h"
#include "experiments/measures/inspected.h"
#include "experiments/measures/metrics.h"

namespace logodds {

const Catalogue& measures() {
  static const Catalogue catalogue(
      "measures",
      {entry<ValueMeasure, Measure>("value", "a column of the metrics, at the end or at a step"),
       entry<ExtremeMeasure, Measure>("extreme", "the largest or smallest value of a column, or its step"),
       entry<FirstStepMeasure, Measure>("first_step", "the first step at which a column reaches a value"),
       entry<GrokStepMeasure, Measure>("grok_step", "the step at which a set is learnt, as sweeps state it"),
       entry<GrokGapMeasure, Measure>("grok_gap", "steps from learning the training set to learning the test set"),
       entry<InspectedMeasure, Measure>("inspected", "a figure of `inspect --circuits` of the trained network")});
  return catalogue;
}

}  // namespace logodds
