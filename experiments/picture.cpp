#include "experiments/picture.h"

#include <ATen/ATen.h>

#include "core/log_odds.h"
#include "models/circuits/patch_shapley.h"

namespace logodds {

namespace {

Row rows_of(const Tensor& values_HW) {
  Row rows = Row::array();
  for (const Tensor& line : values_HW.unbind(0)) {
    Row row = Row::array();
    for (const Tensor& value : line.unbind(0)) row.push_back(value.item<double>());
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

std::optional<Row> picture(const Subject& subject, int64_t index, const Selection& patches) {
  const auto image = subject.model.image();
  if (image.empty()) return std::nullopt;
  const auto one = [&](const Tensor& all) { return all.narrow(0, index, 1); };
  const Tensor target = one(subject.targets_N), logits = one(subject.logits_NV), x = one(subject.inputs_NT);
  const Observed observed{subject.model, subject.parameters, x, logits, subject.reference_KF};
  const Selection chosen = patches.name() == "patch_shapley" ? patches : Selection(decompositions(), "patch_shapley");
  const auto circuits = chosen.make<Circuits>(observed);
  const auto& shapley = dynamic_cast<const PatchShapley&>(*circuits);
  const Tensor evidence_P = circuit_margins(shapley, target, runner_up(logits, target)).squeeze(1);
  const int64_t count = shapley.rows() * shapley.columns();
  const Tensor low = subject.reference_KF.min(), high = subject.reference_KF.max();
  const Tensor pixels = (x.view(image).mean(0) - low) / (high - low).clamp_min(1e-300);
  return Row{{"height", image[1]},
             {"width", image[2]},
             {"pixels", rows_of(pixels.clamp(0, 1))},
             {"patches", rows_of(evidence_P.narrow(0, 0, count).view({shapley.rows(), shapley.columns()}))},
             {"background", evidence_P[count].item<double>()}};
}

}  // namespace logodds
