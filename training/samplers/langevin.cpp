#include "training/samplers/langevin.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "training/samplers/philox_kernel.h"

namespace logodds {

namespace {

/// A share of work: some pages of one piece of one chain. Sums are made per share and added in order, so they do not
/// depend on the number of threads.
struct Share {
  int64_t chain;
  Piece piece;
};

constexpr int64_t kSharePages = 512;

std::vector<Share> shares_of(int64_t chains, const std::vector<Piece>& pieces) {
  std::vector<Share> shares;
  constexpr int64_t kSize = kSharePages * kNoisePage;
  for (int64_t chain = 0; chain < chains; ++chain) {
    for (const auto& piece : pieces) {
      // Cut at whole pages, so that no page's noise is made twice.
      for (int64_t begin = piece.begin; begin < piece.end;) {
        const int64_t end = std::min(piece.end, (begin / kSize + 1) * kSize);
        shares.push_back({chain, {begin, end}});
        begin = end;
      }
    }
  }
  return shares;
}

/// Σ over the shares of each chain, [R].
template <class F>
Tensor sum_per_chain(int64_t chains, const Target& target, const F& of_share) {
  const auto shares = shares_of(chains, target.pieces);
  std::vector<double> sums(shares.size());
  at::parallel_for(0, static_cast<int64_t>(shares.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sums[static_cast<size_t>(i)] = of_share(shares[static_cast<size_t>(i)]);
  });
  const Tensor sum_R = at::zeros({chains}, at::kDouble);
  for (size_t i = 0; i < shares.size(); ++i) sum_R.mutable_data_ptr<double>()[shares[i].chain] += sums[i];
  return sum_R;
}

template <class F>
auto by_type(const Tensor& weights, const F& f) {
  return weights.scalar_type() == at::kFloat ? f(float{}) : f(double{});
}

/// The numbers of one chain that a step multiplies with.
template <class T>
struct Factors {
  Factors(const Target& target, int64_t chain)
      : nbeta(static_cast<T>(target.nbeta[static_cast<size_t>(chain)])),
        localisation(static_cast<T>(target.localisation[static_cast<size_t>(chain)])),
        half(static_cast<T>(target.step_size[static_cast<size_t>(chain)] / 2)),
        noise(static_cast<T>(std::sqrt(target.step_size[static_cast<size_t>(chain)]))) {}
  T nbeta, localisation, half, noise;
};

/// Sum with as many accumulators as a vector has lanes, so that the loop over them is vectorised.
template <class T, class F>
double lane_sum(int64_t begin, int64_t end, const F& term) {
  constexpr int64_t kLanes = 16;
  std::array<T, kLanes> lanes{};
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[static_cast<size_t>(j)] += term(i + j);
  }
  double sum = 0;
  for (const T lane : lanes) sum += static_cast<double>(lane);
  for (; i < end; ++i) sum += static_cast<double>(term(i));
  return sum;
}

template <class T>
struct Rows {
  T* weights;
  const T *gradient, *centre, *precondition;
};

/// Moves elements [begin, end) of one page or less.
template <class T>
double move(const Rows<T>& row, const Factors<T>& f, int64_t begin, int64_t end, const float* noise) {
  const auto distance = [&](int64_t i) {
    const T d = row.weights[i] - row.centre[i];
    return d * d;
  };
  const double sum = lane_sum<T>(begin, end, distance);
  if (row.precondition == nullptr) {
    for (int64_t i = begin; i < end; ++i) {
      const T drift = f.nbeta * row.gradient[i] + f.localisation * (row.weights[i] - row.centre[i]);
      row.weights[i] += f.noise * static_cast<T>(noise[i - begin]) - f.half * drift;
    }
    return sum;
  }
  for (int64_t i = begin; i < end; ++i) {
    const T drift = f.nbeta * row.gradient[i] + f.localisation * (row.weights[i] - row.centre[i]),
            G = row.precondition[i];
    row.weights[i] += f.noise * std::sqrt(G) * static_cast<T>(noise[i - begin]) - f.half * G * drift;
  }
  return sum;
}

template <class T>
double move_share(const Rows<T>& row, const Factors<T>& f, Piece piece, uint64_t key, int64_t step) {
  constexpr int64_t kPages = 16;
  std::array<float, kPages * kNoisePage> noise;
  double sum = 0;
  for (int64_t begin = piece.begin; begin < piece.end;) {
    const int64_t page = begin / kNoisePage, first = page * kNoisePage;
    const int64_t end = std::min(piece.end, first + kPages * kNoisePage);
    standard_normals(key, static_cast<uint64_t>(step), page, (end + kNoisePage - 1) / kNoisePage, noise.data());
    sum += move(row, f, begin, end, noise.data() + (begin - first));
    begin = end;
  }
  return sum;
}

template <class T>
const T* row_of(const Tensor& x_Rn, int64_t row) {
  return x_Rn.defined() ? x_Rn.const_data_ptr<T>() + row * x_Rn.stride(0) : nullptr;
}

}  // namespace

Tensor langevin_step(Parameters& chains, const Tensor& gradient_Rn, const Tensor& precondition_Rn, const Target& target,
                     const StepOf& step) {
  const Tensor& flat = chains.flat();
  return by_type(flat, [&]<class T>(T) {
    return sum_per_chain(flat.size(0), target, [&](const Share& share) {
      const int64_t r = share.chain;
      const Rows<T> row{flat.mutable_data_ptr<T>() + r * flat.stride(0), row_of<T>(gradient_Rn, r),
                        target.centre_n.const_data_ptr<T>(), row_of<T>(precondition_Rn, r)};
      return move_share(row, Factors<T>(target, r), share.piece, step.keys[static_cast<size_t>(r)], step.number);
    });
  });
}

Tensor langevin_misfit(const Tensor& from_Rn, const Tensor& gradient_Rn, const Tensor& to_Rn, const Target& target) {
  return by_type(from_Rn, [&]<class T>(T) {
    return sum_per_chain(from_Rn.size(0), target, [&](const Share& share) {
      const auto r = static_cast<size_t>(share.chain);
      const T *from = row_of<T>(from_Rn, share.chain), *g = row_of<T>(gradient_Rn, share.chain),
              *to = row_of<T>(to_Rn, share.chain), *centre = target.centre_n.const_data_ptr<T>();
      const double nbeta = target.nbeta[r], gamma = target.localisation[r], half = target.step_size[r] / 2;
      return lane_sum<double>(share.piece.begin, share.piece.end, [&](int64_t i) {
        const double w = from[i], drift = nbeta * g[i] + gamma * (w - centre[i]), rest = to[i] - w + half * drift;
        return rest * rest;
      });
    });
  });
}

Tensor squared_distance(const Tensor& weights_Rn, const Target& target) {
  return by_type(weights_Rn, [&]<class T>(T) {
    return sum_per_chain(weights_Rn.size(0), target, [&](const Share& share) {
      const T *w = row_of<T>(weights_Rn, share.chain), *centre = target.centre_n.const_data_ptr<T>();
      return lane_sum<double>(share.piece.begin, share.piece.end, [&](int64_t i) {
        const double d = static_cast<double>(w[i]) - static_cast<double>(centre[i]);
        return d * d;
      });
    });
  });
}

}  // namespace logodds
