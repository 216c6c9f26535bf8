#include "experiments/sweep.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/read_fields.h"
#include "core/text.h"

namespace logodds {

namespace {

constexpr int64_t kMaxRuns = 100000;
constexpr size_t kMaxKeys = 64;

/// A value in one line, as YAML writes it.
std::string flow_text(const Node& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::scalar:
      return node.value;
    case Node::Kind::sequence:
      for (const auto& item : node.items) parts.push_back(flow_text(item));
      return "[" + join(parts) + "]";
    case Node::Kind::map:
      for (const auto& [key, value] : node.entries) parts.push_back(key + ": " + flow_text(value));
      return "{" + join(parts) + "}";
  }
  return "";
}

/// {from, to, count, scale} as written.
struct Spread {
  double from = 0;
  double to = 0;
  int64_t count = 0;
  std::string scale = "linear";
  void fields(Fields& fields) {
    fields.integer({"count", "how many values"}, count, between(1, kMaxRuns));
    fields.real({"from", "the first"}, from, {});
    fields.real({"to", "the last; without it, the values are from, from + 1, …"}, to, {});
    fields.choice({"scale", "equal differences or equal ratios"}, scale, {"linear", "log"});
  }
  double at(int64_t place) const {
    const double share = static_cast<double>(place) / static_cast<double>(std::max<int64_t>(count - 1, 1));
    if (scale == "log") return from * std::pow(to / from, share);
    return from + (to - from) * share;
  }
};

/// Twelve significant digits: 0.3, not 0.30000000000000004; whole numbers as such.
Node number_node(double value, const Location& where) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  const double rounded = std::strtod(text, nullptr);
  const bool whole = rounded == std::floor(rounded) && std::abs(rounded) < 1e15;
  Node node = Node::scalar(whole ? std::to_string(static_cast<int64_t>(rounded)) : shortest(rounded));
  node.where = where;
  return node;
}

std::vector<Node> spread_values(const std::string& path, const Node& map, Problems& problems) {
  Node wrapper;
  wrapper.set(path, map);
  Spread spread;
  Problems own;
  ReadFields reader(wrapper, own);
  reader.section({path.c_str(), ""}, [&](Fields& inside) { spread.fields(inside); });
  own.throw_if_any();
  const auto refuse = [&](const std::string& what) {
    problems.add(map.where.text() + ": '" + path + "' " + what);
    return std::vector<Node>{};
  };
  if (map.find("count") == nullptr) return refuse("needs 'count', how many values there are");
  const bool has_to = map.find("to") != nullptr;
  if (!has_to && map.find("scale") != nullptr) return refuse("needs 'to' beside 'scale'");
  if (!has_to) spread.to = spread.from + static_cast<double>(spread.count - 1);
  if (has_to && (map.find("from") == nullptr || spread.count < 2)) {
    return refuse("has 'to': it needs 'from' and a 'count' of at least 2");
  }
  if (spread.scale == "log" && !(spread.from > 0 && spread.to > 0)) {
    return refuse("has 'scale: log': it needs 'from' and 'to' above 0");
  }
  std::vector<Node> values;
  for (int64_t i = 0; i < spread.count; ++i) values.push_back(number_node(spread.at(i), map.where));
  return values;
}

/// The values of one key; none, and a problem, where they cannot be read.
std::vector<Node> axis_values(const std::string& key, const Node& node, Problems& problems) {
  const std::string path = "sweep." + key;
  try {
    if (node.kind == Node::Kind::map) return spread_values(path, node, problems);
  } catch (const Error& error) {
    problems.add(error.what());
    return {};
  }
  if (node.kind == Node::Kind::sequence && !node.items.empty()) return node.items;
  problems.add(node.where.text() + ": '" + path +
               "' must be a list of values, {count: N} or {from: A, to: B, count: N}" +
               (node.kind == Node::Kind::scalar ? ", not '" + node.value + "'" : ""));
  return {};
}

