// Small tools for reading text: words, numbers, names in any case.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace cardea::sdp {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

// All of the text as a number of this type; none if it is anything else.
template <std::unsigned_integral Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Takes the part before the separator off the front; all of the rest if there is none.
inline std::string_view take_until(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Takes the next word; empty at the end.
inline std::string_view take_word(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  size_t at = rest.find_first_of(" \t");
  std::string_view word = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return word;
}

// RFC 8866's token, more or less: printable, no space.
inline bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (c <= ' ' || c >= 0x7f) return false;
  return true;
}

}  // namespace cardea::sdp
