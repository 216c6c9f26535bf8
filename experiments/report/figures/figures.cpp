#include "experiments/report/figures/figures.h"

#include "core/error.h"
#include "core/log.h"

namespace logodds {

Figures all_figures(const Material& material) {
  Figures all;
  for (const auto make : {learning, families, bloat, circuits_over_time, restricted_loss, evidence, loss_by_circuits,
                          neurons_by_frequency, pictures, theory, learning_coefficient, weight_norms, other_columns}) {
    try {
      for (auto& figure : make(material)) all.push_back(std::move(figure));
    } catch (const Error& error) {
      spdlog::warn("a figure is left out: {}", error.what());
    }
  }
  return all;
}

}  // namespace logodds
