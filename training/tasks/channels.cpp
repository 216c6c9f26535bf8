#include "training/tasks/channels.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/seeds.h"
#include "training/tasks/expectations.h"

namespace logodds {

double Channel::loss_rate() const { return std::nan(""); }
double Channel::odds() const { return std::nan(""); }

Tensor Channel::log_prior() const {
  if (options_.classes == 2) return at::tensor({1 - options_.prior, options_.prior}, at::kDouble).log();
  return at::full({options_.classes}, -std::log(static_cast<double>(options_.classes)), at::kDouble);
}

namespace {

/// -ln softmax(logits)_c, nats.
double loss_of(const std::vector<double>& logits, size_t c) {
  double others = 0;
  for (const double logit : logits) others += std::exp(logit - logits[c]);
  return std::log(others);
}

/// x | c ~ N(μ t_c, 1), t_c evenly spaced from -1 to 1; correlation ρ between any two features given the class:
/// ln p(x|c) = μ t_c x - μ²t_c²/2, and of n features together α Σ_i ln p(x_i|c), α = 1/(1 + (n-1)ρ).
class GaussianChannel : public Channel {
 public:
  using Channel::Channel;

  Tensor draw(const std::vector<int64_t>& features, const Tensor& targets_N, at::Generator& generator) const override {
    const int64_t N = targets_N.size(0), k = static_cast<int64_t>(features.size());
    const double rho = options_.correlation;
    const Tensor common = at::randn({N, 1, 1}, generator, at::kDouble),
                 own = at::randn({N, k, 1}, generator, at::kDouble);
    const Tensor mean = options_.strength * positions().index_select(0, targets_N).view({N, 1, 1});
    return mean + std::sqrt(rho) * common + std::sqrt(1 - rho) * own;
  }

  Tensor log_likelihood(int64_t, const Tensor& reading) const override {
    const Tensor mean = options_.strength * positions();
    return reading * mean - mean.square() / 2;
  }

  double joint_factor(int64_t n) const override { return 1 / (1 + static_cast<double>(n - 1) * options_.correlation); }

  std::optional<double> loss(int64_t n, double scale) const override {
    // X = Σ x_i ~ N(nμt_c, n/α) is all that matters; logits ln π_c + α(μ t_c X - nμ²t_c²/2).
    const double alpha = joint_factor(n), mu = options_.strength, count = static_cast<double>(n);
    const Tensor positions_V = positions(), log_prior_V = log_prior();
    const double *t = positions_V.const_data_ptr<double>(), *log_prior = log_prior_V.const_data_ptr<double>();
    const auto V = static_cast<size_t>(options_.classes);
    double total = 0;
    for (size_t y = 0; y < V; ++y) {
      std::vector<double> logits(V);
      const auto given = [&](double X) {
        for (size_t c = 0; c < V; ++c) {
          logits[c] = scale * (log_prior[c] + alpha * (mu * t[c] * X - count * mu * mu * t[c] * t[c] / 2));
        }
        return loss_of(logits, y);
      };
      total += std::exp(log_prior[y]) * normal_expectation(count * mu * t[y], std::sqrt(count / alpha), given);
    }
    return total;
  }

  double loss_rate() const override {  // -s²/8 with s² = 4μ², the variance of one feature's log-odds
    const bool known = options_.classes == 2 && options_.correlation == 0;
    return known ? -options_.strength * options_.strength / 2 : std::nan("");
  }

 private:
  Tensor positions() const { return at::linspace(-1, 1, options_.classes, at::kDouble); }
};

/// Symmetric channel: x is the class with probability q, else one of the others, each as likely. Two classes read as
/// ±1, more as indicators. With probability ε nothing can be read: x = 0 (a coin has ε = 0).
class CoinChannel : public Channel {
 public:
  using Channel::Channel;

  int64_t width() const override { return binary() ? 1 : options_.classes; }

