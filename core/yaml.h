#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace logodds {

/// Where a value was written: "file:line:column", or "command line" for an override.
struct Location {
  std::string source;
  int line = 0;  ///< from 1; 0 where the source has no lines
  int column = 0;
  std::string text() const;
};

/// One value of a strictly read YAML document.
struct Node {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string value;    ///< scalar only
  bool quoted = false;  ///< a quoted scalar is text, never a number or a truth value
  Location where;
  std::vector<Node> items;                            ///< sequence only
  std::vector<std::pair<std::string, Node>> entries;  ///< map only, in written order
  std::vector<Location> key_locations;                ///< map only, one per entry

  static Node scalar(std::string text, bool quoted = false);
  Node* find(std::string_view key);
  const Node* find(std::string_view key) const;
  /// Sets or replaces an entry of a map.
  Node& set(const std::string& key, Node value);
  /// Removes an entry of a map, if it is there.
  void erase(std::string_view key);
};

/// Reads one YAML document strictly: at most 1 MiB, 32 levels and 100 000 values; one document; no anchors, aliases,
/// tags or duplicate keys. Throws Error that names the source, line and column. An empty document is an empty map.
Node parse_yaml(const std::string& text, const std::string& source);
Node read_yaml_file(const std::string& path);

/// Sets the value of the dotted key "a.b.c", written at `where`. A component written as a bare name ("task: x") becomes
/// {kind: x} when a key inside it is set. Throws Error for an empty part of the key and for a list on the way.
void set_dotted(Node& root, const std::string& key, Node value, const Location& where);

/// "a.b.c=value" taken apart; the value is YAML, and its location the command line.
std::pair<std::string, Node> parse_assignment(const std::string& assignment);

/// Applies "a.b.c=value" to a document, as set_dotted does.
void apply_override(Node& root, const std::string& assignment);

/// Block-style YAML text that parse_yaml reads back as the same tree.
std::string to_yaml(const Node& node);

}  // namespace logodds
