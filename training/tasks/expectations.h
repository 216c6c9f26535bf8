#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace logodds {

// Expectations in closed form or by quadrature: what the tasks' Bayes losses are made of.

/// Φ, the standard normal distribution function, and its logarithm, exact far into the tail.
double normal_distribution(double x);
double log_normal_distribution(double x);

/// E f(x), x ~ N(mean, deviation²): the trapezoidal rule over ±12 deviations, whose error falls faster than any power
/// of the spacing for smooth f.
double normal_expectation(double mean, double deviation, const std::function<double(double)>& f);

/// Pr[Bin(n, p) = k], for k = 0 … n.
std::vector<double> binomial(int64_t n, double p);

/// ln(1 + e^{-margin}), nats: the binary logistic loss of a margin, accurate at both ends.
double logistic_loss(double margin);

/// Binary entropy -p ln p - (1-p) ln(1-p), nats; 0 at 0 and 1.
double binary_entropy(double p);

/// Visits every way to split `total` into `counts.size()` counts, with the multinomial probability of it.
void for_each_multinomial(int64_t total, const std::vector<double>& probabilities,
                          const std::function<void(const std::vector<int64_t>& counts, double probability)>& visit);

}  // namespace logodds
