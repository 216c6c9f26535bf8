#include "training/tasks/expectations.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace logodds {

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double log_normal_distribution(double x) {
  if (x > -30) return std::log(normal_distribution(x));
  // Asymptotic series of Mills' ratio, exact to 1e-8 here.
  const double square = x * x;
  return -square / 2 - std::log(-x * std::sqrt(2 * std::numbers::pi)) + std::log1p(-1 / square + 3 / (square * square));
}

double normal_expectation(double mean, double deviation, const std::function<double(double)>& f) {
  constexpr int kHalf = 1500;
  constexpr double kReach = 12, kStep = kReach / kHalf;
  double sum = 0, weights = 0;
  for (int i = -kHalf; i <= kHalf; ++i) {
    const double z = i * kStep, weight = std::exp(-z * z / 2);
    sum += weight * f(mean + deviation * z);
    weights += weight;
  }
  return sum / weights;
}

std::vector<double> binomial(int64_t n, double p) {
  std::vector<double> mass;
  for (int64_t k = 0; k <= n; ++k) {
    const auto successes = static_cast<double>(k), failures = static_cast<double>(n - k);
    const double ways =
        std::lgamma(static_cast<double>(n) + 1) - std::lgamma(successes + 1) - std::lgamma(failures + 1);
    mass.push_back(std::exp(ways) * std::pow(p, successes) * std::pow(1 - p, failures));
  }
  return mass;
}

double logistic_loss(double margin) { return std::max(0.0, -margin) + std::log1p(std::exp(-std::abs(margin))); }

double binary_entropy(double p) {
  const auto term = [](double x) { return x > 0 ? -x * std::log(x) : 0.0; };
  return term(p) + term(1 - p);
}

namespace {
void split(int64_t left, size_t next, const std::vector<double>& probabilities, std::vector<int64_t>& counts,
           double probability, const std::function<void(const std::vector<int64_t>&, double)>& visit) {
  if (next + 1 == probabilities.size()) {
    counts[next] = left;
    visit(counts, probability * std::pow(probabilities[next], static_cast<double>(left)));
    return;
  }
  double ways = 1;  // C(left, count) p^count
  for (int64_t count = 0; count <= left; ++count) {
    counts[next] = count;
    split(left - count, next + 1, probabilities, counts, probability * ways, visit);
    ways *= probabilities[next] * static_cast<double>(left - count) / static_cast<double>(count + 1);
  }
}
}  // namespace

void for_each_multinomial(int64_t total, const std::vector<double>& probabilities,
                          const std::function<void(const std::vector<int64_t>& counts, double probability)>& visit) {
  std::vector<int64_t> counts(probabilities.size());
  split(total, 0, probabilities, counts, 1, visit);
}

}  // namespace logodds
