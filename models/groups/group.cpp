#include "models/groups/group.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace logodds {

namespace {

/// Checks a table and says what is wrong with it.
class Axioms {
 public:
  Axioms(const Tensor& table_GG, const std::string& source) : table_(table_GG), n_(table_GG.size(0)), source_(source) {}

  void closed() const {
    if (n_ == 0 || table_.size(1) != n_) throw Error(source_ + ": is no square table");
    const Tensor outside = (table_.lt(0) | table_.ge(n_)).nonzero();
    if (outside.numel() == 0) return;
    const auto [a, b] = std::pair(outside[0][0].item<int64_t>(), outside[0][1].item<int64_t>());
    throw Error(at(a) + "is not closed: " + text(a) + " ∘ " + text(b) + " is " + text(product(a, b)) +
                ", and the elements are 0 to " + text(n_ - 1));
  }

  void associative() const {
    for (int64_t a = 0; a < n_; ++a) {
      const Tensor row = table_[a], left = table_.index_select(0, row), right = row.index({table_});
      const Tensor differs = left.ne(right).nonzero();
      if (differs.numel() == 0) continue;
      const auto [b, c] = std::pair(differs[0][0].item<int64_t>(), differs[0][1].item<int64_t>());
      throw Error(at(a) + "is not associative: (" + text(a) + " ∘ " + text(b) + ") ∘ " + text(c) + " = " +
                  text(left[b][c].item<int64_t>()) + ", but " + text(a) + " ∘ (" + text(b) + " ∘ " + text(c) +
                  ") = " + text(right[b][c].item<int64_t>()));
    }
  }

  int64_t unit() const {
    const Tensor all = at::arange(n_, at::kLong);
    const Tensor left = table_.eq(all), right = table_.eq(all.unsqueeze(1)).t();  // [e,x]: e ∘ x = x, x ∘ e = x
    const Tensor kept = (left & right).sum(1);
    const int64_t e = kept.argmax().item<int64_t>();
    if (kept[e].item<int64_t>() == n_) return e;
    const int64_t x = (left & right)[e].logical_not().nonzero()[0][0].item<int64_t>();
    const bool from_left = product(e, x) != x;
    throw Error(at(from_left ? e : x) + "there is no unit: " + text(e) + " comes nearest, but " +
                text(from_left ? e : x) + " ∘ " + text(from_left ? x : e) + " = " +
                text(from_left ? product(e, x) : product(x, e)));
  }

  Tensor inverses(int64_t unit) const {
    const Tensor both = table_.eq(unit) & table_.t().eq(unit);
    const Tensor lacking = both.any(1).logical_not().nonzero();
    if (lacking.numel() == 0) return both.to(at::kLong).argmax(1);
    const int64_t a = lacking[0][0].item<int64_t>();
    throw Error(at(a) + text(a) + " has no inverse: there is no b with " + text(a) + " ∘ b = b ∘ " + text(a) + " = " +
                text(unit) + ", the unit");
  }

 private:
  static std::string text(int64_t number) { return std::to_string(number); }
  std::string at(int64_t row) const { return source_ + ":" + text(row + 1) + ": "; }
  int64_t product(int64_t a, int64_t b) const { return table_[a][b].item<int64_t>(); }

  Tensor table_;
  int64_t n_;
  std::string source_;
};

}  // namespace

Group::Group(const Tensor& table_GG, const std::string& source) : table_GG_(table_GG.contiguous()) {
  const Axioms axioms(table_GG_, source);
  axioms.closed();
  axioms.associative();
  unit_ = axioms.unit();
  inverses_G_ = axioms.inverses(unit_);
}

Group::Group(const Tensor& table_GG, std::vector<std::string> elements, std::vector<IrrepName> irrep_names)
    : table_GG_(table_GG.contiguous()), elements_(std::move(elements)), irrep_names_(std::move(irrep_names)) {
  const Axioms axioms(table_GG_, "Cayley table");
  unit_ = axioms.unit();
  inverses_G_ = axioms.inverses(unit_);
}

bool Group::is_addition() const {
  const Tensor all = at::arange(order(), at::kLong);
  return at::equal(table_GG_, (all.unsqueeze(1) + all).remainder(order()));
}

std::string Group::element(int64_t number) const {
  return elements_.empty() ? std::to_string(number) : elements_.at(static_cast<size_t>(number));
}

const Irreps& Group::irreps() const {
  std::call_once(once_, [this] { irreps_ = real_irreps(*this, irrep_names_); });
  return irreps_;
}

}  // namespace logodds
