#include "core/yaml.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace logodds {

std::string Location::text() const {
  if (line == 0) return source;
  return source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Node Node::scalar(std::string text, bool quoted) {
  Node node;
  node.kind = Kind::scalar;
  node.value = std::move(text);
  node.quoted = quoted;
  return node;
}

const Node* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == key; });
  return found == entries.end() ? nullptr : &found->second;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Node::set(const std::string& key, Node node) {
  kind = Kind::map;
  if (Node* old = find(key)) {
    *old = std::move(node);
    return *old;
  }
  key_locations.push_back(node.where);
  entries.emplace_back(key, std::move(node));
  return entries.back().second;
}

void Node::erase(std::string_view key) {
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].first != key) continue;
    entries.erase(entries.begin() + static_cast<int64_t>(i));
    key_locations.erase(key_locations.begin() + static_cast<int64_t>(i));
    return;
  }
}

namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxValues = 100000;

/// Length of the UTF-8 character of a text that begins at a place; 0 where none does that YAML could print.
size_t printable_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) {
    const bool line_end = first == '\n' || (first == '\r' && byte(1) == '\n');
    return (first >= 32 && first != 127) || first == '\t' || line_end ? 1 : 0;
  }
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  unsigned code = first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool shortest = code >= (length == 4 ? 0x10000u : length == 3 ? 0x800u : 0xa0u);  // and no control character
  const bool exists = code < 0x110000 && (code < 0xd800 || code > 0xdfff) && first >= 0xc2 && first < 0xf8;
  return shortest && exists ? length : 0;
}

/// Builds the tree from yaml-cpp's events. The events are used rather than YAML::Node because they come with marks,
/// tell quoted scalars from plain ones, and let each trap be refused where it stands, before anything is expanded.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string source) : source_(std::move(source)) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark, "anchors are not supported ('&" + name + "'); write the value out");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases are not supported; write the value out");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { place(make(mark, Node::Kind::null)); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    if (tag != "?" && tag != "!" && !tag.empty()) refuse(mark, "tags are not supported ('" + tag + "')");
    for (size_t at = 0, length; at < value.size(); at += length) {  // "\\x1b" is written with letters
      length = printable_length(value, at);
      if (length == 0) refuse(mark, "a text with a character that cannot be printed");
    }
    Node node = make(mark, Node::Kind::scalar);
    node.value = value;
    node.quoted = tag == "!";
    if (!node.quoted && (value == "null" || value == "~" || value.empty())) node.kind = Node::Kind::null;
    place(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    bool has_key = false;
    std::string key;
    Location key_where;
    std::unordered_map<std::string, int> lines;  ///< of the keys' values, as find() would take quadratic time
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) const {
    throw Error(locate(mark).text() + ": " + what);
  }

  Location locate(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  Node make(const YAML::Mark& mark, Node::Kind kind) {
    if (++count_ > kMaxValues) refuse(mark, "more than " + std::to_string(kMaxValues) + " values");
    Node node;
    node.kind = kind;
    node.where = locate(mark);
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    if (tag != "?" && !tag.empty()) refuse(mark, "tags are not supported ('" + tag + "')");
    if (stack_.size() >= kMaxDepth) refuse(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    Node node = make(mark, kind);
    const bool as_key = !stack_.empty() && stack_.back().node.kind == Node::Kind::map && !stack_.back().has_key;
    if (as_key) refuse(mark, "a key must be a plain word");
    Open opened;
    opened.node = std::move(node);
    stack_.push_back(std::move(opened));
  }

  void close() {
    Node done = std::move(stack_.back().node);
    stack_.pop_back();
    place(std::move(done));
  }

  void place(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      const auto [first, fresh] = parent.lines.try_emplace(node.value, node.where.line);
      if (!fresh) {
        throw Error(node.where.text() + ": key '" + node.value + "' stands twice, first at line " +
                    std::to_string(first->second));
      }
      parent.has_key = true;
      parent.key = node.value;
      parent.key_where = node.where;
    } else {
      parent.has_key = false;
      parent.node.entries.emplace_back(parent.key, std::move(node));
      parent.node.key_locations.push_back(parent.key_where);
    }
  }

  std::string source_;
  std::vector<Open> stack_;
  Node root_;
  size_t count_ = 0;
};

