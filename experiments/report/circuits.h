#pragma once

#include <nlohmann/json.hpp>

#include "core/metrics.h"

namespace logodds {

/// Prints what CircuitReport::figures gave, with "run", "label" and "step" in front: the key circuits, what they do
/// together, and the crossing where there is one.
void print_circuit_report(const Row& report);

/// Prints what CircuitReport::on_example gave, with "question" as well: each circuit's evidence and the product so far.
void print_evidence(const Row& evidence);

}  // namespace logodds
