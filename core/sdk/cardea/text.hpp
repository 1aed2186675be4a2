// Text from parts, one after the other: text("No such room (", room, ")").
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace cardea {

inline void append_text(std::string& to, std::string_view part) { to.append(part); }
inline void append_text(std::string& to, char part) { to.push_back(part); }
template <class Number>
requires(std::is_arithmetic_v<Number>) void append_text(std::string& to, Number part) {
  if constexpr (std::is_same_v<Number, bool>)
    to.append(part ? "true" : "false");
  else
    to.append(std::to_string(part));
}

template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (append_text(out, parts), ...);
  return out;
}

}  // namespace cardea