void refuse_unprintable(std::string_view text, const std::string& source) {
  Location where{source, 1, 1};
  for (size_t at = 0, length; at < text.size(); at += length) {
    length = printable_length(text, at);
    if (length == 0) throw Error(where.text() + ": a byte that is no text; a configuration is UTF-8");
    where.line += text[at] == '\n' ? 1 : 0;
    where.column = text[at] == '\n' ? 1 : where.column + 1;
  }
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& source) {
  if (text.size() > kMaxBytes) throw Error(source + ": larger than 1 MiB, so not a configuration");
  if (text.find('\0') != std::string::npos) throw Error(source + ": contains a NUL byte, so not a text file");
  refuse_unprintable(text, source);
  std::istringstream stream(text);
  TreeBuilder builder(source);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Node root = builder.take();
    TreeBuilder second(source);
    if (parser.HandleNextDocument(second)) {
      throw Error(second.take().where.text() + ": a second document begins here; a configuration has one");
    }
    if (root.kind == Node::Kind::null) {
      root.kind = Node::Kind::map;
      root.where = {source, 1, 1};
    }
    return root;
  } catch (const YAML::Exception& error) {
    const Location where{source, error.mark.line + 1, error.mark.column + 1};
    throw Error(where.text() + ": not valid YAML: " + error.msg);
  }
}

Node read_yaml_file(const std::string& path) { return parse_yaml(read_file(path, kMaxBytes + 1), path); }

namespace {

/// A value from the command line has no line and column of its own.
void relabel(Node& node, const std::string& source) {
  node.where = {source, 0, 0};
  for (auto& item : node.items) relabel(item, source);
  for (auto& [key, value] : node.entries) relabel(value, source);
  for (auto& where : node.key_locations) where = node.where;
}

}  // namespace

void set_dotted(Node& root, const std::string& dotted, Node value, const Location& where) {
  Node* node = &root;
  std::istringstream path(dotted);
  std::string key;
  std::vector<std::string> keys;
  while (std::getline(path, key, '.')) keys.push_back(key);
  if (keys.empty() || dotted.back() == '.') keys.emplace_back();
  if (keys.size() > kMaxDepth) {
    throw Error(where.text() + ": the key has more than " + std::to_string(kMaxDepth) + " parts");
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].empty()) throw Error(where.text() + ": a part of the key '" + dotted + "' is empty");
    if (node->kind == Node::Kind::scalar) {
      Node kind = *node;
      node->value.clear();
      node->set("kind", std::move(kind));
    }
    if (node->kind == Node::Kind::sequence) {
      throw Error(where.text() + ": '" + keys[i - 1] + "' is a list, it has no keys");
    }
    Node* next = node->find(keys[i]);
    if (next == nullptr) {
      Node empty;
      empty.where = where;
      next = &node->set(keys[i], std::move(empty));
    }
    node = next;
  }
  *node = std::move(value);
}

std::pair<std::string, Node> parse_assignment(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error("command line: '" + assignment +
                "' is not an override; write key=value, such as optimizer.weight_decay=0");
  }
  const std::string source = "command line '" + assignment + "'";
  Node value = parse_yaml(assignment.substr(equals + 1), source);
  if (value.kind == Node::Kind::map && value.entries.empty()) value.kind = Node::Kind::null;
  relabel(value, source);
  return {assignment.substr(0, equals), std::move(value)};
}

void apply_override(Node& root, const std::string& assignment) {
  auto [key, value] = parse_assignment(assignment);
  const Location where = value.where;
  set_dotted(root, key, std::move(value), where);
}

namespace {

void emit(YAML::Emitter& out, const Node& node) {
  const auto is_leaf = [](const Node& n) { return n.kind == Node::Kind::scalar || n.kind == Node::Kind::null; };
  switch (node.kind) {
    case Node::Kind::null:
      out << YAML::Null;
      break;
    case Node::Kind::scalar:
      if (node.quoted) out << YAML::DoubleQuoted;
      out << node.value;
      break;
    case Node::Kind::sequence:
      if (std::all_of(node.items.begin(), node.items.end(), is_leaf)) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const auto& item : node.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    case Node::Kind::map:
      out << YAML::BeginMap;
      for (const auto& [key, value] : node.entries) {
        out << YAML::Key << key << YAML::Value;
        emit(out, value);
      }
      out << YAML::EndMap;
      break;
  }
}

}  // namespace

std::string to_yaml(const Node& node) {
  YAML::Emitter out;
  emit(out, node);
  return std::string(out.c_str()) + "\n";
}

}  // namespace logodds
