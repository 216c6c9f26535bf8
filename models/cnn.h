#pragma once

#include "models/model.h"

namespace logodds {

/// Convolutional network on images. With h_0 the image [C,H,W], per entry of `channels`
///   h_{l+1} = φ(pool(h_l ∗ W_conv^l + b_conv^l)),   logits = flatten(h_L) W_U + b_U
/// ∗ convolves without padding, pool takes the largest of pool × pool places (what does not fill one is left out). The
/// weights are blocks.l.conv.W_conv [C_out,C_in,kernel,kernel], b_conv [C_out], unembed.W_U, unembed.b_U; activations
/// blocks.l.conv.hook_pre (pooled, before φ) and hook_post, [R,B,C,H,W]. The units of the last hidden layer are the
/// entries of h_L. Initialisation: normal with std 1/√(fan-in), biases 0; all times init_scale.
class Cnn : public Model {
 public:
  struct Options {
    std::vector<int64_t> channels{8, 16};
    int64_t kernel = 3;
    int64_t pool = 2;
    std::string activation = "relu";
    bool bias = true;
    PerRun<double> init_scale{1.0};
    void fields(Fields& fields);
  };

  /// Throws Error for inputs that are no image, and where the layers leave nothing of it.
  Cnn(const Options& options, const InputShape& shape);

  std::vector<ParameterSpec> specs() const override;
  int64_t classes() const override { return shape_.classes; }
  std::vector<int64_t> image() const override { return shape_.image; }
  const PerRun<double>& init_scale() const override { return options_.init_scale; }
  Tensor trace(const Parameters& parameters, const Tensor& inputs_RBF, const Tap& tap) const override;
  LogitPaths paths(const Parameters& one, const Tensor& inputs_BF) const override;

 private:
  /// Channels, height, width after so many layers.
  std::vector<int64_t> shape_after(size_t layers) const;

  Options options_;
  InputShape shape_;
};

}  // namespace logodds
