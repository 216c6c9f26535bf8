#pragma once

#include <optional>

#include "experiments/inspection.h"

namespace logodds {

/// What theory says of trained runs, beside what they do. Both need a task whose world is known exactly.

/// The table that the configuration asks for under `theory`: a row object per figure (what, theory, measured, low,
/// high, seeds). Throws Error where the configuration asks for none.
Row theory_table(const Inspection& inspection);

/// Of one run: bayes_loss, its Monte Carlo error, temperature; on the test examples (else all) r_squared and slope of
/// the logits against the posterior, and of each feature's part against that feature's own log-odds. Empty where the
/// task's world is not known.
std::optional<Row> learnt_row(const Inspection& inspection, size_t run);

}  // namespace logodds
