#include "core/read_fields.h"

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace logodds {

namespace {

constexpr size_t kMostProblems = 100;  ///< of a file that may have any number of them

std::string sort_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  return node.quoted ? "the text \"" + node.value + "\"" : "'" + node.value + "'";
}

/// Stands for a map that was not written: every key has its default.
const Node& empty_map() {
  static const Node empty = [] {
    Node node;
    node.kind = Node::Kind::map;
    return node;
  }();
  return empty;
}

}  // namespace

ReadFields::ReadFields(const Node& root, Problems& problems) : node_(&root), problems_(problems) {
  if (root.kind != Node::Kind::map) {
    throw Error(root.where.text() + ": a configuration is a map of keys, this is " + sort_of(root));
  }
}

std::string ReadFields::path(const std::string& key) const { return prefix_ + key; }

void ReadFields::problem(const Location& where, const std::string& message) {
  if (enough_problems()) return;
  problems_.add(where.text() + ": " + message);
  if (++problem_count_ == kMostProblems) problems_.add("(further problems are not listed)");
}

bool ReadFields::enough_problems() const { return problem_count_ == kMostProblems; }

const Node* ReadFields::take(Key key) {
  seen_.emplace_back(key.name);
  return node_->find(key.name);
}

bool ReadFields::read(const Node& node, const std::string& what, int64_t& value, Range range) {
  const auto parsed =
      node.kind == Node::Kind::scalar && !node.quoted ? parse_integer(node.value) : std::optional<int64_t>();
  if (!parsed || !range.contains(static_cast<double>(*parsed))) {
    problem(node.where, "'" + what + "' must be " + range.integer_text() + ", not " + sort_of(node));
    return false;
  }
  value = *parsed;
  return true;
}

bool ReadFields::read(const Node& node, const std::string& what, double& value, Range range) {
  const auto parsed =
      node.kind == Node::Kind::scalar && !node.quoted ? parse_real(node.value) : std::optional<double>();
  if (!parsed || !range.contains(*parsed)) {
    problem(node.where, "'" + what + "' must be " + range.real_text() + ", not " + sort_of(node));
    return false;
  }
  value = *parsed;
  return true;
}

void ReadFields::integer(Key key, int64_t& value, Range range) {
  if (const Node* node = take(key)) read(*node, path(key.name), value, range);
}

void ReadFields::real(Key key, double& value, Range range) {
  if (const Node* node = take(key)) read(*node, path(key.name), value, range);
}

template <class T>
void ReadFields::read_per_run(Key key, PerRun<T>& value, Range range) {
  if (const Node* node = take(key)) read(*node, path(key.name), value.value, range);
  const std::string full = path(key.name);
  run_fields_.push_back({full, key.name, [this, full, range, &value](const RunAxes& axes, size_t axis) {
                           std::vector<T> on_axis;
                           for (const Node& node : axes.axes[axis].second) {
                             T one{};
                             if (!read(node, "runs." + full, one, range)) return;
                             on_axis.push_back(one);
                           }
                           value.runs.clear();
                           for (size_t run = 0; run < axes.run_count(); ++run) {
                             value.runs.push_back(on_axis[axes.index(axis, run)]);
                           }
                         }});
}

void ReadFields::per_run(Key key, PerRun<int64_t>& value, Range range) { read_per_run(key, value, range); }
void ReadFields::per_run(Key key, PerRun<double>& value, Range range) { read_per_run(key, value, range); }

void ReadFields::flag(Key key, bool& value) {
  const Node* node = take(key);
  if (node == nullptr) return;
  const bool plain = node->kind == Node::Kind::scalar && !node->quoted;
  if (!plain || (node->value != "true" && node->value != "false")) {
    problem(node->where, "'" + path(key.name) + "' must be true or false, not " + sort_of(*node));
    return;
  }
  value = node->value == "true";
}

void ReadFields::text(Key key, std::string& value) {
  const Node* node = take(key);
  if (node == nullptr) return;
  if (node->kind != Node::Kind::scalar) {
    problem(node->where, "'" + path(key.name) + "' must be text, not " + sort_of(*node));
    return;
  }
  value = node->value;
}

