// How JSON is written, as the settings say it.
#pragma once

#include <string>

#include "cardea/json.hpp"
#include "cardea/schema.hpp"

namespace cardea::transports {

inline constexpr auto json_styles = one_of("compact", "plain", "indented");

inline JsonStyle style_of(const std::string& word) {
  if (word == "plain") return JsonStyle::plain;
  return word == "indented" ? JsonStyle::indented : JsonStyle::compact;
}

}  // namespace cardea::transports
