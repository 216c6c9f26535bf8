#pragma once

#include "models/model.h"

namespace logodds {

/// One small network per feature of the task, logits added. With x_i the columns of feature i:
///   h_0 = x_i,  h_{l+1} = φ(h_l W_in^l[i] + b_in^l[i]),  f_i = h_L W_U[i],  logits = Σ_i f_i + b_U
/// No hidden layer makes each f_i linear in x_i. What feature i says is f_i (activation "forecasters.hook_logits",
/// [R,B,K,V], K features; circuits: `forecasters`); no feature sees another, so where evidence is not a sum of the
/// features' this cannot learn it. Initialisation: normal with std 1/√(fan-in) of one feature's network, biases 0; all
/// times init_scale.
class ForecasterEnsemble : public Model {
 public:
  struct Options {
    std::vector<int64_t> hidden{16};
    std::string activation = "relu";
    bool bias = true;
    PerRun<double> init_scale{1.0};
    void fields(Fields& fields);
  };

  /// Throws Error for a task whose inputs are tokens.
  ForecasterEnsemble(const Options& options, const InputShape& shape);

  std::vector<ParameterSpec> specs() const override;
  int64_t classes() const override { return shape_.classes; }
  const PerRun<double>& init_scale() const override { return options_.init_scale; }
  Tensor trace(const Parameters& parameters, const Tensor& inputs, const Tap& tap) const override;

  /// The last hidden layer, or the inputs where there is none, feature by feature: [B,K·M] through W_U [K·M,V], and
  /// b_U.
  LogitPaths paths(const Parameters& one, const Tensor& inputs) const override;

  /// K.
  int64_t features() const { return shape_.positions / shape_.width; }

 private:
  Options options_;
  InputShape shape_;
};

}  // namespace logodds
