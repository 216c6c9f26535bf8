#include "models/transformer_fold.h"

#include <ATen/ATen.h>

#include <cmath>
#include <memory>

#include "models/model.h"
#include "models/ops/attention_pattern.h"
#include "models/ops/batched.h"

namespace logodds {

namespace {

const Tensor& weight(const Parameters& parameters, const char* name) {
  return parameters[std::string("blocks.0.") + name];
}

Tensor transposed(const Tensor& x) { return x.transpose(-2, -1); }

/// The folded form and what its transpose needs of it. Letters as in models/model.h; N = 2p rows, W table columns.
class Fold {
 public:
  Fold(const TransformerFold& options, const Parameters& parameters, const Tensor& inputs_RBT)
      : options_(options), inputs_RBT_(inputs_RBT), R_(inputs_RBT.size(0)), p_(options.tokens), H_(options.heads) {
    fold_rows(parameters);
    fold_pattern(parameters);
    fold_heads(parameters);
  }

  Folded folded() const;
  void pull_back(const std::vector<Tensor>& gradients, Parameters& parameters);

 private:
  void fold_rows(const Parameters& parameters);
  void fold_pattern(const Parameters& parameters);
  void fold_heads(const Parameters& parameters);
  Tensor pull_back_heads(const Tensor& table_gradient, const Tensor& own_gradient, Parameters& parameters);
  void pull_back_pattern(const Tensor& gradient, Parameters& parameters);
  void pull_back_rows(Parameters& parameters);

  double scale() const { return 1 / std::sqrt(static_cast<double>(D_ / H_)); }
  /// How much attention a head gives in all: α, and 1-α to each of the three positions.
  double total() const { return options_.alpha + 3 * (1 - options_.alpha); }
  /// Matrices [R,D,H·K] as one per head, [R·H,D,K], and back.
  Tensor per_head(const Tensor& x) const {
    return x.view({R_, x.size(1), H_, D_ / H_}).transpose(1, 2).reshape({R_ * H_, x.size(1), D_ / H_});
  }
  Tensor all_heads(const Tensor& x) const {
    return x.view({R_, H_, x.size(1), D_ / H_}).transpose(1, 2).reshape({R_, x.size(1), D_});
  }

