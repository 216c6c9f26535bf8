#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/inspection.h"

namespace logodds {

/// What is asked about a subject's circuits.
struct CircuitQuestion {
  Selection circuits;
  std::optional<Selection> cross;  ///< a second decomposition to hold the first against
  std::vector<std::string> drop;   ///< labels of circuits that are taken out …
  std::vector<std::string> keep;   ///< … or of the only ones that are left
  double key_share = 0.01;         ///< a circuit is key from this share of the logits' energy on
  int64_t directions = 0;          ///< how many ablation directions of the last hidden layer are shown as well
};

/// A decomposition of a subject, with what is wanted of it.
class CircuitReport {
 public:
  /// Throws Error for a decomposition that does not fit the model, and for labels that are not there.
  CircuitReport(const Subject& subject, const CircuitQuestion& question);

  /// Every figure of the decomposition; the README has the table of them.
  Row figures() const;

  /// One of them, by its key: "measures". Throws Error where there is none of that name.
  Row figure(const std::string& key) const;

  /// Loss and accuracy of the first k key circuits on some of the subject's examples, k = 0, 1, …: loss_curve of the
  /// README's table; null where no circuit is key.
  Row curve(const Tensor& samples_B) const;

  /// Every kept circuit's evidence on one example, for the right answer against the runner-up of the whole network: key
  /// circuits first, each group by falling evidence.
  Row on_example(int64_t example) const;

  /// The part "loss_curve" of the figures, of their sample of examples; null where no circuit is key.
  Row curve() const { return curve(samples_B_); }

 private:
  std::vector<std::pair<std::string, std::function<Row()>>> all_figures() const;
  Row set_figures() const;
  Row circuit_figures() const;
  Row scores(const Tensor& logits_NV) const;
  Row ablation() const;
  Row calibration() const;
  Row independence() const;
  Row measures() const;
  Row crossing() const;
  Row directions() const;
  std::vector<std::string> names(const std::vector<int64_t>& parts) const;
  bool dropping() const { return static_cast<int64_t>(kept_.size()) < circuits_->size(); }

  const Subject& subject_;
  std::string name_;
  int64_t directions_;
  std::unique_ptr<Circuits> circuits_;
  std::unique_ptr<Circuits> cross_;
  std::vector<int64_t> kept_;
  std::vector<int64_t> key_;  ///< largest first
  Tensor energy_shares_P_;
  Tensor key_shares_P_;
  std::string evidence_set_;  ///< "test", or "all" where there is none
  Tensor samples_B_;          ///< at most 2000 examples of it, evenly spaced: what the slow figures are computed on
};

}  // namespace logodds
