// Ids that clients choose or see for rooms and people: numbers, or strings where the plugin's "string_ids" says so.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "cardea/json.hpp"

namespace cardea {

class PublicId {
public:
  PublicId() = default;
  explicit PublicId(uint64_t number) : value_(number) {}
  explicit PublicId(std::string text) : value_(std::move(text)) {}

  // 0 and "" ask the server to choose.
  bool empty() const {
    const auto* number = std::get_if<uint64_t>(&value_);
    return number != nullptr ? *number == 0 : std::get<std::string>(value_).empty();
  }
  std::string text() const {
    const auto* number = std::get_if<uint64_t>(&value_);
    return number != nullptr ? std::to_string(*number) : std::get<std::string>(value_);
  }
  Json json() const {
    const auto* number = std::get_if<uint64_t>(&value_);
    return number != nullptr ? Json(*number) : Json(std::get<std::string>(value_));
  }
  auto operator<=>(const PublicId&) const = default;

private:
  std::variant<uint64_t, std::string> value_;
};

}  // namespace cardea

template <>
struct std::hash<cardea::PublicId> {
  size_t operator()(const cardea::PublicId& id) const { return std::hash<std::string>()(id.text()); }
};
