#pragma once

#include <functional>

#include "experiments/sampling.h"
#include "training/samplers/spectrum.h"

namespace logodds {

/// As read_sampling.
SpectrumOptions read_spectrum(const std::string& path, const std::vector<std::string>& overrides);

/// The tempered spectrum of one run, and the energies that its circuits and memorisation predict on the sampled
/// examples: `points`, `notes` (why some cannot stand) and `levels`, as the README has them. Null where `interrupted`
/// ended it.
Row spectrum_row(const Inspection& inspection, size_t run, const SpectrumOptions& options,
                 const std::filesystem::path& state, const std::function<bool()>& interrupted);

}  // namespace logodds
