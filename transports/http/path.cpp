#include "http/path.hpp"

#include <algorithm>
#include <charconv>

namespace cardea::transports {

std::optional<int64_t> id_of(std::string_view component) {
  int64_t id = 0;
  auto [end, error] = std::from_chars(component.data(), component.data() + component.size(), id);
  if (error != std::errc() || end != component.data() + component.size() || id <= 0) return std::nullopt;
  return id;
}

std::optional<std::vector<std::string_view>> below(std::string_view path, std::string_view base) {
  if (!path.starts_with(base)) return std::nullopt;
  path.remove_prefix(base.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  std::vector<std::string_view> components;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) components.push_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  return components;
}

std::optional<std::string> cleaned(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.starts_with('.') || name.find('\0') != std::string_view::npos) return std::nullopt;
    if (!name.empty()) clean.append("/").append(name);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return clean;
}

std::string encoded(std::string_view path) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/";
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    if (plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

}  // namespace cardea::transports
