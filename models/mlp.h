#pragma once

#include "models/model.h"

namespace logodds {

/// MLP. With x_t the embedding of the token at position t:
///   x = Σ_t x_t (sum) or [x_0 … x_{T-1}] (concatenation), or the features where the task's inputs are features
///   h_0 = x,  h_{l+1} = φ(h_l W_in^l + b_in^l),  logits = h_L W_U + b_U
/// `embedding`: shared (one table for all positions), separate (one per position), one_hot (x_t is the indicator of
/// the token: W_in^0 is [p,M] for sum and [T·p,M] for concatenation). Gromov's network is one_hot, concatenation,
/// quadratic, no bias. Initialisation: embed.W_E normal with std 1/√D; W_in and W_U normal with std 1/√(fan-in), for
/// one-hot inputs the fan-in is the number of ones that a sample has; biases 0; all times init_scale.
class Mlp : public Model {
 public:
  struct Options {
    std::string embedding = "shared";
    std::string combine = "sum";
    int64_t d_embed = 128;
    std::vector<int64_t> hidden{512};
    std::string activation = "relu";
    bool bias = true;
    PerRun<double> init_scale{1.0};
    void fields(Fields& fields);
  };

  Mlp(const Options& options, const InputShape& shape);

  std::vector<ParameterSpec> specs() const override;
  int64_t classes() const override { return shape_.classes; }
  std::vector<int64_t> image() const override { return shape_.image; }
  const PerRun<double>& init_scale() const override { return options_.init_scale; }
  Tensor trace(const Parameters& parameters, const Tensor& inputs, const Tap& tap) const override;

  /// The last hidden layer through W_U, and the bias.
  LogitPaths paths(const Parameters& one, const Tensor& inputs) const override;

  /// The embedding is folded into the first layer: rows of the table E W_in^0 are added, not multiplied per sample.
  std::optional<Folded> fold(const Parameters& parameters, const Inputs& inputs, bool gauge) const override;

 private:
  bool one_hot() const { return options_.embedding == "one_hot"; }
  bool embedded() const { return !shape_.features() && !one_hot(); }
  bool sum() const { return options_.combine == "sum"; }
  Tensor embedding(const Parameters& parameters, int64_t position) const;
  Tensor input(const Parameters& parameters, const Tensor& inputs) const;
  /// Columns of the unembedding, as the folded form has them, and its gradient from theirs.
  Tensor folded_columns(const Tensor& x, bool gauge) const;
  Tensor folded_columns_gradient(const Tensor& gradient, bool gauge) const;
  void fold_tokens(const Parameters& parameters, Folded& folded) const;
  /// The folded form's tables: one for all positions where they are embedded and read alike, else one each; and the
  /// rows of the first layer's weights, or of their gradient, that make it.
  int64_t table_count() const;
  Tensor input_weights(const Tensor& W_in, int64_t table) const;
  void pull_back_tokens(const Tensor& table_gradient, Parameters& parameters) const;
  void pull_back(const std::vector<Tensor>& gradients, bool gauge, Parameters& parameters) const;

  Options options_;
  InputShape shape_;
};

}  // namespace logodds
