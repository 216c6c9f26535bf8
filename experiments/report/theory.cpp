#include "experiments/report/theory.h"

#include <iostream>

#include "experiments/report/comparison.h"
#include "experiments/report/table.h"

namespace logodds {

void print_theory_table(const Row& rows) {
  std::cout << comparison_text(rows, "theory");
  if (rows.empty()) return;
  const auto seeds = rows.front().at("seeds").get<size_t>();
  std::cout << (seeds > 1 ? "means over " + std::to_string(seeds) + " seeds; the interval is that of the mean\n"
                          : "one seed: intervals need several (runs: {seed: [0, 1, …]})\n")
            << std::flush;
}

void print_learnt(const std::vector<Row>& rows) {
  if (rows.empty() || !rows.front().contains("learnt")) return;
  Table runs({"run", "Bayes loss", "loss", "excess", "R² of the sum", "slope"});
  Table features({"run", "feature", "R² of its part", "slope"});
  bool parts = false;
  for (const auto& row : rows) {
    const auto& learnt = row.at("learnt");
    const std::string name = row.at("run").dump() + "  " + row.at("label").get<std::string>();
    const bool test = learnt.at("set") == "test";
    runs.add({name, figure(number(learnt, "bayes_loss")), figure(number(row, test ? "test_loss" : "train_loss")),
              figure(number(row, test ? "test_excess_loss" : "train_excess_loss")),
              figure(number(learnt.at("sum"), "r_squared")), figure(number(learnt.at("sum"), "slope"))});
    for (const auto& feature : learnt.at("features")) {
      features.add({name, feature.at("label"), figure(number(feature, "r_squared")), figure(number(feature, "slope"))});
      parts = true;
    }
  }
  std::cout
      << "\nAgainst what is known: the logits against the exact posterior log-odds, on fresh examples; slope: by how\n"
      << "much the network's evidence rises with the exact one\n"
      << runs.text();
  if (parts && rows.size() == 1)
    std::cout << "\nEach feature's part against that feature's own exact log-odds\n" << features.text();
}

}  // namespace logodds
