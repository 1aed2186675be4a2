// Reading a module's file section by section.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/schema.hpp"

namespace cardea::transports {

// Reads one section after the other until something is wrong; sections that nobody reads are wrong too.
class Sections {
public:
  explicit Sections(JsonView values) : values_(values) {}

  template <class T, class Fields>
  Sections& read(const char* name, T& to, const Fields& fields) {
    known_.emplace_back(name);
    if (!wrong_) wrong_ = read_section(values_[name], name, to, fields);
    return *this;
  }
  std::optional<SettingError> wrong() {
    if (wrong_) return wrong_;
    values_.each_member([&](std::string_view name, JsonView) {
      bool known = false;
      for (const auto& one : known_) known = known || one == name;
      if (!known && !wrong_) wrong_ = SettingError{std::string(name), "no such section"};
    });
    return wrong_;
  }

private:
  const JsonView values_;
  std::vector<std::string> known_;
  std::optional<SettingError> wrong_;
};

}  // namespace cardea::transports
