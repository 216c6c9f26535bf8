#include "training/tasks/majority.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "training/tasks/expectations.h"

namespace logodds {

void Majority::Options::fields(Fields& fields) {
  fields.integer({"features", "n bits, an odd number"}, features, between(1, 255));
  fields.per_run({"shown", "bits that can be seen, the first ones; the others read 0; 0: all"}, shown, at_least(0));
  sizes.fields(fields);
}

namespace {

class MajorityWorld : public World {
 public:
  MajorityWorld(int64_t features, int64_t shown) : features_(features), shown_(shown) {}

  Examples draw(int64_t count, at::Generator generator) const override {
    const Tensor bits = at::randint(2, {count, features_}, generator, at::TensorOptions().dtype(at::kLong));
    const Tensor targets = (2 * bits.sum(1)).gt(features_).to(at::kLong);
    return {hide_after(sign_of(bits), shown_), targets};
  }

  Tensor posterior(const Tensor& inputs_NF) const override {
    return look_up(inputs_NF.to(at::kDouble).narrow(1, 0, shown_), shown_);
  }
  int64_t shown() const override { return shown_; }
  Tensor feature_log_odds(int64_t feature, const Tensor& inputs_NF) const override {
    return look_up(inputs_NF.to(at::kDouble).narrow(1, feature, 1), 1);
  }

  Estimate loss(double scale) const override {
    if (scale != 1) return World::loss(scale);
    const auto ones = binomial(shown_, 0.5);
    double total = 0;
    for (int64_t s = 0; s <= shown_; ++s)
      total += ones[static_cast<size_t>(s)] * binary_entropy(probability(shown_, s));
    return {total};
  }

 private:
  /// P(1 | s of k bits are +1).
  double probability(int64_t k, int64_t s) const {
    const auto others = binomial(features_ - k, 0.5);
    double total = 0;
    for (int64_t more = 0; more <= features_ - k; ++more) {
      if (2 * (s + more) > features_) total += others[static_cast<size_t>(more)];
    }
    return std::min(total, 1.0);
  }

  Tensor look_up(const Tensor& bits_Nk, int64_t k) const {
    std::vector<double> nats;
    for (int64_t s = 0; s <= k; ++s) {
      // By symmetry P(0 | s) = P(1 | k-s), which keeps a small one exact.
      nats.push_back(std::clamp(std::log(probability(k, s)) - std::log(probability(k, k - s)), -100.0, 100.0));
    }
    const Tensor ones = bits_Nk.gt(0).sum(1);
    return binary_log_odds(at::tensor(nats, at::kDouble).index_select(0, ones));
  }

  int64_t features_, shown_;
};

}  // namespace

Majority::Majority(const Options& options) : SampledTask(options.sizes), options_(options) {
  if (options_.features % 2 == 0) throw Error("'features' must be odd, so that there is a majority");
  for (const int64_t shown : distinct_values(options_.shown)) shown_features(shown, options_.features);
}

std::unique_ptr<World> Majority::world(size_t run, int64_t) const {
  return std::make_unique<MajorityWorld>(options_.features, shown_features(options_.shown.at(run), options_.features));
}

}  // namespace logodds
