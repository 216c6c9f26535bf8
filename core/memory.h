#pragma once

namespace logodds {

/// Keeps freed memory in the process instead of giving it back to the system. A training step frees and takes the same
/// few megabytes every time; fetching them anew costs page faults, up to a fifth of a step. Also asks for huge pages: a
/// step meets more of the usual ones than the processor keeps addresses of, which costs up to a twentieth. For `main`
/// to call.
void keep_freed_memory();

}  // namespace logodds
