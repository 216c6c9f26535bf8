#include "training/optimizers/adamw_loops.h"

namespace logodds {

template <class T>
void run(const AdamwUpdate<T>& work, int64_t runs, const Place& place) {
  constexpr int64_t row = AdamwUpdate<T>::kThreads * AdamwUpdate<T>::kEach;
  run_elements(place, runs, (work.size + row - 1) / row, AdamwUpdate<T>::kThreads, work);
}
template void run(const AdamwUpdate<float>&, int64_t, const Place&);
template void run(const AdamwUpdate<double>&, int64_t, const Place&);

}  // namespace logodds
