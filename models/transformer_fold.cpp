#include "models/transformer_fold.h"

#include <ATen/ATen.h>

#include <cmath>
#include <memory>

#include "models/model.h"
#include "models/ops/attention_pattern.h"
#include "models/ops/batched.h"
#include "models/ops/product.h"
#include "models/ops/together.h"

namespace logodds {

namespace {

const Tensor& weight(const Parameters& parameters, const char* name) {
  return parameters[std::string("blocks.0.") + name];
}

Tensor transposed(const Tensor& x) { return x.transpose(-2, -1); }

/// The folded form and what its transpose needs of it. Letters as in models/model.h; W table columns.
///
/// A token's row at the second position is its row at the first plus the same step for all of them, and so it stays in
/// everything linear that is made of the rows. So what is linear is computed of S = p + 1 rows, one per token and the
/// step, and of its transpose's operands only their sums; 2p rows are made where a sample picks one of them.
class Fold {
 public:
  Fold(const TransformerFold& options, const Parameters& parameters, const Tensor& inputs_RBT)
      : options_(options),
        inputs_RBT_(inputs_RBT),
        R_(inputs_RBT.size(0)),
        p_(options.tokens),
        H_(options.heads),
        D_(parameters["embed.W_E"].size(2)) {
    together(inputs_RBT, {[&] { fold_unembedding(parameters); }, [&] { fold_values(parameters); }});
    together(inputs_RBT, {[&] { fold_logits(parameters); }, [&] { write_ = product(W_O_RDD_, read_); },
                          [&] { fold_pattern(parameters); }, [&] { fold_own(parameters); }});
    fold_table();
  }

  Folded folded() const;
  void pull_back(const std::vector<Tensor>& gradients, Parameters& parameters);

 private:
  void fold_values(const Parameters& parameters);
  void fold_pattern(const Parameters& parameters);
  void fold_unembedding(const Parameters& parameters);
  void fold_logits(const Parameters& parameters);
  void fold_own(const Parameters& parameters);
  void fold_table();
  void pull_back_head(const Tensor& table_gradient, const Tensor& own_gradient, int64_t head);
  void pull_back_logits(const Tensor& W_L_gradient, Parameters& parameters);
  void pull_back_read(const Tensor& own_gradient, Parameters& parameters);
  void pull_back_output(Parameters& parameters);
  void pull_back_values(const Tensor& own_gradient, Parameters& parameters);
  void pull_back_pattern(const Tensor& gradient, Parameters& parameters);
  void pull_back_rows(Parameters& parameters);

  /// A piece of work per head.
  std::vector<std::function<void()>> each_head(const std::function<void(int64_t head)>& work) const {
    std::vector<std::function<void()>> pieces;
    for (int64_t head = 0; head < H_; ++head) pieces.emplace_back([work, head] { work(head); });
    return pieces;
  }
  double scale() const { return 1 / std::sqrt(static_cast<double>(D_ / H_)); }
  /// How much attention a head gives in all: α, and 1-α to each of the three positions.
  double total() const { return options_.alpha + 3 * (1 - options_.alpha); }
  /// W_V or its gradient, a matrix per head [R,H,D,K], as one for all heads side by side [R,D,H·K]; no copy.
  Tensor side_by_side(const Tensor& x) const { return x.transpose(1, 2).flatten(2); }
  /// The p rows of tokens, and the step, of S rows.
  Tensor tokens_of(const Tensor& rows) const { return rows.narrow(1, 0, p_); }
  Tensor step_of(const Tensor& rows) const { return rows.narrow(1, p_, 1); }
  Tensor at_both(const Tensor& rows) const;
  Tensor at_both_gradient(const Tensor& gradient) const;
  /// What belongs to one head of values [R,S,H·K], of rows [R,H·K,W], of the table [R,H·N,W].
  Tensor columns_of(const Tensor& values, int64_t head) const { return values.narrow(2, head * D_ / H_, D_ / H_); }
  Tensor rows_of(const Tensor& write, int64_t head) const { return write.narrow(1, head * D_ / H_, D_ / H_); }
  Tensor part_of(const Tensor& table, int64_t head) const { return table.narrow(1, head * 2 * p_, 2 * p_); }

