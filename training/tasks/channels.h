#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "training/world.h"

namespace logodds {

/// How a forecaster tells the class: the distribution of its reading x given the class c.
struct ChannelOptions {
  std::string kind;     ///< gaussian, coin, erasure, von_mises
  int64_t classes;      ///< V
  double strength;      ///< μ of gaussian, A of von_mises
  double accuracy;      ///< q of coin and erasure
  double erasure;       ///< ε of erasure
  double correlation;   ///< ρ of gaussian
  double prior;         ///< π_1 of two classes; more are equally likely
  int64_t frequencies;  ///< of von_mises: how many are drawn …
  int64_t seed;         ///< … from this seed
};

/// Independent readings given the class, but for `correlation`. `features` number the distributions: [k] of them make
/// readings [N,k,width].
class Channel {
 public:
  explicit Channel(const ChannelOptions& options) : options_(options) {}
  virtual ~Channel() = default;

  /// Columns of one reading.
  virtual int64_t width() const { return 1; }

  virtual Tensor draw(const std::vector<int64_t>& features, const Tensor& targets_N,
                      at::Generator& generator) const = 0;

  /// ln p(x | c) of readings [N,width] up to what does not depend on c, [N,V].
  virtual Tensor log_likelihood(int64_t feature, const Tensor& reading) const = 0;

  /// Factor on the sum of n features' log-likelihoods that makes it that of all n together: 1 where they are
  /// independent.
  virtual double joint_factor(int64_t /*n*/) const { return 1; }

  /// Expected loss of the posterior's logits of n features times `scale`, nats; empty where there is no closed form.
  virtual std::optional<double> loss(int64_t n, double scale) const = 0;

  /// Slope of ln L per feature in the limit of many, nats; evidence of a reading that is not erased, as odds. NaN where
  /// not known, or where it has no single value.
  virtual double loss_rate() const;
  virtual double odds() const;

  /// ln π_c, [V].
  Tensor log_prior() const;

 protected:
  ChannelOptions options_;
};

/// Throws Error where the options do not fit the kind.
std::unique_ptr<Channel> make_channel(const ChannelOptions& options);
const std::vector<std::string>& channel_names();

}  // namespace logodds
