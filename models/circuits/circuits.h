#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/component.h"
#include "core/tensor.h"
#include "models/model.h"

namespace logodds {

class Group;

/// What a decomposition looks at: one run of a model on a fixed set of inputs.
struct Observed {
  const Model& model;
  const Parameters& parameters;  ///< a pack of one
  Tensor inputs_BT;
  Tensor logits_BV;
  Tensor reference_KF{};  ///< features of ordinary inputs, which stand for what is left out; undefined: `inputs_BT`
  const Group* group = nullptr;  ///< which the classes form, where that is known
};

/// One additive split of a model's logits on a fixed set of inputs, one run at a time. The parts sum to the
/// class-centred logits; each part is computed from what defines it, none by subtraction from the others. A part is
/// made when it is asked for: at p = 113 all 56 frequencies on all inputs would fill 650 MB in float64.
class Circuits {
 public:
  virtual ~Circuits() = default;

  /// P names, such as "κ=14".
  virtual const std::vector<std::string>& labels() const = 0;

  /// Evidence of circuit p, [B,V], nats, class-centred.
  virtual Tensor part(int64_t p) const = 0;

  /// Sum of some parts, [B,V]. The default streams over them; a decomposition may know a shorter way.
  virtual Tensor sum(const std::vector<int64_t>& parts) const;

  /// Evidence of circuit p for class `classes[b]` of each sample, [B]: part(p) gathered.
  virtual Tensor at_class(int64_t p, const Tensor& classes_B) const;

  /// The same of every circuit, [P,B]; and its mean over the samples, [P], float64.
  virtual Tensor at_classes(const Tensor& classes_B) const;
  virtual Tensor mean_at_classes(const Tensor& classes_B) const;

  /// Inner products Σ_bc x[b,c] part_p[b,c] of every part with x [B,V]: [P], float64.
  virtual Tensor inner(const Tensor& x_BV) const;

  /// Where the parts are orthogonal projections of the logits: the energy that each projection finds in x [B,V], [P],
  /// float64; and the parts' own energies Σ f_p², which are their inner products with the logits. Empty for other
  /// decompositions.
  virtual std::optional<Tensor> energies_in(const Tensor&) const { return std::nullopt; }
  virtual std::optional<Tensor> energies() const { return std::nullopt; }

  int64_t size() const { return static_cast<int64_t>(labels().size()); }

  /// The numbers of circuits named by their labels; throws Error for a name that is not there.
  std::vector<int64_t> find(const std::vector<std::string>& labels) const;

  /// All numbers but those given.
  std::vector<int64_t> all_but(const std::vector<int64_t>& parts) const;

 protected:
  /// [B,V] zeros of the parts' type.
  virtual Tensor zeros() const = 0;
};

/// The decompositions by name; each is made from an Observed.
const Catalogue& decompositions();

/// The decomposition to begin with: output_frequency for tokens, irreducible_representations where the classes form a
/// group other than Z_V, unit_clusters for features, forecasters for a forecaster_ensemble.
Selection default_decomposition(const Model& model, bool features, const Group* group);

/// max|f - Σ_g f_g| / max|f| with f the centred logits [B,V]: 0 for a complete decomposition, up to rounding.
double completeness_error(const Circuits& circuits, const Tensor& logits_BV);

/// The same for whoever has the sum of all parts [B,V].
double completeness_error(const Tensor& sum_of_parts_BV, const Tensor& logits_BV);

/// Share of each circuit in the energy of the centred logits, ⟨f_g, f⟩ / ⟨f, f⟩, [P]; sums to 1. For orthogonal parts
/// it is Σ f_g² / Σ f². 0 where the logits are constant.
Tensor energy_shares(const Circuits& circuits, const Tensor& logits_BV);

/// Evidence of each circuit for the right answer against one rival class per sample, [P,B], nats. The rivals are the
/// same for all circuits, so the column sums are the model's own margins against them.
Tensor circuit_margins(const Circuits& circuits, const Tensor& targets_B, const Tensor& rivals_B);

/// Two decompositions of the same logits held against each other, each entry as a share of Σ f².
struct Crossing {
  Tensor overlap_PQ;                ///< ⟨f_i, g_j⟩ / ⟨f, f⟩ of part i of one and part j of the other; sums to 1
  std::optional<Tensor> energy_PQ;  ///< where the other projects: its energy in part i, ‖Π_j f_i‖² / ‖f‖²
};
Crossing cross(const Circuits& one, const Circuits& other, const Tensor& logits_BV);

}  // namespace logodds