  TransformerFold options_;
  Tensor inputs_RBT_;
  int64_t R_, p_, H_, D_ = 0, M_ = 0;
  Tensor rows_RND_, own_RND_;   ///< the residual stream's rows for a and b; those of the position that is read
  Tensor query_, keys_;         ///< see fold_pattern
  Tensor unembed_RDV_, read_;   ///< W_U; [W_in | W_U], [R,D,W]
  Tensor W_L_;                  ///< W_out W_U
  Tensor V_RDD_, write_;        ///< W_V of all heads side by side; W_O [W_in | W_U], [R,D,W]
  Tensor values_, own_values_;  ///< rows W_V per head [R·H,N,K]; total · x_= W_V [R,1,D]
  Tensor table_, own_table_;    ///< T, [R,H·N,W]; x_last [W_in | W_U] and all that is constant, [R,·,W]
  AttentionPattern pattern_;
  AttentionPattern::Value attention_;
  Tensor rows_gradient_, own_gradient_;
};

void Fold::fold_rows(const Parameters& parameters) {
  const Tensor E = parameters["embed.W_E"].narrow(1, 0, p_), position = parameters["pos_embed.W_pos"];
  D_ = E.size(2);
  rows_RND_ = at::cat({E + position.narrow(1, 0, 1), E + position.narrow(1, 1, 1)}, 1);
  if (options_.equals) {
    own_RND_ = parameters["embed.W_E"].narrow(1, p_, 1) + position.narrow(1, 2, 1);
    rows_RND_ -= own_RND_;
  } else {
    own_RND_ = rows_RND_.narrow(1, p_, p_);
  }
}

/// With "=": one query, folded into the keys: scores [R,N,H] = rows (W_K q) / √K. Else the query is the second
/// operand's row: a score per pair (b, a), b p + a, then one per b with itself.
void Fold::fold_pattern(const Parameters& parameters) {
  const Tensor &W_Q = weight(parameters, "attn.W_Q"), &W_K = weight(parameters, "attn.W_K");
  query_ = at::matmul(own_RND_.unsqueeze(1), W_Q) * scale();  // [R,H,·,K]
  Tensor scores;
  if (options_.equals) {
    keys_ = at::matmul(W_K, transposed(query_)).squeeze(3).transpose(1, 2);  // [R,D,H]
    scores = matmul_per_run(rows_RND_, keys_);
    pattern_ = {{{.strides = {1, 0}}, {.first = p_, .strides = {0, 1}}, {.zero = true}}, 2, options_.alpha};
  } else {
    keys_ = at::matmul(rows_RND_.unsqueeze(1), W_K);  // [R,H,N,K]
    const Tensor pairs = at::matmul(query_, transposed(keys_.narrow(2, 0, p_)));
    const Tensor same = (query_ * keys_.narrow(2, p_, p_)).sum(-1);
    scores = at::cat({pairs.flatten(2), same}, 2).transpose(1, 2);
    pattern_ = {{{.strides = {1, p_}}, {.first = p_ * p_, .strides = {0, 1}}}, 2, options_.alpha};
  }
  attention_ = pattern_(scores, inputs_RBT_);
}

void Fold::fold_heads(const Parameters& parameters) {
  const Tensor& W_in = weight(parameters, "mlp.W_in");
  M_ = W_in.size(2);
  // Every sample's logits get the errors of W_L and of the constant rows: those are rounded once, at the end.
  const Tensor exact_unembed = relative_to_last(parameters["unembed.W_U"].to(at::kDouble), options_.gauge);
  unembed_RDV_ = exact_unembed.to(W_in.scalar_type());
  W_L_ = matmul_per_run(weight(parameters, "mlp.W_out").to(at::kDouble), exact_unembed).to(W_in.scalar_type());
  read_ = aligned_columns(W_in, unembed_RDV_);
  const Tensor W_O = weight(parameters, "attn.W_O").view({R_, D_, D_});
  write_ = matmul_per_run(W_O, read_);
  V_RDD_ = all_heads(weight(parameters, "attn.W_V").reshape({R_ * H_, D_, D_ / H_}));
  values_ = per_head(matmul_per_run(rows_RND_, V_RDD_));
  table_ = at::bmm(values_, write_.view({R_ * H_, D_ / H_, -1})).view({R_, H_ * 2 * p_, -1});
  const Tensor read = read_.to(at::kDouble), b_out = weight(parameters, "mlp.b_out").unsqueeze(1).to(at::kDouble);
  const Tensor bias = aligned_columns(weight(parameters, "mlp.b_in").unsqueeze(1).to(at::kDouble),
                                      matmul_per_run(b_out, unembed_RDV_.to(at::kDouble)));
  Tensor own = own_RND_.to(at::kDouble);
  if (options_.equals) {
    const Tensor values = matmul_per_run(own, V_RDD_.to(at::kDouble)) * total();
    own = matmul_per_run(values, W_O.to(at::kDouble), own);
    own_values_ = values.to(V_RDD_.scalar_type());
  }
  own_table_ = matmul_per_run(own, read, bias).to(read_.scalar_type());
}

Folded Fold::folded() const {
  Folded folded;
  folded.mix.table_RNW = options_.equals ? table_ : at::cat({table_, own_table_}, 1);
  folded.mix.weights_RBC = attention_.weights;
  if (options_.equals) {
    folded.mix.base_RW = own_table_.squeeze(1);
  } else {
    folded.mix.terms.push_back({.position = 1, .first_row = H_ * 2 * p_, .weight = -1});
  }
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t h = 0; h < H_; ++h) folded.mix.terms.push_back({t, (h * 2 + t) * p_, h * 2 + t});
  }
  folded.hidden = M_;
  folded.has_direct = true;
  folded.activation = options_.activation;
  folded.layers = {{W_L_, {}}};
  return folded;
}

void Fold::pull_back(const std::vector<Tensor>& gradients, Parameters& parameters) {
  const auto into = [&](const char* name) -> const Tensor& {
    return parameters.gradient(std::string("blocks.0.") + name);
  };
  const int64_t N = H_ * 2 * p_, direct = aligned(M_), V = unembed_RDV_.size(2);
  const Tensor table = gradients[0].narrow(1, 0, N);
  const Tensor own = options_.equals ? gradients[1].unsqueeze(1) : gradients[0].narrow(1, N, p_);
  const Tensor &attention = gradients[options_.equals ? 2 : 1], &W_L = gradients.back();

  const Tensor read = pull_back_heads(table, own, parameters);
  into("mlp.W_in").copy_(read.narrow(2, 0, M_));
  const Tensor bias = own.sum(1, /*keepdim=*/true), bias_direct = bias.narrow(2, direct, V);
  into("mlp.b_in").copy_(bias.squeeze(1).narrow(1, 0, M_));
  into("mlp.b_out").copy_(matmul_per_run(bias_direct, transposed(unembed_RDV_)).squeeze(1));
  into("mlp.W_out").copy_(matmul_per_run(W_L, transposed(unembed_RDV_)));
  Tensor U = matmul_per_run(transposed(weight(parameters, "mlp.W_out")), W_L, read.narrow(2, direct, V));
  U = U + weight(parameters, "mlp.b_out").unsqueeze(2) * bias_direct;
  parameters.gradient("unembed.W_U").copy_(relative_to_last_gradient(U, options_.gauge));
  pull_back_pattern(attention, parameters);
  pull_back_rows(parameters);
}

