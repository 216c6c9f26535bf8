#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "models/groups/irreps.h"

namespace logodds {

/// A finite group of elements 0 … n-1, given by its Cayley table.
class Group {
 public:
  /// `table_GG`: entry [a,b] is the number of a ∘ b. Throws Error, one sentence that names `source`, the line (row + 1)
  /// and the elements, unless the table is square, closed and associative, has a unit, and every element an inverse.
  explicit Group(const Tensor& table_GG, const std::string& source = "Cayley table");

  /// A table that is known to be one, with names for the elements, and names that some irreps go by.
  Group(const Tensor& table_GG, std::vector<std::string> elements, std::vector<IrrepName> irrep_names);

  int64_t order() const { return table_GG_.size(0); }
  const Tensor& table() const { return table_GG_; }       ///< [G,G]
  const Tensor& inverses() const { return inverses_G_; }  ///< [G]
  int64_t unit() const { return unit_; }

  /// Whether a ∘ b is (a + b) mod n, so that class numbers have Fourier modes.
  bool is_addition() const;

  /// "21354", "r2s", "(1 0 3)", or the number where the elements have no names.
  std::string element(int64_t number) const;

  /// Computed when they are first asked for.
  const Irreps& irreps() const;

 private:
  Tensor table_GG_, inverses_G_;
  int64_t unit_ = 0;
  std::vector<std::string> elements_;
  std::vector<IrrepName> irrep_names_;
  mutable std::once_flag once_;
  mutable Irreps irreps_;
};

/// "S2" … "S5" (permutations in lexicographic order, (a ∘ b)(i) = a(b(i))); "D3" …, the symmetries of the n-gon (2n
/// elements, r^k then r^k s); "Z113" and products such as "Z4xZ7" (a + b in each factor, the last factor fastest). At
/// most 512 elements. Throws Error for other names.
std::shared_ptr<const Group> named_group(const std::string& name);

}  // namespace logodds
