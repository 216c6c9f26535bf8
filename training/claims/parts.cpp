#include "training/claims/parts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"
#include "models/circuits/evidence/ablation.h"
#include "models/circuits/forecasters.h"
#include "training/learnt.h"

namespace logodds {

std::unique_ptr<Circuits> feature_parts(const Trained& run) {
  return std::make_unique<ForecasterCircuits>(ForecasterCircuits::Options(),
                                              Observed{run.model, run.parameters, run.test.inputs_NF, run.test_logits});
}

namespace {

/// Each shown feature's exact log-odds as the parts of a sum.
class ExactParts : public Circuits {
 public:
  ExactParts(const World& world, const Tensor& inputs_NF) : world_(world), inputs_NF_(inputs_NF) {
    for (int64_t i = 0; i < world.shown(); ++i) labels_.push_back("feature " + std::to_string(i + 1));
  }
  const std::vector<std::string>& labels() const override { return labels_; }
  Tensor part(int64_t p) const override { return world_.feature_log_odds(p, inputs_NF_); }

 protected:
  Tensor zeros() const override { return at::zeros_like(part(0)); }

 private:
  const World& world_;
  Tensor inputs_NF_;
  std::vector<std::string> labels_;
};

AblationPictures pictures(const Circuits& parts, const Trained& run) {
  const int64_t shown = run.world->shown();
  if (shown > 12)
    throw Error("ablation takes all subsets of at most 12 features, and " + std::to_string(shown) + " are shown");
  std::vector<int64_t> features;
  for (int64_t i = 0; i < shown; ++i) features.push_back(i);
  const Tensor &targets = run.test.targets_N, samples = at::arange(targets.size(0), at::kLong);
  return ablation_pictures(subset_values(parts, features, run.test_logits, targets, samples));
}

}  // namespace

std::vector<Figure> PartsClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (const auto& run : runs) {
    const Learnt found = learnt(*run.world, run.test.inputs_NF, run.test_logits, feature_parts(run).get());
    double smallest = 1, slope = 0;
    for (const auto& feature : found.features) {
      smallest = std::min(smallest, feature.r_squared);
      slope += feature.slope / static_cast<double>(found.features.size());
    }
    rows.push_back({"R² of the worst part" + run.tag(), 1, smallest});
    rows.push_back({"slope of the parts" + run.tag(), 1, slope});
    rows.push_back({"R² of the sum" + run.tag(), 1, found.sum.r_squared});
  }
  return rows;
}

std::vector<Figure> AblationClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (const auto& run : runs) {
    const auto exact = pictures(ExactParts(*run.world, run.test.inputs_NF), run),
               found = pictures(*feature_parts(run), run);
    rows.push_back({"R² of picture 1: accuracies add" + run.tag(), exact.accuracy.r_squared, found.accuracy.r_squared});
    rows.push_back({"R² of picture 2: ln L adds" + run.tag(), exact.log_loss.r_squared, found.log_loss.r_squared});
    rows.push_back({"multiplicativity" + run.tag(), exact.index, found.index});
  }
  return rows;
}

}  // namespace logodds
