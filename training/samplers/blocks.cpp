#include "training/samplers/blocks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <sstream>

#include "core/error.h"
#include "core/text.h"

namespace logodds {

namespace {

/// Where the view of one tensor, run axis left out, lies in the flat buffer of run 0.
Piece piece_of(const Tensor& view) { return {view.storage_offset(), view.storage_offset() + view.numel()}; }

/// Layer and number of "L0H2".
std::optional<std::pair<std::string, int64_t>> head_of(const std::string& name) {
  static const std::regex pattern("L([0-9]{1,4})H([0-9]{1,4})");
  std::smatch match;
  if (!std::regex_match(name, match, pattern)) return std::nullopt;
  return std::pair(match[1].str(), std::stoll(match[2]));
}

std::vector<Piece> of_head(const Parameters& parameters, const std::string& layer, int64_t head) {
  std::vector<Piece> pieces;
  const std::string under = "blocks." + layer + ".attn.";
  for (size_t i = 0; i < parameters.specs().size(); ++i) {
    const auto& name = parameters.specs()[i].name;
    // b_O is of all heads together.
    if (!name.starts_with(under) || name == under + "b_O") continue;
    const Tensor view = parameters.views()[i].select(0, 0);
    if (head < view.size(0)) pieces.push_back(piece_of(view.select(0, head)));
  }
  return pieces;
}

std::vector<Piece> of_name(const Parameters& parameters, const std::string& name) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < parameters.specs().size(); ++i) {
    const auto& spec = parameters.specs()[i].name;
    if (name.empty() || spec == name || spec.starts_with(name + ".")) {
      pieces.push_back(piece_of(parameters.views()[i].select(0, 0)));
    }
  }
  return pieces;
}

std::vector<Piece> merged(std::vector<Piece> pieces) {
  std::ranges::sort(pieces, {}, &Piece::begin);
  std::vector<Piece> all;
  for (const auto& piece : pieces) {
    if (!all.empty() && piece.begin <= all.back().end) {
      all.back().end = std::max(all.back().end, piece.end);
    } else {
      all.push_back(piece);
    }
  }
  return all;
}

}  // namespace

std::vector<Piece> pieces_of(const Parameters& parameters, const std::string& selection) {
  if (selection.empty()) return merged(of_name(parameters, ""));
  std::vector<Piece> pieces;
  std::stringstream words(selection);
  for (std::string word; std::getline(words, word, ',');) {
    word.erase(0, word.find_first_not_of(' '));
    word.erase(word.find_last_not_of(' ') + 1);
    const auto head = head_of(word);
    const auto found = head ? of_head(parameters, head->first, head->second) : of_name(parameters, word);
    if (found.empty() || word.empty()) {
      std::vector<std::string> names;
      for (const auto& spec : parameters.specs()) names.push_back(spec.name);
      throw Error("'parameters': the model has no '" + word + "'" + suggestion(word, names));
    }
    pieces.insert(pieces.end(), found.begin(), found.end());
  }
  return merged(std::move(pieces));
}

int64_t size_of(const std::vector<Piece>& pieces) {
  int64_t size = 0;
  for (const auto& piece : pieces) size += piece.end - piece.begin;
  return size;
}

}  // namespace logodds
