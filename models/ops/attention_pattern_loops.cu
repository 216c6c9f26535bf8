#include "models/ops/attention_pattern_loops.h"

namespace logodds {

template <class T>
void run(const PatternForward<T>& work, int64_t runs, const Place& place) {
  run_elements(place, runs, work.samples, work.heads, work);
}
template <class T>
void run(const PatternGradient<T>& work, int64_t runs, const Place& place) {
  run_warps(place, runs, work.table_rows * work.heads, work);
}

template void run(const PatternForward<float>&, int64_t, const Place&);
template void run(const PatternForward<double>&, int64_t, const Place&);
template void run(const PatternGradient<float>&, int64_t, const Place&);
template void run(const PatternGradient<double>&, int64_t, const Place&);

}  // namespace logodds
