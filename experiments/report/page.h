#pragma once

#include <string>
#include <vector>

#include "experiments/report/figure.h"

namespace logodds {

/// A report: one file that any browser opens, also without a network.
struct Page {
  std::string title;
  std::string made;                            ///< by what, of what
  std::vector<std::vector<std::string>> runs;  ///< a table: its header, then a line per run
  std::string configuration;
  std::vector<ReportFigure> figures;
};

/// Throws Error where the program was built without plotly.js.
std::string to_html(const Page& page);

}  // namespace logodds
