#include "training/grokking.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/seeds.h"
#include "core/tensor.h"

namespace logodds {

namespace {

std::optional<int64_t> learnt(const std::vector<Row>& rows, const char* column) {
  size_t held = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto accuracy = rows[i].find(column);
    const bool high = accuracy != rows[i].end() && accuracy->is_number() && accuracy->get<double>() >= kGrokkedAccuracy;
    held = high ? held + 1 : 0;
    if (held == kGrokkedEvaluations) return rows[i + 1 - kGrokkedEvaluations].at("step").get<int64_t>();
  }
  return std::nullopt;
}

/// Of sorted values: the one at place ⌈q n⌉, from 1.
double quantile(const std::vector<double>& sorted, double q) {
  const auto place = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(place, 1) - 1];
}

}  // namespace

std::optional<int64_t> Grokking::gap() const {
  if (!train_step || !test_step) return std::nullopt;
  return *test_step - *train_step;
}

Grokking grokking(const std::vector<Row>& rows) {
  return {.train_step = learnt(rows, "train_accuracy"), .test_step = learnt(rows, "test_accuracy")};
}

MedianInterval median_interval(std::vector<double> values) {
  if (values.empty()) return {std::nan(""), std::nan(""), std::nan("")};
  std::ranges::sort(values);
  constexpr int64_t kResamples = 2000;
  const auto n = static_cast<int64_t>(values.size());
  auto generator = stream(0, "bootstrap");
  // Sorted places of each resample; values rise with their places, so its median is the value at the middle place.
  const Tensor places = std::get<0>(at::randint(n, {kResamples, n}, generator, at::kLong).sort(1));
  const Tensor middle = places.select(1, (n + 1) / 2 - 1).contiguous();
  std::vector<double> medians;
  for (int64_t i = 0; i < kResamples; ++i)
    medians.push_back(values[static_cast<size_t>(middle.data_ptr<int64_t>()[i])]);
  std::ranges::sort(medians);
  return {.median = quantile(values, 0.5), .low = quantile(medians, 0.025), .high = quantile(medians, 0.975)};
}

}  // namespace logodds
