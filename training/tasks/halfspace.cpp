#include "training/tasks/halfspace.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/seeds.h"
#include "training/tasks/expectations.h"

namespace logodds {

void Halfspace::Options::fields(Fields& fields) {
  fields.integer({"features", "dimensions"}, features, between(1, 4096));
  fields.per_run({"shown", "features that can be seen, the first ones; the others read 0; 0: all"}, shown, at_least(0));
  sizes.fields(fields);
}

namespace {

class HalfspaceWorld : public World {
 public:
  HalfspaceWorld(int64_t features, int64_t shown, int64_t seed) : shown_(shown) {
    auto generator = stream(seed, "half-space");
    w_F_ = at::randn({features}, generator, at::kDouble);
  }

  Examples draw(int64_t count, at::Generator generator) const override {
    const Tensor x = at::randn({count, w_F_.size(0)}, generator, at::kDouble);
    return {hide_after(x, shown_), at::mv(x, w_F_).gt(0).to(at::kLong)};
  }

  Tensor posterior(const Tensor& inputs_NF) const override { return given(inputs_NF, 0, shown_); }
  int64_t shown() const override { return shown_; }
  Tensor feature_log_odds(int64_t feature, const Tensor& inputs_NF) const override {
    return given(inputs_NF, feature, 1);
  }

  Estimate loss(double scale) const override {
    if (scale != 1) return World::loss(scale);
    const double seen = w_F_.narrow(0, 0, shown_).norm().item<double>(), unseen = rest(0, shown_);
    if (unseen == 0) return {0};
    return {normal_expectation(0, seen / unseen, [](double z) { return binary_entropy(normal_distribution(z)); })};
  }

 private:
  /// ‖w‖ of all features but `count` from `first` on.
  double rest(int64_t first, int64_t count) const {
    const Tensor others = w_F_.clone();
    others.narrow(0, first, count).zero_();
    return others.norm().item<double>();
  }

  Tensor given(const Tensor& inputs_NF, int64_t first, int64_t count) const {
    const Tensor w = w_F_.narrow(0, first, count);
    const Tensor z = (at::mv(inputs_NF.to(at::kDouble).narrow(1, first, count), w) / rest(first, count)).contiguous();
    Tensor nats = at::empty_like(z);
    for (int64_t i = 0; i < z.size(0); ++i) {
      const double value = z.const_data_ptr<double>()[i];
      // Past ±40 deviations the log-odds are beyond ±100; 0/0, all shown and w·x = 0, says nothing.
      const double near = std::isnan(value) ? 0 : std::clamp(value, -40.0, 40.0);
      nats.data_ptr<double>()[i] =
          std::clamp(log_normal_distribution(near) - log_normal_distribution(-near), -100.0, 100.0);
    }
    return binary_log_odds(nats);
  }

  int64_t shown_;
  Tensor w_F_;
};

}  // namespace

Halfspace::Halfspace(const Options& options) : SampledTask(options.sizes), options_(options) {
  for (const int64_t shown : distinct_values(options_.shown)) shown_features(shown, options_.features);
}

std::unique_ptr<World> Halfspace::world(size_t run, int64_t seed) const {
  return std::make_unique<HalfspaceWorld>(options_.features, shown_features(options_.shown.at(run), options_.features),
                                          seed);
}

}  // namespace logodds