/// A file name: what is not plain is left out, and told apart by a hash where that, or the length, loses something.
std::string file_name(const std::string& words) {
  std::string name;
  for (const char c : words) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string("=,._+-").find(c) != std::string::npos;
    if (plain) name += c;
  }
  constexpr size_t kMaxLength = 120;
  if (name == words && name.size() <= kMaxLength) return name;
  return name.substr(0, kMaxLength) + "," + sha256(words).substr(0, 8);
}

}  // namespace

Sweep Sweep::from_file(const std::string& path, const std::vector<std::string>& overrides) {
  Node root = read_yaml_file(path);
  const std::string prefix = "sweep.";
  for (const auto& assignment : overrides) {
    if (!assignment.starts_with(prefix)) {
      apply_override(root, assignment);
      continue;
    }
    auto [key, value] = parse_assignment(assignment);  // an axis's key has dots of its own
    Node* section = root.find("sweep");
    (section == nullptr ? root.set("sweep", Node()) : *section).set(key.substr(prefix.size()), std::move(value));
  }
  return Sweep(std::move(root), std::filesystem::path(path).stem().string());
}

Sweep::Sweep(Node root, const std::string& default_name) : root_(std::move(root)) {
  const Node* section = root_.find("sweep");
  if (section == nullptr || section->kind != Node::Kind::map) {
    const Location where = section == nullptr ? root_.where : section->where;
    throw Error(where.text() +
                ": 'sweep' must be a map of keys with their values, such as {optimizer.weight_decay: [0, "
                "1], seed: {count: 10}}" +
                (section == nullptr ? "; this configuration has none" : ""));
  }
  Problems problems;
  if (const Node* runs = root_.find("runs")) {
    problems.add(runs->where.text() + ": a sweep makes its packs itself; move these axes from 'runs' to 'sweep'");
  }
  read_axes(*section, problems);
  check_axes(*section, problems);
  problems.throw_if_any();
  root_.erase("sweep");
  if (root_.find("name") == nullptr) root_.set("name", Node::scalar(default_name));
  check_values();
  make_packs();
}

void Sweep::read_axes(const Node& section, Problems& problems) {
  const Node* zip = section.find("zip");
  if (section.entries.size() + (zip == nullptr ? 0 : zip->entries.size()) > kMaxKeys) {
    problems.add(section.where.text() + ": 'sweep' has more than " + std::to_string(kMaxKeys) + " keys");
    return;
  }
  for (size_t i = 0; i < section.entries.size(); ++i) {
    const auto& [key, node] = section.entries[i];
    if (key == "pack_runs") {
      const auto count = node.kind == Node::Kind::scalar ? parse_integer(node.value) : std::nullopt;
      if (!count || *count < 1 || *count > 4096) {
        problems.add(node.where.text() + ": 'sweep.pack_runs' must be a whole number in [1, 4096]");
      } else {
        pack_runs_ = *count;
      }
    } else if (key == "zip") {
      Axis axis;
      axis.zipped = true;
      for (size_t j = 0; j < node.entries.size(); ++j) {
        axis.keys.push_back(node.entries[j].first);
        axis.where.push_back(node.key_locations[j]);
        axis.values.push_back(axis_values("zip." + node.entries[j].first, node.entries[j].second, problems));
      }
      if (axis.keys.empty()) {
        problems.add(node.where.text() + ": 'sweep.zip' must be a map of keys whose values advance together");
      } else {
        add_axis(std::move(axis), problems);
      }
    } else {
      add_axis({{key}, {section.key_locations[i]}, {axis_values(key, node, problems)}}, problems);
    }
  }
}

