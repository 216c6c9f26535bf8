#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "core/tensor.h"

namespace logodds {

/// One named tensor of a model, without the run axis.
struct ParameterSpec {
  std::string name;  ///< as TransformerLens names it: "blocks.0.attn.W_Q"
  std::vector<int64_t> shape;
  double init_std = 0;  ///< standard deviation of the normal initialisation; 0: zeros
};

/// The weights of R runs: one flat buffer [R, n] and one flat gradient buffer, with a view [R, shape...] per name.
/// The optimizer sees the flat buffers, everything else the names. Each tensor begins at a multiple of 16 elements;
/// the padding is zero, gets no gradient and stays zero under every optimizer.
class Parameters {
 public:
  Parameters(std::vector<ParameterSpec> specs, int64_t runs, const at::TensorOptions& options);

  int64_t runs() const;
  const std::vector<ParameterSpec>& specs() const { return specs_; }
  const Tensor& flat() const { return flat_; }
  const Tensor& flat_gradient() const { return flat_gradient_; }
  /// Number of weights of one run, padding not counted.
  int64_t count() const;

  /// View [R, shape...] of one tensor, or of its gradient; throws Error for an unknown name.
  const Tensor& operator[](const std::string& name) const { return views_[index_of(name)]; }
  const Tensor& gradient(const std::string& name) const { return gradients_[index_of(name)]; }

  /// The views in the order of the specs; as leaves of an autograd graph when `requires_grad`.
  const std::vector<Tensor>& views() const { return views_; }
  const std::vector<Tensor>& gradients() const { return gradients_; }
  void set_requires_grad(bool requires_grad);

  /// Draws run r's weights from seeds[r]: normal with each spec's standard deviation times scales[r]. The draws of a
  /// tensor depend on the seed and its name only.
  void initialise(const std::vector<int64_t>& seeds, const std::vector<double>& scales);

  /// The weights of one run, names as in the specs, on the CPU; and the reverse. `load` refuses missing, unknown or
  /// differently shaped tensors with an I/O Error that names `source`.
  NamedTensors run(int64_t run) const;
  void load(int64_t run, const NamedTensors& tensors, const std::string& source);

  /// A pack of the runs first … first+count-1 that shares weights and gradients with this one.
  Parameters part(int64_t first, int64_t count) const;

  /// A copy of one run's weights as a pack of one; of all runs in another dtype.
  Parameters select(int64_t run) const;
  Parameters to(at::ScalarType dtype) const;

 private:
  Parameters(std::vector<ParameterSpec> specs, Tensor flat, Tensor flat_gradient);
  size_t index_of(const std::string& name) const;

  std::vector<ParameterSpec> specs_;
  Tensor flat_;
  Tensor flat_gradient_;
  std::vector<Tensor> views_;
  std::vector<Tensor> gradients_;
};

}  // namespace logodds
