#include "core/write_fields.h"

#include "core/text.h"

namespace logodds {

void WriteFields::integer(Key key, int64_t& value, Range) { root_.set(key.name, Node::scalar(std::to_string(value))); }
void WriteFields::real(Key key, double& value, Range) { root_.set(key.name, Node::scalar(shortest(value))); }
void WriteFields::per_run(Key key, PerRun<int64_t>& value, Range range) { integer(key, value.value, range); }
void WriteFields::per_run(Key key, PerRun<double>& value, Range range) { real(key, value.value, range); }
void WriteFields::flag(Key key, bool& value) { root_.set(key.name, Node::scalar(value ? "true" : "false")); }

void WriteFields::text(Key key, std::string& value) {
  const bool ambiguous = value.empty() || value == "null" || value == "~";
  root_.set(key.name, Node::scalar(value, ambiguous));
}

void WriteFields::choice(Key key, std::string& value, const std::vector<std::string>&) {
  root_.set(key.name, Node::scalar(value));
}

void WriteFields::integers(Key key, std::vector<int64_t>& value, Range) {
  Node list;
  list.kind = Node::Kind::sequence;
  for (const int64_t item : value) list.items.push_back(Node::scalar(std::to_string(item)));
  root_.set(key.name, std::move(list));
}

void WriteFields::section(Key key, const std::function<void(Fields&)>& inside) {
  WriteFields writer;
  writer.root_.kind = Node::Kind::map;
  inside(writer);
  root_.set(key.name, writer.take());
}

void WriteFields::component(Key key, Selection& selection) {
  WriteFields writer;
  writer.root_.set("kind", Node::scalar(selection.name()));
  selection.choice()->fields(writer);
  root_.set(key.name, writer.take());
}

void WriteFields::components(Key key, std::vector<Selection>& selections, const Selection&) {
  Node map;
  map.kind = Node::Kind::map;
  for (const auto& selection : selections) {
    WriteFields writer;
    writer.root_.kind = Node::Kind::map;
    selection.choice()->fields(writer);
    map.set(selection.name(), writer.take());
  }
  root_.set(key.name, std::move(map));
}

void WriteFields::axes(Key key, RunAxes& axes) {
  if (axes.axes.empty()) return;
  Node map;
  for (const auto& [name, values] : axes.axes) {
    Node list;
    list.kind = Node::Kind::sequence;
    list.items = values;
    map.set(name, std::move(list));
  }
  root_.set(key.name, std::move(map));
}

}  // namespace logodds
