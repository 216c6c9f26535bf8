#include "experiments/measures/inspected.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"

namespace logodds {

void InspectedMeasure::Options::fields(Fields& fields) {
  fields.text({"figure", "its path in the JSON of `inspect --circuits`, such as measures.circularity"}, figure);
}

double InspectedMeasure::of(const MeasuredRun& run) const {
  const std::string& path = options_.figure;
  size_t end = path.find('.');
  Row found = run.inspected(path.substr(0, end));
  while (end != std::string::npos) {
    const size_t begin = end + 1;
    end = path.find('.', begin);
    const std::string key = path.substr(begin, end - begin);
    std::vector<std::string> known;
    if (found.is_object()) {
      for (const auto& [name, value] : found.items()) known.push_back(name);
    }
    if (!found.is_object() || !found.contains(key))
      throw Error("the network has no figure '" + path + "': there is no '" + key + "'" + suggestion(key, known));
    found = Row(found.at(key));
  }
  if (found.is_array()) return static_cast<double>(found.size());
  return found.is_number() ? found.get<double>() : std::nan("");
}

}  // namespace logodds