  TransformerFold options_;
  Tensor inputs_RBT_;
  int64_t R_, p_, H_, D_, M_ = 0;
  Tensor rows_RSD_, own_RND_;  ///< the residual stream's: tokens at the first position, and the step; where it is read
  Tensor query_, keys_;        ///< see fold_pattern
  Tensor exact_unembed_, unembed_RDV_;  ///< W_U in float64, and rounded
  Tensor read_;                         ///< [W_in | W_U], [R,D,W]
  Tensor W_L_;                          ///< W_out W_U
  Tensor V_RDD_, W_O_RDD_, write_;      ///< W_V and W_O of all heads; W_O [W_in | W_U], [R,D,W]
  Tensor values_, own_values_;          ///< rows W_V, [R,S,D]; total · x_= W_V, [R,1,D]
  Tensor own_table_;                    ///< x_last [W_in | W_U] and all that is constant, [R,·,W]
  Tensor table_;                        ///< T, [R,H·N,W]; without "=" followed by own_table_
  AttentionPattern pattern_;
  AttentionPattern::Value attention_;
  Tensor values_gradient_, write_gradient_, unembed_gradient_, rows_gradient_, own_gradient_;
};

/// From S rows [R,S,·] to those of both positions [R,2p,·].
Tensor Fold::at_both(const Tensor& rows) const {
  return at::cat({tokens_of(rows), tokens_of(rows) + step_of(rows)}, 1);
}

Tensor Fold::at_both_gradient(const Tensor& gradient) const {
  const Tensor first = gradient.narrow(1, 0, p_), second = gradient.narrow(1, p_, p_);
  const Tensor rows = at::empty({gradient.size(0), p_ + 1, gradient.size(2)}, gradient.options());
  Tensor tokens = tokens_of(rows), step = step_of(rows);
  at::add_out(tokens, first, second);
  at::sum_out(step, second, 1, /*keepdim=*/true);
  return rows;
}

void Fold::fold_values(const Parameters& parameters) {
  const Tensor E = parameters["embed.W_E"].narrow(1, 0, p_), position = parameters["pos_embed.W_pos"];
  const Tensor first = position.narrow(1, 0, 1), second = position.narrow(1, 1, 1);
  own_RND_ = options_.equals ? parameters["embed.W_E"].narrow(1, p_, 1) + position.narrow(1, 2, 1) : E + second;
  const Tensor relative = options_.equals ? first - own_RND_ : first;
  rows_RSD_ = at::cat({E + relative, second - first}, 1);
  V_RDD_ = side_by_side(weight(parameters, "attn.W_V"));
  W_O_RDD_ = weight(parameters, "attn.W_O").view({R_, D_, D_});
  values_ = product(rows_RSD_, V_RDD_);
}

/// With "=": one query, folded into the keys: scores [R,N,H] = rows (W_K q) / √K. Else the query is the second
/// operand's row: a score per pair (b, a), b p + a, then one per b with itself.
void Fold::fold_pattern(const Parameters& parameters) {
  const Tensor &W_Q = weight(parameters, "attn.W_Q"), &W_K = weight(parameters, "attn.W_K");
  query_ = at::matmul(own_RND_.unsqueeze(1), W_Q) * scale();  // [R,H,·,K]
  Tensor scores;
  if (options_.equals) {
    keys_ = at::matmul(W_K, transposed(query_)).squeeze(3).transpose(1, 2);  // [R,D,H]
    scores = at_both(matmul_per_run(rows_RSD_, keys_));
    pattern_ = {{{.strides = {1, 0}}, {.first = p_, .strides = {0, 1}}, {.zero = true}}, 2, options_.alpha};
  } else {
    keys_ = at::matmul(rows_RSD_.unsqueeze(1), W_K);  // [R,H,S,K]
    const Tensor first = keys_.narrow(2, 0, p_), second = first + keys_.narrow(2, p_, 1);
    const Tensor pairs = at::matmul(query_, transposed(first));
    const Tensor same = (query_ * second).sum(-1);
    scores = at::cat({pairs.flatten(2), same}, 2).transpose(1, 2);
    pattern_ = {{{.strides = {1, p_}}, {.first = p_ * p_, .strides = {0, 1}}}, 2, options_.alpha};
  }
  attention_ = pattern_(scores, inputs_RBT_);
}

// Every sample's logits get the errors of W_L and of the constant rows: those are rounded once, at the end.

void Fold::fold_unembedding(const Parameters& parameters) {
  const Tensor& W_in = weight(parameters, "mlp.W_in");
  M_ = W_in.size(2);
  exact_unembed_ = relative_to_last(parameters["unembed.W_U"].to(at::kDouble), options_.gauge);
  unembed_RDV_ = exact_unembed_.to(W_in.scalar_type());
  read_ = aligned_columns(W_in, unembed_RDV_);
}

void Fold::fold_own(const Parameters& parameters) {
  const Tensor b_out = weight(parameters, "mlp.b_out").unsqueeze(1).to(at::kDouble);
  const Tensor bias = aligned_columns(weight(parameters, "mlp.b_in").unsqueeze(1).to(at::kDouble),
                                      matmul_per_run(b_out, unembed_RDV_.to(at::kDouble)));
  Tensor own = own_RND_.to(at::kDouble);
  if (options_.equals) {
    const Tensor values = matmul_per_run(own, V_RDD_.to(at::kDouble)) * total();
    own = matmul_per_run(values, W_O_RDD_.to(at::kDouble), own);
    own_values_ = values.to(V_RDD_.scalar_type());
  }
  own_table_ = matmul_per_run(own, read_.to(at::kDouble), bias).to(read_.scalar_type());
}

void Fold::fold_logits(const Parameters& parameters) {
  const Tensor& W_out = weight(parameters, "mlp.W_out");
  W_L_ = product(W_out.to(at::kDouble), exact_unembed_).to(W_out.scalar_type());
}

void Fold::fold_table() {
  const int64_t N = H_ * 2 * p_;  // rows
  table_ = at::empty({R_, options_.equals ? N : N + p_, read_.size(2)}, read_.options());
  if (!options_.equals) table_.narrow(1, N, p_).copy_(own_table_);
  together(table_, each_head([this](int64_t head) {
             const Tensor part = part_of(table_, head);
             // The step's row comes to lie where the second position's first will.
             put_product(part.narrow(1, 0, p_ + 1), columns_of(values_, head), rows_of(write_, head));
             const Tensor step = step_of(part).clone();
             Tensor second = part.narrow(1, p_, p_);
             at::add_out(second, tokens_of(part), step);
           }));
}

Folded Fold::folded() const {
  Folded folded;
  folded.mix.table_RNW = table_;
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
  folded.layers = {{W_L_, {}, {}}};
  return folded;
}

void Fold::pull_back(const std::vector<Tensor>& gradients, Parameters& parameters) {
  const int64_t N = H_ * 2 * p_;
  const Tensor table = gradients[0].narrow(1, 0, N);
  const Tensor own = options_.equals ? gradients[1].unsqueeze(1) : gradients[0].narrow(1, N, p_);
  const Tensor &attention = gradients[options_.equals ? 2 : 1], &W_L = gradients.back();
  values_gradient_ = at::empty_like(values_);
  write_gradient_ = at::empty_like(write_);

  auto pieces = each_head([&](int64_t head) { pull_back_head(part_of(table, head), own, head); });
  pieces.push_back([&] { pull_back_logits(W_L, parameters); });
  pieces.push_back([&] { pull_back_pattern(attention, parameters); });
  together(table, pieces);
  together(table, {[&] { pull_back_read(own, parameters); }, [&] { pull_back_output(parameters); },
                   [&] { pull_back_values(own, parameters); },
                   [&] { put_product(rows_gradient_, values_gradient_, transposed(V_RDD_), /*add=*/true); }});
  pull_back_rows(parameters);
}

/// From one head's part of T to its values and to its rows of W_O [W_in | W_U].
void Fold::pull_back_head(const Tensor& table_gradient, const Tensor& own_gradient, int64_t head) {
  const Tensor write = rows_of(write_gradient_, head);
  const Tensor rows = at_both_gradient(table_gradient);
  put_product(columns_of(values_gradient_, head), rows, transposed(rows_of(write_, head)));
  put_product(write, transposed(columns_of(values_, head)), rows);
  if (options_.equals) put_product(write, transposed(columns_of(own_values_, head)), own_gradient, /*add=*/true);
}

/// From W_L to W_out and, in part, to W_U.
void Fold::pull_back_logits(const Tensor& W_L_gradient, Parameters& parameters) {
  put_product(parameters.gradient("blocks.0.mlp.W_out"), W_L_gradient, transposed(unembed_RDV_));
  unembed_gradient_ = product(transposed(weight(parameters, "mlp.W_out")), W_L_gradient);
}

/// From [W_in | W_U] and the constant rows to W_in, W_U and the biases.
void Fold::pull_back_read(const Tensor& own_gradient, Parameters& parameters) {
  const auto into = [&](const char* name) { return parameters.gradient(std::string("blocks.0.") + name); };
  const int64_t direct = aligned(M_), V = unembed_RDV_.size(2);
  const Tensor read = product(transposed(W_O_RDD_), write_gradient_);
  put_product(read, transposed(own_RND_), own_gradient, /*add=*/true);
  into("mlp.W_in").copy_(read.narrow(2, 0, M_));
  const Tensor bias = own_gradient.sum(1, /*keepdim=*/true), bias_direct = bias.narrow(2, direct, V);
  into("mlp.b_in").copy_(bias.squeeze(1).narrow(1, 0, M_));
  into("mlp.b_out").copy_(matmul_per_run(bias_direct, transposed(unembed_RDV_)).squeeze(1));
  const Tensor U =
      unembed_gradient_ + read.narrow(2, direct, V) + weight(parameters, "mlp.b_out").unsqueeze(2) * bias_direct;
  parameters.gradient("unembed.W_U").copy_(relative_to_last_gradient(U, options_.gauge));
}

void Fold::pull_back_output(Parameters& parameters) {
  put_product(parameters.gradient("blocks.0.attn.W_O").view({R_, D_, D_}), write_gradient_, transposed(read_));
}

/// From the values and the constant rows to W_V and the row that is read.
void Fold::pull_back_values(const Tensor& own_gradient, Parameters& parameters) {
  const Tensor V = product(transposed(rows_RSD_), values_gradient_);
  own_gradient_ = matmul_per_run(own_gradient, transposed(read_), own_gradient_);
  if (options_.equals) {
    const Tensor own_values = matmul_per_run(own_gradient, transposed(write_)) * total();
    put_product(V, transposed(own_RND_), own_values, /*add=*/true);
    own_gradient_ = matmul_per_run(own_values, transposed(V_RDD_), own_gradient_);
  }
  parameters.gradient("blocks.0.attn.W_V").copy_(V.view({R_, D_, H_, D_ / H_}).transpose(1, 2));
}

/// From the attention to W_Q, W_K and, in part, to the residual rows.
void Fold::pull_back_pattern(const Tensor& gradient, Parameters& parameters) {
  const Tensor &W_Q = weight(parameters, "attn.W_Q"), &W_K = weight(parameters, "attn.W_K");
  const int64_t score_rows = options_.equals ? 2 * p_ : p_ * p_ + p_;
  const Tensor scores = pattern_.gradient(attention_.softmax, inputs_RBT_, gradient, score_rows);
  Tensor query, W_K_gradient;
  if (options_.equals) {
    const Tensor rows = at_both_gradient(scores);
    rows_gradient_ = product(rows, transposed(keys_));
    const Tensor keys = product(transposed(rows), rows_RSD_);  // [R,H,D]
    W_K_gradient = keys.unsqueeze(3) * query_;
    query = at::matmul(keys.unsqueeze(2), W_K);
  } else {
    const Tensor pairs = scores.narrow(1, 0, p_ * p_).transpose(1, 2).reshape({R_, H_, p_, p_});
    const Tensor same = scores.narrow(1, p_ * p_, p_).transpose(1, 2).unsqueeze(3);
    const Tensor first = keys_.narrow(2, 0, p_), second = first + keys_.narrow(2, p_, 1),
                 second_gradient = same * query_;
    query = at::matmul(pairs, first) + same * second;
    const Tensor keys =
        at::cat({at::matmul(transposed(pairs), query_) + second_gradient, second_gradient.sum(2, /*keepdim=*/true)}, 2);
    W_K_gradient = at::matmul(transposed(rows_RSD_).unsqueeze(1), keys);
    rows_gradient_ = at::matmul(keys, transposed(W_K)).sum(1);
  }
  query = query * scale();
  parameters.gradient("blocks.0.attn.W_K").copy_(W_K_gradient);
  parameters.gradient("blocks.0.attn.W_Q").copy_(at::matmul(transposed(own_RND_).unsqueeze(1), query));
  own_gradient_ = at::matmul(query, transposed(W_Q)).sum(1);
}

/// From the residual rows to the embeddings.
void Fold::pull_back_rows(Parameters& parameters) {
  const Tensor &E = parameters.gradient("embed.W_E"), &position = parameters.gradient("pos_embed.W_pos");
  const Tensor tokens = tokens_of(rows_gradient_), step = step_of(rows_gradient_);
  const Tensor all = tokens.sum(1, /*keepdim=*/true);
  position.narrow(1, 0, 1).copy_(all - step);
  if (options_.equals) {
    own_gradient_ = own_gradient_ - all;
    E.narrow(1, 0, p_).copy_(tokens);
    E.narrow(1, p_, 1).copy_(own_gradient_);
    position.narrow(1, 1, 1).copy_(step);
    position.narrow(1, 2, 1).copy_(own_gradient_);
  } else {
    E.narrow(1, 0, p_).copy_(tokens + own_gradient_);
    position.narrow(1, 1, 1).copy_(step + own_gradient_.sum(1, /*keepdim=*/true));
  }
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
