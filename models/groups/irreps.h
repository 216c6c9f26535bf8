#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace logodds {

class Group;

/// An irreducible representation over the real numbers.
struct Irrep {
  std::string label;   ///< "κ=14", "ρ=4+1"; of an unnamed group "ρ=d.i", the i-th of dimension d
  std::string type;    ///< "real", "complex" (χ and its conjugate count as one), "quaternionic"
  int64_t dimension;   ///< d, of the complex representation
  Tensor character_G;  ///< χ, float64; χ + χ̄ for type complex
};

/// What an irrep is called whose character is these multiples of χ(1) at these elements.
struct IrrepName {
  std::string label;
  std::vector<std::pair<int64_t, double>> ratios;
};

/// All real irreps of a group and an orthonormal basis of the real functions on it that consists of their matrix
/// coefficients: columns first[i] … first[i+1]-1 span those of irrep i, d² of them, 2d² for type complex.
struct Irreps {
  std::vector<Irrep> all;  ///< the trivial one first
  Tensor basis_GM;         ///< [G,G], float64
  std::vector<int64_t> first;
};

/// Computed from the Cayley table alone. The sums D_i over a conjugacy class and its inverses span a commutative
/// algebra, closed under inversion, whose indivisible idempotents are e_ρ = (d/|G|) Σ_g χ_ρ(g) g: the common
/// eigenvectors of all D_i, found as those of a random combination of them, sharpened by e ← 3e² - 2e³, which squares
/// the error. The projection of a function f on the group on the matrix coefficients of ρ is e_ρ * f,
///   P_ρ f(g) = (d/|G|) Σ_h χ_ρ(h) f(h⁻¹g),
/// and the basis are the eigenvectors of Σ_i i P_i. Irreps that have a name stand in the order of the names; without
/// names they are ordered by dimension, then by falling χ/χ(1).
Irreps real_irreps(const Group& group, const std::vector<IrrepName>& names);

}  // namespace logodds