/// From T and the constant rows to W_V, W_O, the residual rows, and [W_in | W_U], whose gradient it returns.
Tensor Fold::pull_back_heads(const Tensor& table_gradient, const Tensor& own_gradient, Parameters& parameters) {
  const int64_t K = D_ / H_;
  const Tensor heads = table_gradient.reshape({R_ * H_, 2 * p_, -1});
  const Tensor values = all_heads(at::bmm(heads, transposed(write_.view({R_ * H_, K, -1}))));
  Tensor write = at::bmm(transposed(values_), heads).view({R_, D_, -1});
  Tensor V = matmul_per_run(transposed(rows_RND_), values);
  own_gradient_ = matmul_per_run(own_gradient, transposed(read_));
  if (options_.equals) {
    const Tensor own_values = matmul_per_run(own_gradient, transposed(write_)) * total();
    write = write + transposed(own_values_) * own_gradient;
    V = V + transposed(own_RND_) * own_values;
    own_gradient_ = matmul_per_run(own_values, transposed(V_RDD_), own_gradient_);
  }
  rows_gradient_ = matmul_per_run(values, transposed(V_RDD_));
  parameters.gradient("blocks.0.attn.W_V").copy_(per_head(V).view({R_, H_, D_, K}));
  const Tensor W_O = weight(parameters, "attn.W_O").view({R_, D_, D_});
  parameters.gradient("blocks.0.attn.W_O").view({R_, D_, D_}).copy_(matmul_per_run(write, transposed(read_)));
  return matmul_per_run(transposed(W_O), write, matmul_per_run(transposed(own_RND_), own_gradient));
}

/// From the attention to W_Q, W_K and the residual rows.
void Fold::pull_back_pattern(const Tensor& gradient, Parameters& parameters) {
  const Tensor &W_Q = weight(parameters, "attn.W_Q"), &W_K = weight(parameters, "attn.W_K");
  const int64_t score_rows = options_.equals ? 2 * p_ : p_ * p_ + p_;
  const Tensor scores = pattern_.gradient(attention_.softmax, inputs_RBT_, gradient, score_rows);
  Tensor query, W_K_gradient;
  if (options_.equals) {
    rows_gradient_ = matmul_per_run(scores, transposed(keys_), rows_gradient_);
    const Tensor keys = matmul_per_run(transposed(rows_RND_), scores).transpose(1, 2).unsqueeze(3);  // [R,H,D,1]
    W_K_gradient = keys * query_;
    query = at::matmul(transposed(keys), W_K);
  } else {
    const Tensor pairs = scores.narrow(1, 0, p_ * p_).transpose(1, 2).reshape({R_, H_, p_, p_});
    const Tensor same = scores.narrow(1, p_ * p_, p_).transpose(1, 2).unsqueeze(3);
    query = at::matmul(pairs, keys_.narrow(2, 0, p_)) + same * keys_.narrow(2, p_, p_);
    const Tensor keys = at::cat({at::matmul(transposed(pairs), query_), same * query_}, 2);
    W_K_gradient = at::matmul(transposed(rows_RND_).unsqueeze(1), keys);
    rows_gradient_ = rows_gradient_ + at::matmul(keys, transposed(W_K)).sum(1);
  }
  query = query * scale();
  parameters.gradient("blocks.0.attn.W_K").copy_(W_K_gradient);
  parameters.gradient("blocks.0.attn.W_Q").copy_(at::matmul(transposed(own_RND_).unsqueeze(1), query));
  own_gradient_ = own_gradient_ + at::matmul(query, transposed(W_Q)).sum(1);
}

/// From the residual rows to the embeddings.
void Fold::pull_back_rows(Parameters& parameters) {
  const Tensor &E = parameters.gradient("embed.W_E"), &position = parameters.gradient("pos_embed.W_pos");
  if (options_.equals) {
    own_gradient_ = own_gradient_ - rows_gradient_.sum(1, /*keepdim=*/true);
    E.narrow(1, p_, 1).copy_(own_gradient_);
    position.narrow(1, 2, 1).copy_(own_gradient_);
  } else {
    rows_gradient_.narrow(1, p_, p_).add_(own_gradient_);
  }
  const Tensor first = rows_gradient_.narrow(1, 0, p_), second = rows_gradient_.narrow(1, p_, p_);
  E.narrow(1, 0, p_).copy_(first + second);
  position.narrow(1, 0, 1).copy_(first.sum(1, /*keepdim=*/true));
  position.narrow(1, 1, 1).copy_(second.sum(1, /*keepdim=*/true));
}

}  // namespace

Folded fold_transformer(const TransformerFold& options, const Parameters& parameters, const Tensor& inputs_RBT) {
  const auto fold = std::make_shared<Fold>(options, parameters, inputs_RBT);
  Folded folded = fold->folded();
  folded.pull_back = [fold](const std::vector<Tensor>& gradients, Parameters& into) {
    fold->pull_back(gradients, into);
  };
  return folded;
}

}  // namespace logodds
