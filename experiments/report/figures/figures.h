#pragma once

#include <vector>

#include "experiments/report/material.h"

namespace logodds {

// The figures of a report, one file each. Each is empty where the runs do not have what it shows.

using Figures = std::vector<ReportFigure>;

Figures learning(const Material& material);            ///< loss and accuracy against step
Figures families(const Material& material);            ///< of each axis: medians over the other runs, steps to grok
Figures circuits_over_time(const Material& material);  ///< energy and margin of the circuits
Figures restricted_loss(const Material& material);     ///< loss of the key circuits alone and of the others
Figures evidence(const Material& material);            ///< of each circuit on one input, checkpoint by checkpoint
Figures bloat(const Material& material);               ///< rms logit, s*, radial and shape change of the loss
Figures weight_norms(const Material& material);
Figures learning_coefficient(const Material& material);  ///< λ̂ against step, beside the test loss
Figures loss_by_circuits(const Material& material);  ///< loss against the number of circuits, measured and in theory
Figures neurons_by_frequency(const Material& material);
Figures pictures(const Material& material);       ///< images with the evidence of their patches
Figures theory(const Material& material);         ///< what the configuration's claims say and what was measured
Figures other_columns(const Material& material);  ///< any other column of the metrics

/// All of them, in the order of the page. What cannot be made, for want of a checkpoint, say, is logged and left out.
Figures all_figures(const Material& material);

}  // namespace logodds