  Tensor draw(const std::vector<int64_t>& features, const Tensor& targets_N, at::Generator& generator) const override {
    const int64_t N = targets_N.size(0), k = static_cast<int64_t>(features.size()), V = options_.classes;
    const auto happens = [&](double p) { return at::rand({N, k}, generator, at::kDouble).lt(p); };
    const Tensor wrong = happens(1 - options_.accuracy);
    const Tensor shift = at::randint(1, V, {N, k}, generator, at::TensorOptions().dtype(at::kLong));
    const Tensor seen = happens(1 - epsilon()).unsqueeze(-1);
    const Tensor said = (targets_N.unsqueeze(1) + wrong * shift).remainder(V);
    return seen * (binary() ? (2 * said - 1).unsqueeze(-1) : at::one_hot(said, V)).to(at::kDouble);
  }

  Tensor log_likelihood(int64_t, const Tensor& reading) const override {
    if (!binary()) return reading * std::log(odds());
    return at::cat({-reading, reading}, 1) * (std::log(odds()) / 2);
  }

  /// Of the class that is said against any other.
  double odds() const override {
    return options_.accuracy * static_cast<double>(options_.classes - 1) / (1 - options_.accuracy);
  }

  double loss_rate() const override {  // ln Σ_x √(p(x|0) p(x|1))
    const double q = options_.accuracy;
    return binary() ? std::log(epsilon() + (1 - epsilon()) * 2 * std::sqrt(q * (1 - q))) : std::nan("");
  }

  std::optional<double> loss(int64_t n, double scale) const override {
    const auto seen = binomial(n, 1 - epsilon());
    double total = 0;
    for (int64_t count = epsilon() > 0 ? 0 : n; count <= n; ++count) {
      const auto given = binary() ? binary_loss(count, scale) : multiclass_loss(count, scale);
      if (!given) return std::nullopt;
      total += seen[static_cast<size_t>(count)] * *given;
    }
    return total;
  }

 private:
  bool binary() const { return options_.classes == 2; }
  double epsilon() const { return options_.kind == "erasure" ? options_.erasure : 0; }

  std::optional<double> binary_loss(int64_t n, double scale) const {
    const auto right = binomial(n, options_.accuracy);
    const double nats = std::log(odds()), prior = std::log(options_.prior / (1 - options_.prior));
    double total = 0;
    for (const double sign : {-1.0, 1.0}) {
      const double share = sign > 0 ? options_.prior : 1 - options_.prior;
      for (int64_t r = 0; r <= n; ++r) {
        const double margin = sign * prior + static_cast<double>(2 * r - n) * nats;
        total += share * right[static_cast<size_t>(r)] * logistic_loss(scale * margin);
      }
    }
    return total;
  }

  std::optional<double> multiclass_loss(int64_t n, double scale) const {
    const auto V = static_cast<double>(options_.classes), count = static_cast<double>(n);
    const double ways = std::lgamma(count + V) - std::lgamma(V) - std::lgamma(count + 1);  // ln of how many splits
    if (ways > std::log(1e6)) return std::nullopt;
    std::vector<double> said(static_cast<size_t>(options_.classes), (1 - options_.accuracy) / (V - 1));
    said[0] = options_.accuracy;
    double total = 0;
    std::vector<double> logits(said.size());
    for_each_multinomial(n, said, [&](const std::vector<int64_t>& counts, double probability) {
      for (size_t c = 0; c < counts.size(); ++c) logits[c] = scale * std::log(odds()) * static_cast<double>(counts[c]);
      total += probability * loss_of(logits, 0);
    });
    return total;
  }
};

/// "Ideal gas": x_i = w_i c + vonMises(0, A), w_i = 2πκ_i/V with distinct κ_i, read as (cos x_i, sin x_i):
/// ln p(x_i|c) = A cos(x_i - w_i c).
class VonMisesChannel : public Channel {
 public:
  explicit VonMisesChannel(const ChannelOptions& options) : Channel(options) {
    auto generator = stream(options.seed, "frequencies");
    const int64_t distinct = (options.classes - 1) / 2;
    kappa_ = (at::randperm(distinct, generator, at::TensorOptions().dtype(at::kLong)) + 1).to(at::kDouble);
  }

