#pragma once

#include "training/optimizers/adamw.h"

namespace logodds {

/// Muon (Jordan et al. 2024), as torch.optim.Muon: of every matrix W between hidden layers, with its gradient G,
///   B ← μ B + (1-μ) G;  U = (1-μ) G + μ B (nesterov), or B
///   W ← (1 - η λ) W - η √max(1, outputs/inputs) · orthogonal(U)
/// where orthogonal(U) brings the singular values near 1 by five Newton-Schulz steps X ← aX + bAX + cA²X, A = XXᵀ,
/// from U/‖U‖, (a, b, c) = (3.4445, -4.775, 2.0315), in the weights' dtype (PyTorch: bfloat16). Embeddings, the
/// unembedding, and vectors such as biases are AdamW's, with the options under `adamw`. A tensor of three dimensions
/// (attention heads) is a matrix per entry of its first; of four (a convolution) its first against the others. η, λ, μ
/// per run.
class Muon : public Optimizer {
 public:
  struct Options {
    PerRun<double> learning_rate{0.02};
    PerRun<double> weight_decay{0.1};
    PerRun<double> momentum{0.95};
    bool nesterov = true;
    AdamW::Options adamw;
    void fields(Fields& fields);
  };
  Muon(const Options& options, const Parameters& parameters);

  void step(Parameters& parameters, const Tensor& factor) override;
  double learning_rate(int64_t run) const override { return options_.learning_rate.at(static_cast<size_t>(run)); }
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;

 private:
  void step_matrix(size_t i, Parameters& parameters, const Tensor& factor);

  Options options_;
  Tensor learning_rate_R_, decay_R_, momentum_R_;  ///< float64
  std::vector<size_t> matrices_, others_;          ///< numbers of the tensors
  std::vector<Tensor> means_;                      ///< B of each matrix, in the tensor's shape
  Parameters rest_;                                ///< copies of the others, which AdamW updates
  AdamW adamw_;
};

/// The five Newton-Schulz steps on a stack of matrices [N,m,n].
Tensor orthogonalised(const Tensor& matrices_Nmn);

}  // namespace logodds
