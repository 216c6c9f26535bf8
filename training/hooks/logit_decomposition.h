#pragma once

#include "models/circuits/circuits.h"
#include "training/hook.h"

namespace logodds {

/// Splits the logits on all examples into circuits. Columns logit_decomposition.X, vectors in the order of the
/// circuits (κ = 1 … ⌊V/2⌋ for output_frequency):
///   energy_share        [P] share of each circuit in Σ f², ⟨f_g, f⟩ / ⟨f, f⟩, f the centred logits
///   cosine_coefficient  [P] A_κ of cos w_κ(y - c), nats; it is also the circuit's mean evidence for the right class
///   cosine_fve          [P] fraction of the variance of f that A_κ cos w_κ(y - c) explains
///   margin              [P] mean evidence for the right class against the runner-up of the whole network, nats
///   key_frequencies     the κ with cosine_fve ≥ key_fve, in falling order of it
///   key_count, key_fve  their number, and the sum of cosine_fve over them
///   restricted_loss_train, _test   loss of the sum of the key circuits alone, nats
///   excluded_loss_train, _test     loss of the sum of all other circuits, nats
///   cosine_loss_train, _test       loss of Σ_key A_κ cos w_κ(y - c), nats
///   completeness_error  max|f - Σ f_κ| / max|f|
/// irreducible_representations has character_… in place of cosine_…, with χ_ρ(y c⁻¹)/χ_ρ(1) in place of the cosine.
/// Other bases lack these columns and choose key circuits by energy_share ≥ key_fve. All but output_frequency have
///   labels, key_circuits  names of all circuits, which may change as the network does, and of the key ones
/// With no key circuit the restricted network knows nothing: its loss is ln V.
class LogitDecomposition : public Hook {
 public:
  struct Options {
    Selection basis{decompositions(), "output_frequency"};
    double key_fve = 0.01;
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit LogitDecomposition(const Options& options) : options_(options) {}

  const Options& options() const { return options_; }

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
