#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "experiments/evaluated_runs.h"

namespace logodds {

/// Writes the metrics of runs for TensorBoard: a directory per run, called as the table calls it
/// ("weight_decay=1,seed=0"), with one file of events, which is replaced where it is there already. Columns become
/// tags, the dot behind a hook's name a slash, by which TensorBoard groups them; numbers are float32, as its format has
/// them; with `vectors` lists become NAME[0], NAME[1], …. Throws an I/O Error.
void write_events(const std::vector<EvaluatedRun>& runs, const std::filesystem::path& directory, bool vectors);

/// CRC-32C (Castagnoli), as TFRecord files have it before they mask it.
uint32_t crc32c(std::string_view bytes);

}  // namespace logodds
