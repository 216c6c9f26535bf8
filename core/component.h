#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/fields.h"

namespace logodds {

/// The options of one named component, read but not yet built.
class Choice {
 public:
  virtual ~Choice() = default;
  virtual void fields(Fields& fields) = 0;
};

/// The components of one sort ("tasks"), by name.
class Catalogue {
 public:
  struct Entry {
    std::string name;
    std::string summary;
    std::function<std::shared_ptr<Choice>()> choose;
  };
  Catalogue(std::string sort, std::vector<Entry> entries) : sort_(std::move(sort)), entries_(std::move(entries)) {}

  const std::string& sort() const { return sort_; }
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(const std::string& name) const {
    for (const auto& entry : entries_) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : entries_) names.push_back(entry.name);
    return names;
  }

 private:
  std::string sort_;
  std::vector<Entry> entries_;
};

/// A component selected in a configuration: its name, its options and where it was written.
class Selection {
 public:
  /// `name` empty: the configuration must choose.
  explicit Selection(const Catalogue& catalogue, const std::string& name = "") : catalogue_(&catalogue) {
    if (!name.empty()) select(name);
  }
  const Catalogue& catalogue() const { return *catalogue_; }
  const std::string& name() const { return name_; }
  Choice* choice() const { return choice_.get(); }

  /// Selects by name, with default options; false if there is no such component.
  bool select(const std::string& name, const Location& where = {}) {
    const auto* entry = catalogue_->find(name);
    if (entry == nullptr) return false;
    name_ = name;
    choice_ = entry->choose();
    where_ = where;
    return true;
  }

  /// Builds the component; an error of its constructor is prefixed with where the component was selected.
  template <class Base, class... Context>
  std::unique_ptr<Base> make(Context&&... context) const;

 private:
  const Catalogue* catalogue_;
  std::string name_;
  std::shared_ptr<Choice> choice_;
  Location where_;
};

/// Builds components of type Base; `Context` is what their constructors take after the options.
template <class Base, class... Context>
class Maker : public Choice {
 public:
  virtual std::unique_ptr<Base> make(Context... context) const = 0;
};

/// A catalogue entry for a component with `struct Options` and a constructor (const Options&, Context...).
template <class Component, class Base, class... Context>
Catalogue::Entry entry(const std::string& name, const std::string& summary) {
  class Made : public Maker<Base, Context...> {
   public:
    void fields(Fields& fields) override { options_.fields(fields); }
    std::unique_ptr<Base> make(Context... context) const override {
      return std::make_unique<Component>(options_, context...);
    }

   private:
    typename Component::Options options_;
  };
  return {name, summary, [] { return std::make_shared<Made>(); }};
}

template <class Base, class... Context>
std::unique_ptr<Base> Selection::make(Context&&... context) const {
  const auto* maker = dynamic_cast<const Maker<Base, const std::decay_t<Context>&...>*>(choice_.get());
  if (maker == nullptr)
    throw Error("'" + name_ + "' of " + catalogue_->sort() + " cannot be built here", ExitCode::internal);
  try {
    return maker->make(context...);
  } catch (const Error& error) {
    const std::string prefix = where_.source.empty() ? "" : where_.text() + ": ";
    throw Error(prefix + name_ + ": " + error.what(), error.code());
  }
}

}  // namespace logodds
