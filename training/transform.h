#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/component.h"
#include "training/optimizer.h"

namespace logodds {

/// Changes the gradient before the optimizer's update, or the weights after it, of all runs at once. As in Optimizer,
/// nothing that changes from step to step may be read on the host.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual void change_gradient(Parameters&) {}
  virtual void change_weights(Parameters&) {}

  /// As in Optimizer.
  virtual NamedTensors state() const { return {}; }
  virtual void restore(const NamedTensors&) {}
};

/// The transforms by name; each is made for the Parameters it will change, with their initial weights.
const Catalogue& transforms();

/// An optimizer with transforms around it: in their order, all change the gradient; the update; in the same order, all
/// change the weights.
class TransformedOptimizer : public Optimizer {
 public:
  using Named = std::vector<std::pair<std::string, std::unique_ptr<Transform>>>;
  TransformedOptimizer(Named transforms, std::unique_ptr<Optimizer> optimizer)
      : transforms_(std::move(transforms)), optimizer_(std::move(optimizer)) {}

  void step(Parameters& parameters, const Tensor& factor) override;
  double learning_rate(int64_t run) const override { return optimizer_->learning_rate(run); }
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;

 private:
  Named transforms_;
  std::unique_ptr<Optimizer> optimizer_;
};

/// Weights and gradient [R,n] as views of the flat buffers: "tensor": of each tensor, "global": of all at once.
struct Block {
  Tensor weights_Rn;
  Tensor gradient_Rn;
};
std::vector<Block> blocks(const Parameters& parameters, const std::string& scope);
inline std::vector<std::string> scopes() { return {"tensor", "global"}; }

/// Σ_i a_i b_i of each run, [R,1], float64.
Tensor dot_per_run(const Tensor& a_Rn, const Tensor& b_Rn);

}  // namespace logodds