void Sweep::add_axis(Axis axis, Problems& problems) {
  for (size_t i = 0; i < axis.keys.size(); ++i) {
    if (axis.values[i].empty()) return;  // a problem already
    if (axis.values[i].size() != axis.size()) {
      problems.add(axis.where[i].text() + ": 'sweep.zip." + axis.keys[i] + "' has " +
                   std::to_string(axis.values[i].size()) + " values, '" + axis.keys[0] + "' has " +
                   std::to_string(axis.size()) + "; zipped keys need equally many");
      return;
    }
    if (std::ranges::count(keys(), axis.keys[i]) +
            std::count(axis.keys.begin(), axis.keys.begin() + static_cast<int64_t>(i), axis.keys[i]) >
        0) {
      problems.add(axis.where[i].text() + ": 'sweep' names '" + axis.keys[i] + "' twice");
      return;
    }
  }
  std::set<std::string> seen;
  for (size_t place = 0; place < axis.size(); ++place) {
    std::string text;
    for (const auto& values : axis.values) text += (text.empty() ? "" : ", ") + flow_text(values[place]);
    if (!seen.insert(text).second) {
      problems.add(axis.values[0][place].where.text() + ": 'sweep." + axis.keys[0] + "' has the value " + text +
                   " twice");
      return;
    }
  }
  axes_.push_back(std::move(axis));
}

void Sweep::check_axes(const Node& section, Problems& problems) const {
  double runs = 1;
  for (const auto& axis : axes_) runs *= static_cast<double>(axis.size());
  if (runs > static_cast<double>(kMaxRuns)) {
    problems.add(section.where.text() + ": 'sweep' makes " + shortest(runs) + " runs; at most " +
                 std::to_string(kMaxRuns) + " are possible");
  }
  if (axes_.empty() && problems.empty()) {
    problems.add(section.where.text() + ": 'sweep' varies nothing; name a key, such as seed: {count: 10}");
  }
}

std::vector<std::string> Sweep::keys() const {
  std::vector<std::string> keys;
  for (const auto& axis : axes_) keys.insert(keys.end(), axis.keys.begin(), axis.keys.end());
  return keys;
}

size_t Sweep::run_count() const {
  return std::accumulate(axes_.begin(), axes_.end(), size_t{1},
                         [](size_t n, const Axis& axis) { return n * axis.size(); });
}

Node Sweep::point(const std::vector<size_t>& places) const {
  Node node = root_;
  for (size_t a = 0; a < axes_.size(); ++a) {
    for (size_t i = 0; i < axes_[a].keys.size(); ++i) {
      set_dotted(node, axes_[a].keys[i], axes_[a].values[i][places[a]], axes_[a].where[i]);
    }
  }
  return node;
}

void Sweep::check_values() {
  std::vector<size_t> places(axes_.size(), 0);
  const Experiment first = Experiment::from_yaml(point(places), name_);
  name_ = first.options().name;
  first.refuse_missing_device();
  for (auto& axis : axes_) axis.per_run = !axis.zipped && std::ranges::count(first.per_run_keys(), axis.keys[0]) > 0;

  const bool gpu = first.options().device != "cpu";
  if (pack_runs_ == 0) pack_runs_ = gpu ? 64 : 1;
  // One thread per process: two processes of one thread each are faster than one of two.
  if (!gpu && first.options().threads == 0) root_.set("threads", Node::scalar("1"));

  // Components are built on the CPU: the trainings, not this process, are to have the GPU's memory.
  const auto build = [&](Node node) {
    Experiment::from_yaml(node, name_);
    node.set("device", Node::scalar("cpu"));
    node.set("tf32", Node::scalar("false"));
    Experiment::from_yaml(node, name_).assemble();
  };
  build(point(places));
  Problems problems;
  std::set<std::string> seen;
  for (size_t a = 0; a < axes_.size(); ++a) {
    for (places[a] = 1; places[a] < axes_[a].size(); ++places[a]) {
      try {
        if (axes_[a].per_run) {
          Experiment::from_yaml(point(places), name_);
        } else {
          build(point(places));
        }
      } catch (const Error& error) {
        if (seen.insert(error.what()).second) problems.add(error.what());
      }
    }
    places[a] = 0;
  }
  problems.throw_if_any();
}

