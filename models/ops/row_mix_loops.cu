#include "models/ops/row_mix_loops.h"

namespace logodds {

template <class T>
void run(const MixForward<T>& work, int64_t runs, const Place& place) {
  run_elements(place, runs, work.mix.samples, work.mix.width, work);
}
template <class T>
void run(const MixTableGradient<T>& work, int64_t runs, const Place& place) {
  run_elements(place, runs, work.mix.rows, work.mix.width, work);
}
template <class T>
void run(const MixWeightGradient<T>& work, int64_t runs, const Place& place) {
  run_warps(place, runs, work.mix.samples * work.mix.weight_count, work);
}

template void run(const MixForward<float>&, int64_t, const Place&);
template void run(const MixForward<double>&, int64_t, const Place&);
template void run(const MixTableGradient<float>&, int64_t, const Place&);
template void run(const MixTableGradient<double>&, int64_t, const Place&);
template void run(const MixWeightGradient<float>&, int64_t, const Place&);
template void run(const MixWeightGradient<double>&, int64_t, const Place&);

}  // namespace logodds
