#include "training/tasks/router.h"

#include <ATen/ATen.h>

#include <cmath>

#include "training/tasks/expectations.h"

namespace logodds {

void Router::Options::fields(Fields& fields) {
  fields.integer({"features", "k; each example is told by one of them alone"}, features, between(1, 4096));
  fields.per_run({"shown", "features that can be seen, the first ones; the others read 0; 0: all"}, shown, at_least(0));
  fields.per_run({"accuracy", "q, how often that one is right"}, accuracy, inside(0.5, 1));
  sizes.fields(fields);
}

namespace {

class RouterWorld : public World {
 public:
  RouterWorld(int64_t features, int64_t shown, double accuracy)
      : features_(features), shown_(shown), accuracy_(accuracy) {}

  Examples draw(int64_t count, at::Generator generator) const override {
    const auto options = at::TensorOptions().dtype(at::kLong);
    const Tensor targets = at::randint(2, {count}, generator, options);
    const Tensor owner = at::randint(features_, {count}, generator, options);
    const Tensor right = at::rand({count}, generator, at::kDouble).lt(accuracy_);
    const Tensor said = sign_of(targets) * (2 * right.to(at::kDouble) - 1);
    return {hide_after(at::one_hot(owner, features_) * said.unsqueeze(1), shown_), targets};
  }

  Tensor posterior(const Tensor& inputs_NF) const override { return log_odds(inputs_NF.to(at::kDouble).sum(1)); }
  int64_t shown() const override { return shown_; }
  Tensor feature_log_odds(int64_t feature, const Tensor& inputs_NF) const override {
    return log_odds(inputs_NF.to(at::kDouble).select(1, feature));
  }

  Estimate loss(double scale) const override {
    const double nats = scale * std::log(accuracy_ / (1 - accuracy_)),
                 share = static_cast<double>(shown_) / static_cast<double>(features_);
    const double told = accuracy_ * logistic_loss(nats) + (1 - accuracy_) * logistic_loss(-nats);
    return {share * told + (1 - share) * std::log(2)};
  }

 private:
  Tensor log_odds(const Tensor& reading_N) const {
    return binary_log_odds(reading_N * std::log(accuracy_ / (1 - accuracy_)));
  }

  int64_t features_, shown_;
  double accuracy_;
};

}  // namespace

Router::Router(const Options& options) : SampledTask(options.sizes), options_(options) {
  for (const int64_t shown : distinct_values(options_.shown)) shown_features(shown, options_.features);
}

std::unique_ptr<World> Router::world(size_t run, int64_t) const {
  return std::make_unique<RouterWorld>(options_.features, shown_features(options_.shown.at(run), options_.features),
                                       options_.accuracy.at(run));
}

}  // namespace logodds