std::string Sweep::short_key(const std::string& key) const {
  const auto last_word = [](const std::string& path) { return path.substr(path.rfind('.') + 1); };
  const auto all = keys();
  const bool unique =
      std::ranges::count_if(all, [&](const auto& other) { return last_word(other) == last_word(key); }) == 1;
  return unique ? last_word(key) : key;
}

SweepPack Sweep::pack(std::vector<std::pair<size_t, size_t>> ranges) const {
  Node node = root_;
  std::string words;
  size_t runs = 1;
  for (size_t a = 0; a < axes_.size(); ++a) {
    const auto [begin, end] = ranges[a];
    for (size_t i = 0; i < axes_[a].keys.size(); ++i) {
      const auto& values = axes_[a].values[i];
      words += (words.empty() ? "" : ",") + short_key(axes_[a].keys[i]) + "=" + flow_text(values[begin]);
      if (end > begin + 1) words += ".." + flow_text(values[end - 1]);
      if (!axes_[a].per_run) {
        set_dotted(node, axes_[a].keys[i], values[begin], axes_[a].where[i]);
        continue;
      }
      Node list;
      list.kind = Node::Kind::sequence;
      list.items.assign(values.begin() + static_cast<int64_t>(begin), values.begin() + static_cast<int64_t>(end));
      Node* axes = node.find("runs");
      (axes == nullptr ? node.set("runs", Node()) : *axes).set(axes_[a].keys[i], std::move(list));
    }
    runs *= end - begin;
  }
  SweepPack pack{std::move(ranges), file_name(words), Experiment::from_yaml(node, name_), {}};
  for (size_t run = 0; run < runs; ++run) {
    std::vector<std::string> values;
    size_t later = runs;  // runs that the axes from here on make
    for (size_t a = 0; a < axes_.size(); ++a) {
      const auto [begin, end] = pack.ranges[a];
      const size_t block = std::exchange(later, later / (end - begin)) / (end - begin);
      const size_t place = begin + run / block % (end - begin);
      for (const auto& key_values : axes_[a].values) values.push_back(flow_text(key_values[place]));
    }
    pack.values.push_back(std::move(values));
  }
  return pack;
}

void Sweep::make_packs() {
  // From the last axis on, as many whole ones as fit into a pack; of the next one, as many places as fit.
  std::vector<size_t> steps(axes_.size(), 1);
  auto room = static_cast<size_t>(pack_runs_);
  for (size_t a = axes_.size(); a-- > 0;) {
    if (!axes_[a].per_run) continue;
    steps[a] = std::min(axes_[a].size(), room);
    room = steps[a] < axes_[a].size() ? 1 : room / steps[a];
  }
  std::vector<size_t> begins(axes_.size(), 0);
  while (true) {
    std::vector<std::pair<size_t, size_t>> ranges;
    for (size_t a = 0; a < axes_.size(); ++a) {
      ranges.emplace_back(begins[a], std::min(begins[a] + steps[a], axes_[a].size()));
    }
    packs_.push_back(pack(std::move(ranges)));
    size_t a = axes_.size();
    while (a-- > 0) {
      begins[a] += steps[a];
      if (begins[a] < axes_[a].size()) break;
      begins[a] = 0;
      if (a == 0) return;
    }
  }
}

std::string Sweep::resolved() const {
  Node root = root_, section;
  section.set("pack_runs", Node::scalar(std::to_string(pack_runs_)));
  for (const auto& axis : axes_) {
    for (size_t i = 0; i < axis.keys.size(); ++i) {
      Node list;
      list.kind = Node::Kind::sequence;
      list.items = axis.values[i];
      if (!axis.zipped) {
        section.set(axis.keys[i], std::move(list));
        continue;
      }
      Node* zip = section.find("zip");
      (zip == nullptr ? section.set("zip", Node()) : *zip).set(axis.keys[i], std::move(list));
    }
  }
  root.set("sweep", std::move(section));
  return to_yaml(root);
}

}  // namespace logodds
