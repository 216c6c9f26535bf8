#include "training/transforms/orthogonal_gradient.h"

#include <ATen/ATen.h>

namespace logodds {

void OrthogonalGradient::Options::fields(Fields& fields) {
  fields.choice({"scope", "orthogonal to each tensor, or to all weights as one vector"}, scope, scopes());
  fields.flag({"rescale", "give what is left the length that the gradient had"}, rescale);
}

void OrthogonalGradient::change_gradient(Parameters& parameters) {
  constexpr double kRounding = 1e-10;
  for (const auto& [weights, gradient] : blocks(parameters, options_.scope)) {
    const Tensor w = weights.to(at::kDouble), g = gradient.to(at::kDouble);
    const Tensor square = dot_per_run(w, w);
    const Tensor share = at::where(square > 0, dot_per_run(w, g) / square, at::zeros_like(square));
    Tensor rest = g - share * w;
    if (options_.rescale) {
      const Tensor before = dot_per_run(g, g).sqrt(), after = dot_per_run(rest, rest).sqrt();
      rest = rest * at::where(after > kRounding * before, before / after, at::ones_like(after));
    }
    gradient.copy_(rest);
  }
}

}  // namespace logodds
