#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "core/text.h"
#include "experiments/report/csv.h"
#include "experiments/report/figures/figures.h"
#include "training/grokking.h"

namespace logodds {

namespace {

const std::string kAllRuns;  ///< stands for an axis where the runs differ in their seeds alone

/// What a run has on an axis.
std::string value_on(const EvaluatedRun& run, const std::string& axis) {
  for (const auto& [key, value] : run.values) {
    if (key == axis) return value;
  }
  return axis == kAllRuns ? "all runs" : "–";
}

/// An axis of a sweep, with the runs at each of its values, in the order of their first appearance.
struct Family {
  std::string axis;
  std::vector<std::pair<std::string, std::vector<size_t>>> members{};
};

Family family_of(const Material& material, const std::string& axis) {
  Family family{.axis = axis};
  for (const size_t r : material.all()) {
    const std::string value = value_on(material.runs()[r], axis);
    auto found = std::ranges::find(family.members, value, &std::pair<std::string, std::vector<size_t>>::first);
    if (found == family.members.end()) found = family.members.insert(found, {value, {}});
    found->second.push_back(r);
  }
  // Numbers in their order; words as they come.
  const auto number_of = [](const auto& member) { return parse_real(member.first); };
  if (std::ranges::all_of(family.members, [&](const auto& member) { return number_of(member).has_value(); }))
    std::ranges::stable_sort(family.members, {}, [&](const auto& member) { return *number_of(member); });
  return family;
}

/// Every axis but the seeds that the runs really differ in; all runs as one family where they differ in nothing else.
std::vector<Family> families_of(const Material& material) {
  std::vector<std::string> keys;
  for (const auto& run : material.runs()) {
    for (const auto& [key, value] : run.values) {
      if (key != "seed" && std::ranges::count(keys, key) == 0) keys.push_back(key);
    }
  }
  std::vector<Family> families;
  for (const auto& key : keys) {
    Family family = family_of(material, key);
    if (family.members.size() > 1) families.push_back(std::move(family));
  }
  if (families.empty() && material.runs().size() > 2) families.push_back(family_of(material, kAllRuns));
  return families;
}

std::string word(const std::string& key) { return key.substr(key.rfind('.') + 1); }

/// A key as part of a figure's id.
std::string identifier(std::string key) {
  std::ranges::replace_if(
      key, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return key;
}

/// Median and interval of a column over some runs, at the steps that are drawn of the longest of them.
struct Band {
  std::vector<double> steps;
  std::vector<MedianInterval> values;
  std::vector<size_t> runs;
};

Band band_of(const Material& material, const std::vector<size_t>& runs, const std::string& column) {
  std::map<double, std::vector<double>> at;
  Points longest;
  std::vector<Points> curves;
  for (const size_t r : runs) {
    curves.push_back(material.column(r, column));
    if (curves.back().size() > longest.size()) longest = curves.back();
  }
  for (const auto& [step, value] : thinned(longest)) at[step] = {};
  for (const auto& curve : curves) {
    for (const auto& [step, value] : curve) {
      const auto found = at.find(step);
      if (found != at.end() && !std::isnan(value)) found->second.push_back(value);
    }
  }
  Band band;
  for (const auto& [step, values] : at) {
    if (values.empty()) continue;
    band.steps.push_back(step);
    band.values.push_back(median_interval(values));
    band.runs.push_back(values.size());
  }
  return band;
}

ReportFigure bands(const Material& material, const Family& family) {
  const bool all = family.axis == kAllRuns;
  ReportFigure figure{.id = all ? "family" : "family_" + identifier(family.axis),
                      .title = all ? "All runs together" : "Family over " + family.axis,
                      .caption = "Median over the runs with a 95 % bootstrap interval of it; " +
                                 std::string(all ? "the runs differ in their seeds." : "one colour per value."),
                      .formula =
                          "median: the smallest value that at least half of the runs do not exceed; interval: 2.5 to "
                          "97.5 % of 2000 resamples of the runs"};
  std::vector<Row> data;
  for (const auto& [column, log_y] :
       {std::pair("test_accuracy", false), std::pair("test_loss", true), std::pair("train_loss", true)}) {
    Row series = Row::array();
    for (size_t v = 0; v < family.members.size(); ++v) {
      const auto& [value, runs] = family.members[v];
      const Band band = band_of(material, runs, column);
      const std::string name = all ? value : word(family.axis) + " " + value;
      Row drawing{{"kind", "band"},    {"name", name},        {"about", name},
                  {"colour", v},       {"when", nullptr},     {"x", band.steps},
                  {"y", Row::array()}, {"low", Row::array()}, {"high", Row::array()}};
      for (size_t i = 0; i < band.steps.size(); ++i) {
        const auto& [median, low, high] = band.values[i];
        drawing["y"].push_back(drawn(median));
        drawing["low"].push_back(drawn(low));
        drawing["high"].push_back(drawn(high));
        data.push_back({{all ? "axis" : family.axis, value},
                        {"step", static_cast<int64_t>(band.steps[i])},
                        {"column", column},
                        {"median", median},
                        {"low", low},
                        {"high", high},
                        {"runs", band.runs[i]}});
      }
      if (!band.steps.empty()) series.push_back(std::move(drawing));
    }
    if (series.empty()) continue;
    const std::string nats = log_y ? ", nats" : "";
    std::string y = column;
    std::ranges::replace(y, '_', ' ');
    figure.panels.push_back(step_panel(y + nats, log_y, std::move(series)));
  }
  figure.csv = to_csv(data);
  figure.csv_note = "the steps that are drawn";
  return figure;
}

/// The settings of the other axes: runs that differ in this axis and the seed alone have the same.
std::string others(const EvaluatedRun& run, const std::string& axis) {
  std::string text;
  for (const auto& [key, value] : run.values) {
    if (key != axis && key != "seed") text += (text.empty() ? "" : ", ") + word(key) + " " + value;
  }
  return text;
}

/// Where a run stands in the figure of grokking: at its step, or censored at its last one.
struct Grokked {
  double step;
  bool censored;
};

Grokked grokked(const EvaluatedRun& run) {
  const auto step = grokking(run.rows).test_step;
  return {static_cast<double>(step.value_or(run.rows.back().value("step", int64_t{0}))), !step};
}

ReportFigure grok_steps(const Material& material, const Family& family) {
  ReportFigure figure{
      .id = "grok_" + identifier(family.axis),
      .title = "Steps to grok against " + family.axis,
      .caption =
          "Points: runs; squares: median with 95 % bootstrap interval; open triangles: had not grokked by the last "
          "step.",
      .formula =
          "first step of three evaluations in a row with a test accuracy of at least .99; runs that never get there "
          "count as later than all others"};
  std::vector<std::string> groups, places;
  std::vector<Row> data;
  Row points = Row::array();
  for (const auto& run : material.runs()) {
    if (std::ranges::count(groups, others(run, family.axis)) == 0) groups.push_back(others(run, family.axis));
  }
  for (const auto& [value, runs] : family.members) places.push_back(value);
  for (size_t g = 0; g < groups.size(); ++g) {
    const std::string name = groups[g].empty() ? "runs" : groups[g];
    Row cloud{{"kind", "points"}, {"name", name},      {"about", Row::array()}, {"colour", g},
              {"when", nullptr},  {"x", Row::array()}, {"y", Row::array()},     {"open", Row::array()}};
    Row bars{{"kind", "interval"}, {"name", name},        {"about", "median, " + name},
             {"colour", g},        {"when", nullptr},     {"x", Row::array()},
             {"y", Row::array()},  {"low", Row::array()}, {"high", Row::array()}};
    const double shift = 0.5 * (static_cast<double>(g) + 0.5) / static_cast<double>(groups.size()) - 0.25;
    for (size_t v = 0; v < family.members.size(); ++v) {
      std::vector<double> steps;
      double last = 0;
      size_t of_group = 0;
      for (const size_t r : family.members[v].second) {
        const auto& run = material.runs()[r];
        if (others(run, family.axis) != groups[g]) continue;
        const auto [step, censored] = grokked(run);
        last = std::max(last, static_cast<double>(run.rows.back().value("step", int64_t{0})));
        steps.push_back(censored ? INFINITY : step);
        cloud["x"].push_back(drawn(static_cast<double>(v) + shift - 0.08 + 0.02 * static_cast<double>(of_group++ % 5)));
        cloud["y"].push_back(step);
        cloud["open"].push_back(censored);
        cloud["about"].push_back(run.label() + (censored ? ": had not grokked" : ""));
        Row row;
        for (const auto& [key, text] : run.values) row[key] = text;
        row["grokked"] = !censored;
        row["step"] = static_cast<int64_t>(step);
        data.push_back(std::move(row));
      }
      const auto [median, low, high] = median_interval(steps);
      if (std::isnan(median)) continue;
      const auto seen = [&](double at) { return drawn(std::isinf(at) ? last : at); };
      bars["x"].push_back(drawn(static_cast<double>(v) + shift + 0.06));
      bars["y"].push_back(seen(median));
      bars["low"].push_back(seen(low));
      bars["high"].push_back(seen(high));
      bars["open"].push_back(std::isinf(median));
    }
    points.push_back(std::move(cloud));
    points.push_back(std::move(bars));
  }
  figure.panels.push_back(
      {{"x", family.axis}, {"places", places}, {"y", "steps to grok"}, {"log_y", true}, {"series", points}});
  figure.csv = to_csv(data);
  return figure;
}

}  // namespace

Figures families(const Material& material) {
  Figures figures;
  for (const auto& family : families_of(material)) {
    const bool any = std::ranges::any_of(material.runs(), [](const auto& run) { return !grokked(run).censored; });
    if (any && family.axis != kAllRuns) figures.push_back(grok_steps(material, family));
    figures.push_back(bands(material, family));
  }
  return figures;
}

}  // namespace logodds
