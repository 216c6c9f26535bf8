#include "experiments/measures/metrics.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "training/grokking.h"

namespace logodds {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// The number that a cell holds, or how long its list is; NaN for null and for text.
double number_in(const Row& cell) {
  if (cell.is_array()) return static_cast<double>(cell.size());
  return cell.is_number() ? cell.get<double>() : std::nan("");
}

/// Step and value of each row that has the column, from a step on. Throws Error where no row has it.
std::vector<std::pair<int64_t, double>> column(const MeasuredRun& run, const std::string& name, int64_t from_step) {
  std::vector<std::pair<int64_t, double>> values;
  std::set<std::string> known;
  for (const auto& row : run.metrics()) {
    for (const auto& [key, cell] : row.items()) known.insert(key);
    const auto cell = row.find(name);
    const auto step = row.at("step").get<int64_t>();
    if (cell != row.end() && step >= from_step) values.emplace_back(step, number_in(*cell));
  }
  if (known.contains(name)) return values;
  throw Error("the metrics have no column '" + name + "'" + suggestion(name, {known.begin(), known.end()}));
}

double step_or_never(const std::optional<int64_t>& step) { return step ? static_cast<double>(*step) : kNever; }

const Key kColumn{"column", "of the metrics, such as test_loss or logit_decomposition.key_fve"};
const Key kFromStep{"from_step", "steps before it are left out"};

}  // namespace

void ValueMeasure::Options::fields(Fields& fields) {
  fields.text(kColumn, column);
  fields.integer({"step", "at which; -1: the last that has the column"}, step, at_least(-1));
}

double ValueMeasure::of(const MeasuredRun& run) const {
  const auto values = column(run, options_.column, 0);
  if (options_.step < 0) return values.empty() ? std::nan("") : values.back().second;
  for (const auto& [step, value] : values) {
    if (step == options_.step) return value;
  }
  throw Error("'" + options_.column + "' was not observed at step " + std::to_string(options_.step) +
              "; it must be a multiple of the interval of that column, and not beyond the last step");
}

void ExtremeMeasure::Options::fields(Fields& fields) {
  fields.text(kColumn, column);
  fields.choice({"which", "of its values"}, which, {"largest", "smallest"});
  fields.choice({"report", "the value itself, or the first step that has it"}, report, {"value", "step"});
  fields.integer(kFromStep, from_step, at_least(0));
}

double ExtremeMeasure::of(const MeasuredRun& run) const {
  const double sign = options_.which == "largest" ? 1 : -1;
  double best = std::nan(""), best_step = std::nan("");
  for (const auto& [step, value] : column(run, options_.column, options_.from_step)) {
    if (std::isnan(value) || sign * value <= sign * best) continue;  // a NaN `best` never refuses
    best = value;
    best_step = static_cast<double>(step);
  }
  return options_.report == "value" ? best : best_step;
}

void FirstStepMeasure::Options::fields(Fields& fields) {
  fields.text(kColumn, column);
  fields.choice({"side", "of the value"}, side, {"at_least", "below"});
  fields.real({"value", "that the column is to reach"}, value, {});
  fields.integer(kFromStep, from_step, at_least(0));
}

double FirstStepMeasure::of(const MeasuredRun& run) const {
  for (const auto& [step, value] : column(run, options_.column, options_.from_step)) {
    if (options_.side == "below" ? value < options_.value : value >= options_.value) return static_cast<double>(step);
  }
  return kNever;
}

void GrokStepMeasure::Options::fields(Fields& fields) {
  fields.choice({"set", "that is learnt to 99 % and stays so for three evaluations"}, set, {"test", "train"});
}

double GrokStepMeasure::of(const MeasuredRun& run) const {
  const Grokking found = grokking(run.metrics());
  return step_or_never(options_.set == "test" ? found.test_step : found.train_step);
}

double GrokGapMeasure::of(const MeasuredRun& run) const { return step_or_never(grokking(run.metrics()).gap()); }

}  // namespace logodds
