#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string_view>

namespace logodds {

/// A CPU generator for one purpose ("split", "init embed.W_E") of one run. Streams of different purposes or seeds are
/// unrelated, so adding a consumer never changes what another draws. Always on the CPU: the draws are the same on
/// every device.
at::Generator stream(int64_t seed, std::string_view purpose);

}  // namespace logodds
