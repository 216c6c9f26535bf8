#include "experiments/published.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/read_fields.h"
#include "core/text.h"
#include "experiments/embedded.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kMostParts = 64;  ///< settings of an entry, and figures
const std::string kFolder = "published/", kConfigs = "configs/", kEnding = ".yaml";

Node read_embedded(const std::string& path, const std::string& what, const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file : embedded_files()) {
    if (file.path == path) return parse_yaml(std::string(file.text), "experiments/" + path);
    if (file.path.starts_with(folder))
      names.emplace_back(file.path.substr(folder.size(), file.path.size() - folder.size() - kEnding.size()));
  }
  throw Error(what + suggestion(fs::path(path).stem().string(), names));
}

// Settings.

/// {config: NAME or FILE.yaml, KEY: VALUE, …}: that configuration with the dotted keys set, `sweep` and `runs` as
/// wholes.
Node with_changes(const Node& written) {
  const Node* config = written.find("config");
  if (config == nullptr) return written;
  Node base =
      config->value.ends_with(kEnding)
          ? read_yaml_file(config->value)
          : read_embedded(kConfigs + config->value + kEnding,
                          config->where.text() +
                              ": 'config' must be a configuration that the program carries or a file NAME.yaml, not '" +
                              config->value + "'",
                          kConfigs);
  for (size_t i = 0; i < written.entries.size(); ++i) {
    const auto& [key, value] = written.entries[i];
    if (key == "config") continue;
    if (key == "sweep") base.erase("runs");
    if (key == "runs") base.erase("sweep");
    if (key == "sweep" || key == "runs") {
      base.set(key, value);
    } else {
      set_dotted(base, key, value, written.key_locations[i]);
    }
  }
  return base;
}

/// The full key of a field that may differ between runs, from the end of it that `runs:` may name it by.
std::string full_key(const std::string& key, const std::vector<std::string>& full) {
  const auto found = std::ranges::find_if(full, [&](const auto& f) { return f == key || f.ends_with("." + key); });
  return found == full.end() ? key : *found;
}

// Entries.

std::vector<PublishedSetting> read_settings(const Node& root, Problems& problems) {
  const Node* node = root.find("settings");
  if (node == nullptr || node->kind != Node::Kind::map || node->entries.empty()) {
    problems.add((node == nullptr ? root.where : node->where).text() +
                 ": 'settings' must be a map of names, each with a configuration or {config: NAME, KEY: VALUE, …}");
    return {};
  }
  if (node->entries.size() > kMostParts) {
    problems.add(node->where.text() + ": there are more than " + std::to_string(kMostParts) + " settings");
    return {};
  }
  std::vector<PublishedSetting> settings;
  for (size_t i = 0; i < node->entries.size(); ++i) {
    const auto& [name, configuration] = node->entries[i];
    try {
      if (!is_plain_name(name)) {
        throw Error(node->key_locations[i].text() +
                    ": the name of a setting, and of its directory, must be letters, digits, '-', '_' and '.', not '" +
                    name + "'");
      }
      if (configuration.kind != Node::Kind::map)
        throw Error(configuration.where.text() + ": 'settings." + name + "' must be a configuration, a map of keys");
      settings.push_back({name, with_changes(configuration)});
    } catch (const Error& error) {
      problems.add(error.what());
    }
  }
  return settings;
}

/// A number, a list of the two ends of a range, {at_least: number} or {at_most: number}.
void read_stated(const Node& item, PublishedFigure& figure, Problems& problems) {
  const Node* node = item.find("published");
  const auto number = [](const Node& value) {
    return value.kind == Node::Kind::scalar && !value.quoted ? parse_real(value.value) : std::nullopt;
  };
  const auto set = [&](double low, double high, const std::string& stated) {
    figure.low = low;
    figure.high = high;
    figure.stated = stated;
  };
  if (node != nullptr) {
    if (const auto value = number(*node)) return set(*value, *value, node->value);
    if (node->kind == Node::Kind::sequence && node->items.size() == 2) {
      const auto low = number(node->items[0]), high = number(node->items[1]);
      if (low && high && *low <= *high) return set(*low, *high, node->items[0].value + " to " + node->items[1].value);
    }
    if (node->kind == Node::Kind::map && node->entries.size() == 1) {
      const auto& [key, bound] = node->entries[0];
      const auto value = number(bound);
      if (value && key == "at_least") return set(*value, kInfinity, "≥ " + bound.value);
      if (value && key == "at_most") return set(-kInfinity, *value, "≤ " + bound.value);
    }
  }
  problems.add((node == nullptr ? item.where : node->where).text() +
               ": 'published' must be a number, [from, to], {at_least: number} or {at_most: number}");
}

void read_where(const Node& item, PublishedFigure& figure, Problems& problems) {
  const Node* node = item.find("where");
  if (node == nullptr) return;
  const bool plain = node->kind == Node::Kind::map && std::ranges::all_of(node->entries, [](const auto& entry) {
                       return entry.second.kind == Node::Kind::scalar;
                     });
  if (!plain) problems.add(node->where.text() + ": 'where' must be a map of keys of the sweep, each with one value");
  for (const auto& [key, value] : plain ? node->entries : decltype(node->entries){})
    figure.where.emplace_back(key, value.value);
}

