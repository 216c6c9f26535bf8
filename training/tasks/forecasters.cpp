#include "training/tasks/forecasters.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"

namespace logodds {

void Forecasters::Options::fields(Fields& fields) {
  fields.choice({"channel", "how a feature tells the class"}, channel, channel_names());
  fields.integer({"features", "k, forecasters of the class"}, features, between(1, 4096));
  fields.integer({"classes", "V; of von_mises the modulus p"}, classes, between(2, 512));
  fields.per_run({"shown", "features that can be seen, the first ones; the others read 0; 0: all"}, shown, at_least(0));
  fields.integer({"copies", "the last ones repeat the readings of as many first ones"}, copies, at_least(0));
  fields.per_run({"told", "1: training examples show copies and correlation; 0: there, all is independent"}, told,
                 between(0, 1));
  fields.per_run({"strength", "mean ±μ of gaussian readings; concentration A of von_mises"}, strength, at_least(0));
  fields.per_run({"accuracy", "q, how often coin and erasure readings are right"}, accuracy, inside(0, 1));
  fields.per_run({"erasure", "ε, how often an erasure reading is 0"}, erasure,
                 {.low = 0, .high = 1, .open_high = true});
  fields.per_run({"correlation", "ρ between any two gaussian readings given the class"}, correlation,
                 {.low = 0, .high = 1, .open_high = true});
  fields.real({"prior", "probability of class 1 of two"}, prior, inside(0, 1));
  sizes.fields(fields);
}

namespace {

class ForecasterWorld : public World {
 public:
  /// `repeats`: whether the copies are ones.
  ForecasterWorld(const Forecasters::Options& options, int64_t shown, bool repeats, bool told, ChannelOptions channel)
      : features_(options.features),
        originals_(options.features - options.copies),
        shown_(shown),
        repeats_(repeats),
        told_(told),
        uniform_(options.prior == 0.5),
        channel_(make_channel(channel)),
        log_prior_V_(channel_->log_prior()) {}

  Examples draw(int64_t count, at::Generator generator) const override {
    const Tensor targets =
        at::multinomial(log_prior_V_.exp(), std::max<int64_t>(count, 1), true, generator).narrow(0, 0, count);
    std::vector<int64_t> sources;
    for (int64_t i = 0; i < (repeats_ ? originals_ : features_); ++i) sources.push_back(source(i));
    Tensor readings = channel_->draw(sources, targets, generator);
    if (repeats_) readings = at::cat({readings, readings.narrow(1, 0, features_ - originals_)}, 1);
    return {hide_after(readings.flatten(1), shown_ * channel_->width()), targets};
  }

  Tensor posterior(const Tensor& inputs_NF) const override {
    Tensor sum = at::zeros({inputs_NF.size(0), log_prior_V_.size(0)}, at::kDouble);
    for (int64_t i = 0; i < distinct(); ++i) sum += log_likelihood(i, inputs_NF);
    return centred(log_prior_V_ + channel_->joint_factor(distinct()) * sum);
  }

  int64_t shown() const override { return shown_; }

  Tensor feature_log_odds(int64_t feature, const Tensor& inputs_NF) const override {
    return centred(log_prior_V_ + log_likelihood(feature, inputs_NF));
  }

  Estimate loss(double scale) const override {
    const auto exact = channel_->loss(distinct(), scale);
    return exact ? Estimate{*exact} : World::loss(scale);
  }

  double temperature() const override {
    if (told_) return 1;
    const bool alike = shown_ % distinct() == 0;  // all are repeated equally often: never, or all of them
    const double naive = static_cast<double>(shown_ / distinct()) / channel_->joint_factor(distinct());
    return naive == 1 || (alike && uniform_) ? naive : std::nan("");
  }

  double loss_rate() const override { return channel_->loss_rate(); }

  double unanimous_odds() const override {
    const double prior_odds = (log_prior_V_[1] - log_prior_V_[0]).exp().item<double>();
    return prior_odds * std::pow(channel_->odds(), static_cast<double>(distinct()));
  }

 private:
  int64_t source(int64_t feature) const { return feature < originals_ ? feature : feature - originals_; }
  /// How many of the features shown are not repeated among them.
  int64_t distinct() const { return repeats_ ? std::min(shown_, originals_) : shown_; }

  Tensor log_likelihood(int64_t feature, const Tensor& inputs_NF) const {
    const Tensor reading = inputs_NF.to(at::kDouble).narrow(1, feature * channel_->width(), channel_->width());
    return channel_->log_likelihood(source(feature), reading);
  }

  int64_t features_, originals_, shown_;
  bool repeats_, told_, uniform_;
  std::unique_ptr<Channel> channel_;
  Tensor log_prior_V_;
};

}  // namespace

Forecasters::Forecasters(const Options& options) : SampledTask(options.sizes), options_(options) {
  if (2 * options_.copies > options_.features) {
    throw Error("'copies' (" + std::to_string(options_.copies) + ") are more than half of the 'features' (" +
                std::to_string(options_.features) + "): each repeats another one");
  }
  for (const int64_t shown : distinct_values(options_.shown)) shown_features(shown, options_.features);
  const size_t runs = std::max({size_t{1}, options_.accuracy.runs.size(), options_.correlation.runs.size()});
  for (size_t run = 0; run < runs; ++run) make_channel(channel(run, 0));
}

ChannelOptions Forecasters::channel(size_t run, int64_t seed) const {
  return {.kind = options_.channel,
          .classes = options_.classes,
          .strength = options_.strength.at(run),
          .accuracy = options_.accuracy.at(run),
          .erasure = options_.erasure.at(run),
          .correlation = options_.correlation.at(run),
          .prior = options_.prior,
          .frequencies = options_.features - options_.copies,
          .seed = seed};
}

InputShape Forecasters::shape() const {
  const int64_t width = make_channel(channel(0, 0))->width();
  return {.tokens = 0, .positions = options_.features * width, .classes = options_.classes, .width = width};
}

std::unique_ptr<World> Forecasters::world(size_t run, int64_t seed) const {
  return std::make_unique<ForecasterWorld>(options_, shown_features(options_.shown.at(run), options_.features), true,
                                           options_.told.at(run) == 1, channel(run, seed));
}

std::unique_ptr<World> Forecasters::training_world(size_t run, int64_t seed) const {
  if (options_.told.at(run) == 1) return world(run, seed);
  ChannelOptions independent = channel(run, seed);
  independent.correlation = 0;
  return std::make_unique<ForecasterWorld>(options_, shown_features(options_.shown.at(run), options_.features), false,
                                           true, independent);
}

}  // namespace logodds