  int64_t width() const override { return 2; }

  Tensor draw(const std::vector<int64_t>& features, const Tensor& targets_N, at::Generator& generator) const override {
    std::vector<Tensor> readings;
    for (const int64_t feature : features) {
      const Tensor x = angles(feature).index_select(0, targets_N) + noise(targets_N.size(0), generator);
      readings.push_back(at::stack({x.cos(), x.sin()}, 1));
    }
    return at::stack(readings, 1);
  }

  Tensor log_likelihood(int64_t feature, const Tensor& reading) const override {
    const Tensor angle = angles(feature);
    return options_.strength * at::mm(reading, at::stack({angle.cos(), angle.sin()}));
  }

  /// One feature: quadrature over its noise. All classes are alike, and the κ of a prime V as well.
  std::optional<double> loss(int64_t n, double scale) const override {
    if (n > 1) return std::nullopt;
    const Tensor theta = grid().unsqueeze(1);
    const Tensor weight = density(theta.squeeze(1)), logits = scale * options_.strength * (theta - angles(0)).cos();
    const Tensor losses = logits.logsumexp(1) - logits.select(1, 0);
    return ((weight * losses).sum() / weight.sum()).item<double>();
  }

 private:
  Tensor angles(int64_t feature) const {
    return at::arange(options_.classes, at::kDouble) *
           (2 * std::numbers::pi / static_cast<double>(options_.classes) * kappa_[feature]);
  }
  static Tensor grid() { return at::arange(-(1 << 13), 1 << 13, at::kDouble) * (std::numbers::pi / (1 << 13)); }
  Tensor density(const Tensor& theta) const { return (options_.strength * (theta.cos() - 1)).exp(); }

  /// By inversion of the distribution function, tabulated on the grid and linear between.
  Tensor noise(int64_t count, at::Generator& generator) const {
    const Tensor theta = grid(), mass = density(theta + std::numbers::pi / (1 << 14)), total = mass.cumsum(0);
    const Tensor u = at::rand({count}, generator, at::kDouble) * total[-1];
    const Tensor cell = at::searchsorted(total, u).clamp_max(theta.size(0) - 1);
    const Tensor within = (u - total.index_select(0, cell) + mass.index_select(0, cell)) / mass.index_select(0, cell);
    return theta.index_select(0, cell) + within * (std::numbers::pi / (1 << 13));
  }

  Tensor kappa_;
};

}  // namespace

const std::vector<std::string>& channel_names() {
  static const std::vector<std::string> names{"gaussian", "coin", "erasure", "von_mises"};
  return names;
}

std::unique_ptr<Channel> make_channel(const ChannelOptions& options) {
  if (options.correlation != 0 && options.kind != "gaussian")
    throw Error("'correlation' is of the channel 'gaussian'; this is '" + options.kind + "'");
  if (options.prior != 0.5 && options.classes != 2)
    throw Error("'prior' is that of class 1 of two; " + std::to_string(options.classes) +
                " classes are equally likely");
  if (options.kind == "gaussian") return std::make_unique<GaussianChannel>(options);
  if (options.kind == "von_mises") {
    if (options.classes < 2 * options.frequencies + 1) {
      throw Error("'features' of the channel 'von_mises' have distinct frequencies: " +
                  std::to_string(options.frequencies) + " need at least " +
                  std::to_string(2 * options.frequencies + 1) + " 'classes', not " + std::to_string(options.classes));
    }
    return std::make_unique<VonMisesChannel>(options);
  }
  if (options.accuracy * static_cast<double>(options.classes) <= 1) {
    throw Error("'accuracy' must be above that of a guess among " + std::to_string(options.classes) + " classes");
  }
  return std::make_unique<CoinChannel>(options);
}

}  // namespace logodds
