#pragma once

#include "models/model.h"

namespace logodds {

/// Transformer without LayerNorm, with untied unembedding, read at the last position. Inputs a, b (and "=" when
/// equals_token, the token number p). Per block, with x the residual stream [R,B,T,D]:
///   q,k,v = x W_Q, x W_K, x W_V            per head, K = D/H
///   A = α softmax(q kᵀ/√K) + (1-α)         over the visible positions; α = attention_mix
///   x ← x + Σ_h A v W_O;  x ← x + φ(x W_in + b_in) W_out + b_out
/// logits = x_last W_U. With `biases: all` q, k, v, the attention's output and the logits have biases too: b_Q, b_K,
/// b_V, b_O, b_U. α = 1 is the usual attention, α = 0 sums all positions ("The Clock and the Pizza", Zhong et al.
/// 2023). Initialisation (Nanda et al. 2023): W_E, W_pos, attention and MLP weights normal with std 1/√D, W_U with std
/// 1/√V, biases 0; all times init_scale.
class Transformer : public Model {
 public:
  struct Options {
    int64_t layers = 1;
    int64_t d_model = 128;
    int64_t heads = 4;
    int64_t d_mlp = 512;
    std::string activation = "relu";
    std::string biases = "mlp";
    bool causal = true;
    bool equals_token = true;
    double attention_mix = 1;
    PerRun<double> init_scale{1.0};
    void fields(Fields& fields);
  };

  /// Throws Error unless d_model is a multiple of heads, and for features or a single logit.
  Transformer(const Options& options, const InputShape& shape);

  std::vector<ParameterSpec> specs() const override;
  int64_t classes() const override { return shape_.classes; }
  const PerRun<double>& init_scale() const override { return options_.init_scale; }
  Tensor trace(const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const override;

  /// Without the last block's queries and all that follows from them at positions that are not read.
  Tensor untraced(const Parameters& parameters, const Tensor& inputs_RBT) const override;

  /// The embedding and position of the last token, every head's output and every MLP's, through W_U.
  LogitPaths paths(const Parameters& one, const Tensor& inputs_BT) const override;

  /// One layer: see models/transformer_fold.h. More layers and all biases are not folded, nor on a CPU batches of less
  /// than two samples per three tokens.
  std::optional<Folded> fold(const Parameters& parameters, const Inputs& inputs, bool gauge) const override;

 private:
  int64_t positions() const { return shape_.positions + (options_.equals_token ? 1 : 0); }
  bool all_biases() const { return options_.biases == "all"; }
  int64_t d_head() const { return options_.d_model / options_.heads; }
  /// The logits, with the last block's output at the last `read` positions only.
  Tensor logits_reading(int64_t read, const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const;
  /// What the last `read` positions get from all, [R,B,read,D].
  Tensor attention(const Parameters& parameters, const std::string& block, const Tensor& x_RBTD, int64_t read,
                   const Tap& tap) const;

  Options options_;
  InputShape shape_;
};

}  // namespace logodds
