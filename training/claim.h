#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/component.h"
#include "models/circuits/circuits.h"
#include "training/world.h"

namespace logodds {

/// A trained run, in float64, beside the world that its examples come from.
struct Trained {
  std::string label;  ///< what tells it from the other runs of its seed: "shown 2"
  std::unique_ptr<World> world;
  const Model& model;
  Parameters parameters;  ///< a pack of one
  Examples train, test;
  Tensor train_logits, test_logits;  ///< the network's, [N,V]

  /// ", shown 2", to end a figure's name with; empty where there is nothing to tell runs apart by.
  std::string tag() const { return label.empty() ? "" : ", " + label; }
};

/// A figure that theory states, and what a trained network says of it; NaN where one is not defined.
struct Figure {
  std::string what;
  double theory;
  double measured;
};

/// A statement of theory about trained runs, one row or more of a table.
class Claim {
 public:
  virtual ~Claim() = default;

  /// Of all runs of one seed, in their order. What the figures are depends on the runs' options alone. Throws Error
  /// where the runs are not of a kind that it speaks of.
  virtual std::vector<Figure> figures(const std::vector<Trained>& runs) const = 0;
};

/// The claims by name.
const Catalogue& claims();

/// A row of a table: means over the seeds, and the measured mean's 95 % interval from the spread between seeds of what
/// was measured minus what theory states for that seed (of what was measured, where theory states nothing); NaN for
/// one.
struct TableRow {
  std::string what;
  double theory, measured, low, high;
  size_t seeds;
};

/// The figures of each seed's runs, made one.
std::vector<TableRow> table_rows(const Claim& claim, const std::vector<std::vector<Trained>>& runs_of_seeds);

}  // namespace logodds