void ReadFields::choice(Key key, std::string& value, const std::vector<std::string>& allowed) {
  const Node* node = take(key);
  if (node == nullptr) return;
  const bool known = node->kind == Node::Kind::scalar && std::ranges::count(allowed, node->value) > 0;
  if (!known) {
    const std::string near =
        node->kind == Node::Kind::scalar && nearest(node->value, allowed) ? suggestion(node->value, allowed) : "";
    problem(node->where, "'" + path(key.name) + "' must be one of " + join(allowed) + ", not " + sort_of(*node) + near);
    return;
  }
  value = node->value;
}

void ReadFields::integers(Key key, std::vector<int64_t>& value, Range range) {
  const Node* node = take(key);
  if (node == nullptr) return;
  if (node->kind != Node::Kind::sequence) {
    problem(node->where, "'" + path(key.name) + "' must be a list of whole numbers, not " + sort_of(*node));
    return;
  }
  std::vector<int64_t> values(node->items.size());
  bool good = true;
  for (size_t i = 0; i < values.size(); ++i) good &= read(node->items[i], path(key.name), values[i], range);
  if (good) value = values;
}

void ReadFields::refuse_unknown_keys() {
  for (size_t i = 0; i < node_->entries.size(); ++i) {
    const std::string& key = node_->entries[i].first;
    if (std::ranges::count(seen_, key) > 0) continue;
    if (enough_problems()) return;
    const std::string where_in =
        prefix_.empty() ? "the configuration" : "'" + prefix_.substr(0, prefix_.size() - 1) + "'";
    problem(node_->key_locations[i], "unknown key '" + key + "' in " + where_in + suggestion(key, seen_));
  }
}

void ReadFields::inside_map(const std::string& key, const Node& node, const std::function<void()>& visit) {
  const Node* outer_node = std::exchange(node_, &node);
  const std::string outer_prefix = std::exchange(prefix_, prefix_ + key + ".");
  auto outer_seen = std::exchange(seen_, {});
  visit();
  refuse_unknown_keys();
  node_ = outer_node;
  prefix_ = outer_prefix;
  seen_ = std::move(outer_seen);
}

void ReadFields::section(Key key, const std::function<void(Fields&)>& inside) {
  const Node* node = take(key);
  if (node != nullptr && node->kind != Node::Kind::map && node->kind != Node::Kind::null) {
    problem(node->where, "'" + path(key.name) + "' must be a map of keys, not " + sort_of(*node));
    node = nullptr;
  }
  inside_map(key.name, node == nullptr ? empty_map() : *node, [&] { inside(*this); });
}

void ReadFields::read_choice(const std::string& key, const Node& name_node, const Node* options, Selection& selection) {
  const auto names = selection.catalogue().names();
  if (name_node.kind != Node::Kind::scalar || !selection.select(name_node.value, name_node.where)) {
    problem(name_node.where, "'" + path(key) + "' must name one of " + selection.catalogue().sort() + ", not " +
                                 sort_of(name_node) + suggestion(name_node.value, names));
    return;
  }
  inside_map(key, options == nullptr ? empty_map() : *options, [&] {
    seen_.emplace_back("kind");
    selection.choice()->fields(*this);
  });
}

void ReadFields::component(Key key, Selection& selection) {
  const Node* node = take(key);
  if (node == nullptr || node->kind == Node::Kind::null) {
    if (selection.name().empty()) {
      problem(node == nullptr ? node_->where : node->where,
              "'" + path(key.name) + "' is missing; it must name one of " + selection.catalogue().sort() + " (" +
                  join(selection.catalogue().names()) + ")");
      return;
    }
    const Node default_name = Node::scalar(selection.name());
    read_choice(key.name, default_name, nullptr, selection);
  } else if (node->kind == Node::Kind::map) {
    const Node* kind = node->find("kind");
    if (kind == nullptr && selection.name().empty()) {
      problem(node->where, "'" + path(key.name) + ".kind' is missing; it must name one of " +
                               selection.catalogue().sort() + " (" + join(selection.catalogue().names()) + ")");
      return;
    }
    const Node default_name = Node::scalar(selection.name());
    read_choice(key.name, kind == nullptr ? default_name : *kind, node, selection);
  } else {
    read_choice(key.name, *node, nullptr, selection);
  }
}

