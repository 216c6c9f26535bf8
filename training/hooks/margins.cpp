#include "training/hooks/margins.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/calibration.h"
#include "core/log_odds.h"

namespace logodds {

void Margins::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void Margins::observe(const Snapshot& snapshot, Row& row) {
  const auto put = [&](const std::string& set, const Tensor& samples_B) {
    if (samples_B.numel() == 0) return;
    const Tensor margins = margin(snapshot.logits_NV.index_select(0, samples_B).to(at::kDouble),
                                  snapshot.targets_N.index_select(0, samples_B));
    const Tensor quantiles = margins.quantile(at::tensor({0.0, 0.01, 0.5, 1.0}, margins.options())).to(at::kCPU);
    row["margins.quantiles_" + set] =
        std::vector<double>(quantiles.const_data_ptr<double>(), quantiles.const_data_ptr<double>() + quantiles.numel());
    row["margins.mean_" + set] = margins.mean().item<double>();
  };
  put("train", snapshot.train_B);
  put("test", snapshot.test_B);
  const double norm = snapshot.parameters.flat().to(at::kDouble).norm().item<double>();
  row["margins.mean_per_norm"] = row["margins.mean_train"].get<double>() / norm;
  row["margins.rms_per_norm"] = centred_rms(snapshot.logits_NV.index_select(0, snapshot.train_B)) / norm;
}

}  // namespace logodds
