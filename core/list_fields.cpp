#include "core/list_fields.h"

#include "core/text.h"

namespace logodds {

void ListFields::add(Key key, std::string value, std::string allowed, bool per_run) {
  descriptions_.push_back({prefix_ + key.name, std::move(value), std::move(allowed), key.meaning, per_run});
}

void ListFields::integer(Key key, int64_t& value, Range range) {
  add(key, std::to_string(value), range.integer_text());
}
void ListFields::real(Key key, double& value, Range range) { add(key, shortest(value), range.real_text()); }
void ListFields::per_run(Key key, PerRun<int64_t>& value, Range range) {
  add(key, std::to_string(value.value), range.integer_text(), true);
}
void ListFields::per_run(Key key, PerRun<double>& value, Range range) {
  add(key, shortest(value.value), range.real_text(), true);
}
void ListFields::flag(Key key, bool& value) { add(key, value ? "true" : "false", "true | false"); }
void ListFields::text(Key key, std::string& value) { add(key, value, "text"); }
void ListFields::choice(Key key, std::string& value, const std::vector<std::string>& allowed) {
  add(key, value, join(allowed, " | "));
}

void ListFields::integers(Key key, std::vector<int64_t>& value, Range range) {
  std::vector<std::string> items;
  for (const int64_t item : value) items.push_back(std::to_string(item));
  add(key, "[" + join(items) + "]", "a list, each " + range.integer_text());
}

void ListFields::section(Key key, const std::function<void(Fields&)>& inside) {
  const std::string outer = std::exchange(prefix_, prefix_ + key.name + ".");
  inside(*this);
  prefix_ = outer;
}

void ListFields::component(Key key, Selection& selection) {
  add(key, selection.name().empty() ? "(required)" : selection.name(), join(selection.catalogue().names(), " | "));
}

void ListFields::components(Key key, std::vector<Selection>&, const Selection& prototype) {
  add(key, "none", "a map of " + join(prototype.catalogue().names(), " | "));
}

void ListFields::axes(Key key, RunAxes&) { add(key, "none", "a map of lists"); }

}  // namespace logodds
