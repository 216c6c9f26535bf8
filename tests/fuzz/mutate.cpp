#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace logodds {

namespace {

using namespace std::string_view_literals;

constexpr std::array kWords{"{"sv,
                            "}"sv,
                            "["sv,
                            "]"sv,
                            ": "sv,
                            "- "sv,
                            "? "sv,
                            ", "sv,
                            "\""sv,
                            "'"sv,
                            "\n"sv,
                            "\r"sv,
                            "\t"sv,
                            "\0"sv,
                            "#"sv,
                            "|\n "sv,
                            "&a "sv,
                            "*a"sv,
                            "!!int "sv,
                            "!x "sv,
                            "<<: "sv,
                            "---\n"sv,
                            "...\n"sv,
                            "%YAML 1.2\n"sv,
                            "null"sv,
                            "~"sv,
                            "true"sv,
                            ".nan"sv,
                            "-.inf"sv,
                            "0x7f"sv,
                            "010"sv,
                            "1e999"sv,
                            "-1"sv,
                            "0"sv,
                            "1e308"sv,
                            "-0.0"sv,
                            "../../x"sv,
                            "/tmp/x"sv,
                            "."sv,
                            ".."sv,
                            "\xff"sv,
                            "\xc3"sv,
                            "\xef\xbb\xbf"sv,
                            "\xe2\x80\xae"sv,
                            "\x1b[2J"sv,
                            "<script>"sv,
                            "%s%n"sv,
                            "\\u0000"sv,
                            "kind: "sv,
                            "sweep: "sv,
                            "runs: "sv,
                            "seed: "sv,
                            "count: "sv,
                            "--"sv,
                            "="sv,
                            "{}"sv,
                            "4294967295"sv,
                            "4294967296"sv,
                            "9007199254740993"sv,
                            "9223372036854775807"sv,
                            "-9223372036854775808"sv,
                            "18446744073709551615"sv,
                            "18446744073709551616"sv,
                            "\xff\xff\xff\xff\xff\xff\xff\xff"sv,
                            "\x1f\x8b\x08\x00"sv};

class Mutation {
 public:
  Mutation(std::string& input, const std::vector<std::string>& others, std::mt19937_64& random)
      : input_(input), others_(others), random_(random) {}

  void apply() {
    switch (input_.empty() ? 5 + below(2) : below(10)) {
      case 0:
        input_[place()] ^= static_cast<char>(1 << below(8));
        break;
      case 1:
        input_[place()] = static_cast<char>(random_());
        break;
      case 2:
        input_.erase(place(), 1 + below(16));
        break;
      case 3:
        input_.insert(below(input_.size() + 1), input_.substr(place(), 1 + below(16)));
        break;
      case 4:
        input_.resize(place());
        break;
      case 5:
        input_.insert(below(input_.size() + 1), std::string(kWords[below(kWords.size())]));
        break;
      case 6:
        bring_in(others_[below(others_.size())]);
        break;
      case 7:
        replace_number();
        break;
      case 8:
        input_[below(std::min<size_t>(input_.size(), 20))] =
            static_cast<char>(random_());  // where formats have headers
        break;
      case 9:
        if (below(100) == 0) repeat();
        break;
    }
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  size_t place() { return below(input_.size()); }

  void bring_in(const std::string& other) {
    const std::string piece = other.substr(below(other.size() + 1), 1 + below(64));
    input_.replace(below(input_.size() + 1), below(2) * below(64), piece);
  }

  void replace_number() {
    const size_t begin = input_.find_first_of("0123456789", place());
    if (begin == std::string::npos) return;
    const size_t end = std::min(input_.find_first_not_of("0123456789", begin), input_.size());
    const std::string other = below(2) == 0 ? std::to_string(below(300)) : std::string(kWords[below(kWords.size())]);
    input_.replace(begin, end - begin, other);
  }

  /// What takes quadratic time, or as many levels of a stack, shows only in something long.
  void repeat() {
    const std::string piece = input_.substr(place(), 1 + below(24));
    std::string many;
    for (size_t length = 1 + below(1 << (8 + below(11))); many.size() < length;) many += piece;
    input_.insert(below(input_.size() + 1), many);
  }

  std::string& input_;
  const std::vector<std::string>& others_;
  std::mt19937_64& random_;
};

}  // namespace

void mutate(std::string& input, const std::vector<std::string>& others, std::mt19937_64& random) {
  Mutation mutation(input, others, random);
  for (uint64_t changes = random() % 4 + 1; changes > 0; --changes) mutation.apply();
}

}  // namespace logodds