void ReadFields::components(Key key, std::vector<Selection>& selections, const Selection& prototype) {
  const Node* node = take(key);
  if (node == nullptr || node->kind == Node::Kind::null) return;
  const auto names = prototype.catalogue().names();
  if (node->kind != Node::Kind::map) {
    problem(node->where, "'" + path(key.name) + "' must be a map, each of " + prototype.catalogue().sort() +
                             " under its name, not " + sort_of(*node) + "; for example {" + names.front() + ": {}}");
    return;
  }
  // No element may move once its fields were visited: run axes keep pointers into them (held by shared_ptr).
  for (size_t i = 0; i < node->entries.size(); ++i) {
    const auto& [name, options] = node->entries[i];
    Selection selection = prototype;
    if (!selection.select(name, node->key_locations[i])) {
      problem(node->key_locations[i],
              "unknown key '" + name + "' in '" + path(key.name) + "'" + suggestion(name, names));
      continue;
    }
    if (options.kind != Node::Kind::map && options.kind != Node::Kind::null) {
      problem(options.where, "'" + path(key.name) + "." + name + "' must be a map of keys, not " + sort_of(options));
      continue;
    }
    selections.push_back(selection);
    const std::string dotted = std::string(key.name) + "." + name;
    inside_map(dotted, options, [&] { selection.choice()->fields(*this); });
  }
}

void ReadFields::axes(Key key, RunAxes& axes) {
  const Node* node = take(key);
  axes_ = &axes;
  if (node == nullptr || node->kind == Node::Kind::null) return;
  axes.where = node->where;
  if (node->kind != Node::Kind::map) {
    problem(node->where,
            "'runs' must be a map of keys with a list of values each, such as {seed: [0, 1]}, not " + sort_of(*node));
    return;
  }
  for (const auto& [name, values] : node->entries) {
    if (values.kind != Node::Kind::sequence || values.items.empty()) {
      problem(values.where, "'runs." + name + "' must be a list with at least one value, not " +
                                (values.kind == Node::Kind::sequence ? "an empty list" : sort_of(values)));
      continue;
    }
    axes.axes.emplace_back(name, values.items);
  }
}

std::vector<std::string> ReadFields::run_keys() const {
  std::vector<std::string> keys;
  for (const auto& field : run_fields_) keys.push_back(field.path);
  return keys;
}

const ReadFields::RunField* ReadFields::find_run_field(const std::string& name) const {
  const RunField* by_last_word = nullptr;
  for (const auto& field : run_fields_) {
    if (field.path == name) return &field;
    if (field.name == name) {
      if (by_last_word != nullptr) return nullptr;  // ambiguous: the full key is needed
      by_last_word = &field;
    }
  }
  return by_last_word;
}

void ReadFields::finish() {
  refuse_unknown_keys();
  if (axes_ == nullptr) return;
  constexpr size_t kMaxRuns = 4096;
  if (axes_->run_count() > kMaxRuns) {
    problem(axes_->where, "'runs' makes " + std::to_string(axes_->run_count()) + " runs; a pack has at most " +
                              std::to_string(kMaxRuns));
    return;
  }
  const std::vector<std::string> paths = run_keys();
  std::vector<std::string> taken;
  for (size_t axis = 0; axis < axes_->axes.size(); ++axis) {
    std::string& name = axes_->axes[axis].first;
    const RunField* field = find_run_field(name);
    const Location& where = axes_->axes[axis].second.front().where;
    if (field == nullptr) {
      std::vector<std::string> known = paths;
      for (const auto& f : run_fields_) known.push_back(f.name);
      const auto near = nearest(name, known);
      problem(where, "'runs." + name + "' is not a key that can differ between runs" +
                         (near ? " (did you mean '" + *near + "'?)" : " (one of: " + join(paths) + ")"));
    } else if (std::ranges::count(taken, field->path) > 0) {
      problem(where, "'runs' names '" + field->path + "' twice");
    } else {
      name = field->path;
      taken.push_back(field->path);
      field->spread(*axes_, axis);
    }
  }
}

}  // namespace logodds
