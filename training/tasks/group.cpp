#include "training/tasks/group.h"

#include <ATen/ATen.h>

#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace logodds {

void GroupTask::Options::fields(Fields& fields) {
  fields.text({"group", "S2 to S5, D3 to D256 (2n elements), Z113, products such as Z4xZ7; at most 512 elements"},
              group);
  fields.text({"table", "instead of 'group': a CSV file, line a of the numbers a ∘ b, elements 0 to n-1"}, table);
  pair_fields(fields, train_fraction, random_labels);
}

namespace {

constexpr size_t kMost = 512;

std::vector<int64_t> numbers(const std::string& line, const std::string& where) {
  std::vector<int64_t> row;
  std::stringstream words(line);
  for (std::string word; std::getline(words, word, ',');) {
    const size_t first = word.find_first_not_of(" \t\r"), last = word.find_last_not_of(" \t\r");
    const auto number = first == std::string::npos ? std::nullopt : parse_integer(word.substr(first, last - first + 1));
    if (row.size() == kMost) {
      throw Error(where + "has more than " + std::to_string(kMost) + " entries, and a group may have at most " +
                  std::to_string(kMost) + " elements");
    }
    if (!number) {
      throw Error(where + "entry " + std::to_string(row.size() + 1) + " must be the number of an element, not '" +
                  word + "'");
    }
    row.push_back(*number);
  }
  return row;
}

std::shared_ptr<const Group> group_from_file(const std::string& path) {
  std::vector<std::vector<int64_t>> rows;
  std::stringstream lines(read_file(path, uint64_t{1} << 24));
  for (std::string line; std::getline(lines, line);) {
    rows.push_back(numbers(line, path + ":" + std::to_string(rows.size() + 1) + ": "));
    if (rows.size() > kMost) throw Error(path + ": a group may have at most " + std::to_string(kMost) + " elements");
  }
  if (rows.empty()) throw Error(path + ": is empty, and a Cayley table has a line per element");
  std::vector<int64_t> table;
  for (size_t a = 0; a < rows.size(); ++a) {
    if (rows[a].size() != rows.size()) {
      throw Error(path + ":" + std::to_string(a + 1) + ": has " + std::to_string(rows[a].size()) +
                  " entries, and the table has " + std::to_string(rows.size()) + " lines; it must be square");
    }
    table.insert(table.end(), rows[a].begin(), rows[a].end());
  }
  const auto n = static_cast<int64_t>(rows.size());
  return std::make_shared<Group>(at::tensor(table, at::kLong).view({n, n}), path);
}

std::shared_ptr<const Group> group_of(const GroupTask::Options& options) {
  if (options.group.empty() == options.table.empty())
    throw Error("exactly one of 'group' (such as S5) and 'table' (a CSV file) must be given");
  return options.table.empty() ? named_group(options.group) : group_from_file(options.table);
}

}  // namespace

GroupTask::GroupTask(const Options& options) : GroupTask(options, group_of(options)) {}

GroupTask::GroupTask(const Options& options, std::shared_ptr<const Group> group)
    : PairTask(options.train_fraction, options.random_labels, group->order()), group_(std::move(group)) {}

Tensor GroupTask::classes(const Tensor& a, const Tensor& b, int64_t) const { return group_->table().index({a, b}); }

std::string GroupTask::describe(const std::vector<int64_t>& input) const {
  return group_->element(input.at(0)) + " ∘ " + group_->element(input.at(1));
}

}  // namespace logodds
