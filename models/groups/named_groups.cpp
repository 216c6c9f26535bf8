#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <sstream>

#include "core/error.h"
#include "core/text.h"
#include "models/groups/group.h"

namespace logodds {

namespace {

using Permutation = std::vector<int64_t>;
using Numbers = std::vector<int64_t>;

std::vector<Permutation> permutations(int64_t n) {
  Permutation one(static_cast<size_t>(n));
  std::iota(one.begin(), one.end(), 0);
  std::vector<Permutation> all;
  do {
    all.push_back(one);
  } while (std::ranges::next_permutation(one).found);
  return all;
}

/// Partitions of n with parts of at most `largest`, in falling order.
std::vector<Numbers> partitions(int64_t n, int64_t largest) {
  if (n == 0) return {{}};
  std::vector<Numbers> all;
  for (int64_t part = std::min(n, largest); part >= 1; --part) {
    for (auto& rest : partitions(n - part, part)) {
      rest.insert(rest.begin(), part);
      all.push_back(std::move(rest));
    }
  }
  return all;
}

/// An irrep of S_n is a partition λ; its χ/d at a transposition is the mean of j - i over the cells (i,j) of λ, over
/// (n-1)/2 (Frobenius), and for n ≤ 5 no two partitions share it.
std::vector<IrrepName> symmetric_names(int64_t n, int64_t transposition) {
  std::vector<IrrepName> names;
  for (const auto& partition : partitions(n, n)) {
    std::vector<std::string> parts;
    int64_t content = 0;
    for (size_t i = 0; i < partition.size(); ++i) {
      parts.push_back(std::to_string(partition[i]));
      for (int64_t j = 0; j < partition[i]; ++j) content += j - static_cast<int64_t>(i);
    }
    names.push_back({"ρ=" + join(parts, "+"),
                     {{transposition, 2.0 * static_cast<double>(content) / static_cast<double>(n * (n - 1))}}});
  }
  return names;
}

std::shared_ptr<const Group> symmetric_group(int64_t n) {
  const auto all = permutations(n);
  std::map<Permutation, int64_t> number;
  std::vector<std::string> elements;
  for (const auto& permutation : all) {
    number[permutation] = static_cast<int64_t>(elements.size());
    std::string word;
    for (const int64_t i : permutation) word += std::to_string(i + 1);
    elements.push_back(word);
  }
  std::vector<int64_t> table;
  for (const auto& a : all) {
    for (const auto& b : all) {
      Permutation product;
      for (const int64_t i : b) product.push_back(a[static_cast<size_t>(i)]);
      table.push_back(number.at(product));
    }
  }
  Permutation swap = all.front();
  std::swap(swap[0], swap[1]);
  const auto order = static_cast<int64_t>(all.size());
  return std::make_shared<Group>(at::tensor(table, at::kLong).view({order, order}), elements,
                                 symmetric_names(n, number.at(swap)));
}

double cosine(int64_t turns, int64_t n) {
  return std::cos(2 * std::numbers::pi * static_cast<double>(turns % n) / static_cast<double>(n));
}

std::shared_ptr<const Group> dihedral_group(int64_t n) {
  // r^i s^u ∘ r^j s^v = r^(i ± j) s^(u + v), minus where u = 1.
  const Tensor all = at::arange(2 * n, at::kLong), turn = all.remainder(n), flip = all.div(n, "floor");
  const Tensor sign = 1 - 2 * flip.unsqueeze(1);
  const Tensor table = (turn.unsqueeze(1) + sign * turn).remainder(n) + n * (flip.unsqueeze(1) + flip).remainder(2);
  std::vector<std::string> elements;
  for (int64_t k = 0; k < 2 * n; ++k) {
    const std::string rotation = k % n == 0 ? "" : "r" + std::to_string(k % n);
    elements.push_back(k == 0 ? "1" : k < n ? rotation : rotation + "s");
  }
  // At r, s and rs, in Mulliken's notation.
  const auto name = [&](const char* label, double r, double s) {
    return IrrepName{std::string("ρ=") + label, {{1, r}, {n, s}, {n + 1, r * s}}};
  };
  std::vector<IrrepName> names{name("A1", 1, 1), name("A2", 1, -1)};
  if (n % 2 == 0) names.insert(names.end(), {name("B1", -1, 1), name("B2", -1, -1)});
  for (int64_t k = 1; 2 * k < n; ++k)
    names.push_back({"ρ=E" + std::to_string(k), {{1, cosine(k, n)}, {n, 0}, {n + 1, 0}}});
  return std::make_shared<Group>(table, elements, names);
}

/// Numbers of mixed radix, the last digit fastest.
Numbers digits(int64_t number, const Numbers& radix) {
  Numbers result(radix.size());
  for (size_t i = radix.size(); i-- > 0; number /= radix[i]) result[i] = number % radix[i];
  return result;
}

std::string bracketed(const Numbers& numbers) {
  std::vector<std::string> words;
  for (const int64_t number : numbers) words.push_back(std::to_string(number));
  return words.size() == 1 ? words[0] : "(" + join(words, " ") + ")";
}

/// κ and -κ are one irrep; cos of the sum of two factors' angles tells relative signs apart.
std::vector<IrrepName> product_names(const Numbers& radix, const Numbers& weight, int64_t order) {
  std::vector<IrrepName> names;
  for (int64_t k = 0; k < order; ++k) {
    const Numbers frequency = digits(k, radix);
    int64_t minus = 0;
    for (size_t i = 0; i < radix.size(); ++i) minus += weight[i] * ((radix[i] - frequency[i]) % radix[i]);
    if (minus < k) continue;
    IrrepName name{"κ=" + bracketed(frequency), {}};
    const auto angle = [&](size_t i) { return static_cast<double>(frequency[i]) / static_cast<double>(radix[i]); };
    for (size_t i = 0; i < radix.size(); ++i) {
      name.ratios.emplace_back(weight[i], cosine(frequency[i], radix[i]));
      for (size_t j = 0; j < i; ++j)
        name.ratios.emplace_back(weight[i] + weight[j], std::cos(2 * std::numbers::pi * (angle(i) + angle(j))));
    }
    names.push_back(std::move(name));
  }
  return names;
}

std::shared_ptr<const Group> cyclic_product(const Numbers& radix, int64_t order) {
  Numbers weight(radix.size(), 1);
  for (size_t i = radix.size() - 1; i-- > 0;) weight[i] = weight[i + 1] * radix[i + 1];
  const Tensor all = at::arange(order, at::kLong);
  Tensor table = at::zeros({order, order}, at::kLong);
  for (size_t i = 0; i < radix.size(); ++i) {
    const Tensor digit = all.div(weight[i], "floor").remainder(radix[i]);
    table += weight[i] * (digit.unsqueeze(1) + digit).remainder(radix[i]);
  }
  std::vector<std::string> elements;
  for (int64_t number = 0; number < order; ++number) elements.push_back(bracketed(digits(number, radix)));
  return std::make_shared<Group>(table, elements, product_names(radix, weight, order));
}

/// n of "S5" for 'S'; nothing for other words.
std::optional<int64_t> size_after(char letter, const std::string& word) {
  return !word.empty() && word[0] == letter ? parse_integer(word.substr(1)) : std::nullopt;
}

}  // namespace

std::shared_ptr<const Group> named_group(const std::string& name) {
  constexpr int64_t kMost = 512;
  if (const auto n = size_after('S', name); n && *n >= 2 && *n <= 5) return symmetric_group(*n);
  if (const auto n = size_after('D', name); n && *n >= 3 && 2 * *n <= kMost) return dihedral_group(*n);
  Numbers radix;
  int64_t order = 1;
  std::stringstream words(name.ends_with('x') ? "" : name);
  for (std::string word; std::getline(words, word, 'x');) {
    const auto n = size_after('Z', word);
    if (!n || *n < 2 || *n > kMost || (order *= *n) > kMost) {
      radix.clear();
      break;
    }
    radix.push_back(*n);
  }
  if (radix.empty())
    throw Error(
        "'group' must be S2 to S5, D3 to D256, Z2 to Z512, or a product such as Z4xZ7 of at most 512 elements, "
        "not '" +
        name + "'");
  return cyclic_product(radix, order);
}

}  // namespace logodds
