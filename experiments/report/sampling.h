#pragma once

#include "core/metrics.h"

namespace logodds {

/// What experiments/sampling.h and spectrum.h made, for a terminal.
void print_coefficient(const Row& row);
void print_calibration(const Row& row);
void print_checkpoints(const Row& rows);
void print_spectrum(const Row& row);

}  // namespace logodds
