#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// A figure of the report: what the page draws, and its data. The page (experiments/report/page.html) knows nothing but
/// this form:
///   controls   [{name, options: [text], slider: bool}]: what the reader chooses
///   panels     [{x, y, log_y, series, …}], one below the other
///   series     {kind: line | band | points | bars | matrix | image, name, about, colour, style, when, text, …}; `when`
///              has the option of each control that the series belongs to, or null where it belongs to all
/// Every text is plain text, whatever its characters; the page escapes it.
struct ReportFigure {
  std::string id;  ///< the name of its files
  std::string title;
  std::string caption;  ///< one line
  std::string formula;  ///< one line
  Row controls = Row::array();
  Row panels = Row::array();
  std::string csv{};       ///< its data, with a header
  std::string csv_note{};  ///< what the data lacks, if anything
};

/// A curve's points in rising x; NaN where there is none.
using Points = std::vector<std::pair<double, double>>;

/// The points that are drawn: all of a short curve; of a long one the smallest and the largest of each of some hundred
/// stretches, which are even on a linear axis and, in the beginning, on a logarithmic one.
Points thinned(const Points& points);

/// What a series is called and looks like. Series of one name share a line of the legend.
struct Look {
  std::string name;
  std::string about{};          ///< beside the pointer; the name where empty
  int colour = 0;               ///< into the page's colours; -1 is grey
  std::string style = "solid";  ///< or dot, dash
  Row when = nullptr;
};

Row line(const Look& look, const Points& points);

/// A value for the page: six digits, null where it is not finite.
Row drawn(double value);

Row control(const std::string& name, const std::vector<std::string>& options, bool slider = false);

/// A panel for series against the step.
Row step_panel(const std::string& y, bool log_y, Row series);

}  // namespace logodds