PublishedFigure read_figure(const Node& item, const std::vector<PublishedSetting>& settings, Problems& problems) {
  PublishedFigure figure;
  figure.location = item.where;
  if (item.kind != Node::Kind::map) {
    problems.add(item.where.text() + ": a figure is a map of keys");
    return figure;
  }
  double tolerance = 0, factor = 1;
  Node rest = item;
  rest.erase("published");
  rest.erase("where");
  if (!settings.empty()) figure.setting = settings.front().name;
  ReadFields reader(rest, problems);
  reader.text({"what", "is measured, in words"}, figure.what);
  reader.text({"setting", "whose runs; the first unless given"}, figure.setting);
  reader.text({"against", "a setting whose runs are divided by"}, figure.against);
  reader.component({"measure", "what is measured of each run"}, figure.measure);
  reader.choice({"take", "over the runs"}, figure.take, {"median", "smallest", "largest"});
  reader.real({"tolerance", "by which it may differ"}, tolerance, at_least(0));
  reader.real({"factor", "by which it may differ"}, factor, at_least(1));
  reader.text({"why", "this tolerance"}, figure.why);
  reader.text({"reason", "found where it does not reproduce"}, figure.reason);
  reader.finish();
  read_stated(item, figure, problems);
  read_where(item, figure, problems);
  if (figure.what.empty()) problems.add(item.where.text() + ": the figure needs 'what', what is measured in words");
  for (const auto& [key, name] : {std::pair("setting", figure.setting), std::pair("against", figure.against)}) {
    const auto called = [&](const PublishedSetting& setting) { return setting.name == name; };
    if ((name.empty() && std::string(key) == "against") || settings.empty()) continue;
    std::vector<std::string> names;
    for (const auto& setting : settings) names.push_back(setting.name);
    if (std::ranges::none_of(settings, called)) {
      const Node* node = item.find(key);
      problems.add((node == nullptr ? item.where : node->where).text() + ": '" + key +
                   "' must be one of the settings, not '" + name + "'" + suggestion(name, names));
    }
  }
  const auto wider = [&](double bound, int sign) {
    const bool outwards = sign * bound >= 0;  // away from 0
    return (outwards ? bound * factor : bound / factor) + sign * tolerance;
  };
  figure.low = wider(figure.low, -1);
  figure.high = wider(figure.high, +1);
  return figure;
}

PublishedEntry read_entry(const Node& root, const std::string& name) {
  Problems problems;
  PublishedEntry entry;
  entry.name = name;
  Node rest = root;
  rest.erase("settings");
  rest.erase("figures");
  ReadFields reader(rest, problems);
  reader.text({"title", "of the entry"}, entry.title);
  reader.text({"source", "where the figures are published"}, entry.source);
  reader.real({"core_minutes", "that training takes"}, entry.core_minutes, at_least(0));
  reader.finish();
  if (entry.title.empty()) problems.add(root.where.text() + ": the entry needs a 'title'");
  if (entry.source.empty()) problems.add(root.where.text() + ": the entry needs a 'source', where it is published");
  entry.settings = read_settings(root, problems);
  const Node* figures = root.find("figures");
  if (figures == nullptr || figures->kind != Node::Kind::sequence || figures->items.empty()) {
    problems.add((figures == nullptr ? root.where : figures->where).text() + ": 'figures' must be a list of figures");
  } else if (figures->items.size() > kMostParts) {
    problems.add(figures->where.text() + ": there are more than " + std::to_string(kMostParts) + " figures");
  } else {
    for (const auto& item : figures->items) entry.figures.push_back(read_figure(item, entry.settings, problems));
  }
  problems.throw_if_any();
  return entry;
}

}  // namespace

Sweep PublishedSetting::sweep() const {
  Node node = configuration;
  if (node.find("name") == nullptr) node.set("name", Node::scalar(name));
  if (node.find("sweep") == nullptr) {
    const Experiment experiment = Experiment::from_yaml(node, name);
    Node axes;
    axes.kind = Node::Kind::map;
    axes.where = node.where;
    if (const Node* runs = node.find("runs")) {
      for (const auto& [key, values] : runs->entries) axes.set(full_key(key, experiment.per_run_keys()), values);
    } else {
      Node seeds;
      seeds.kind = Node::Kind::sequence;
      seeds.items = {Node::scalar(std::to_string(experiment.seeds().front()))};
      axes.set("seed", std::move(seeds));
    }
    node.erase("runs");
    node.set("sweep", std::move(axes));
  }
  return Sweep::from_yaml(std::move(node), name);
}

const PublishedSetting& PublishedEntry::setting(const std::string& wanted) const {
  return *std::ranges::find(settings, wanted, &PublishedSetting::name);
}

std::vector<std::string> published_names() {
  std::vector<std::string> names;
  for (const auto& file : embedded_files()) {
    if (file.path.starts_with(kFolder)) names.push_back(fs::path(file.path).stem().string());
  }
  return names;
}

PublishedEntry read_published(const std::string& name) {
  if (name.ends_with(kEnding)) return read_entry(read_yaml_file(name), fs::path(name).stem().string());
  const std::string what = "'" + name + "' is neither an entry of published results nor a file NAME.yaml";
  return read_entry(read_embedded(kFolder + name + kEnding, what, kFolder), name);
}

std::string name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::reproduced:
      return "reproduced";
    case Verdict::unclear:
      return "unclear";
    case Verdict::not_reproduced:
      return "not reproduced";
    case Verdict::not_defined:
      return "not defined";
  }
  return "";
}

Verdict PublishedFigure::verdict(const Measured& measured) const {
  const double value = measured.value;
  if (std::isnan(value)) return Verdict::not_defined;
  if (std::isinf(value)) {  // all that is known is that it is more than was looked at
    if (high < measured.seen_to) return Verdict::not_reproduced;
    return low <= measured.seen_to && std::isinf(high) ? Verdict::reproduced : Verdict::unclear;
  }
  if (low <= value && value <= high) return Verdict::reproduced;
  const bool reaches = !std::isnan(measured.low) && measured.low <= high && measured.high >= low;
  return reaches ? Verdict::unclear : Verdict::not_reproduced;
}

}  // namespace logodds
