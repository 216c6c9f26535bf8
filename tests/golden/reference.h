#pragma once

#include <string>

#include "core/safetensors.h"

namespace logodds {

/// What tests/golden/pytorch_reference.py stored under names that begin with `prefix`, which is cut off.
inline NamedTensors reference_under(const std::string& prefix) {
  static const NamedTensors all = read_safetensors(std::string(LOGODDS_TEST_DATA) + "/pytorch_reference.safetensors");
  NamedTensors found;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) found[name.substr(prefix.size())] = tensor;
  }
  return found;
}

}  // namespace logodds
