#pragma once

namespace logodds {

/// From now on the first SIGINT or SIGTERM is noted, for the work to save and end at its next step; the second ends
/// the program at once, with 128 + its number.
void listen_for_interruption();

/// The signal that asked the work to end; 0 where none has.
int interruption();

inline bool interrupted() { return interruption() != 0; }

}  // namespace logodds
