#include "core/plain_softmax_loops.h"

namespace logodds {

template <class T, class A>
void run(const PlainSoftmaxRows<T, A>& work, int64_t rows, const Place& place) {
  run_elements(place, 1, 1, rows, work);
}
template void run(const PlainSoftmaxRows<float, Float64>&, int64_t, const Place&);
template void run(const PlainSoftmaxRows<float, Float32>&, int64_t, const Place&);
template void run(const PlainSoftmaxRows<float, Float16>&, int64_t, const Place&);
template void run(const PlainSoftmaxRows<double, Float64>&, int64_t, const Place&);
template void run(const PlainSoftmaxRows<double, Float32>&, int64_t, const Place&);
template void run(const PlainSoftmaxRows<double, Float16>&, int64_t, const Place&);

}  // namespace logodds
