#include "training/transforms/l2_penalty.h"

#include <ATen/ATen.h>

namespace logodds {

void L2Penalty::Options::fields(Fields& fields) {
  fields.per_run({"coefficient", "λ of (λ/2) ‖w‖²"}, coefficient, at_least(0));
}

L2Penalty::L2Penalty(const Options& options, const Parameters& parameters)
    : coefficient_R1_(per_run(options.coefficient, parameters).to(parameters.flat().scalar_type()).unsqueeze(1)) {}

void L2Penalty::change_gradient(Parameters& parameters) {
  parameters.flat_gradient().addcmul_(parameters.flat(), coefficient_R1_);
}

}  // namespace logodds
