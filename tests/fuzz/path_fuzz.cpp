// Paths as HTTP requests name them: none leads out of the folder of the pages, and those of the API fall into
// components.
#include <cstdint>
#include <cstdlib>

#include "http/path.hpp"

using namespace cardea::transports;

namespace {

// RFC 3986 section 2.1, as a server reads it.
std::string decoded(std::string_view text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i)
    out += text[i] == '%' ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i],
        i += text[i] == '%' ? 2 : 0;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path(reinterpret_cast<const char*>(data), size);
  if (auto clean = cleaned(path)) {
    // Each component follows a slash, is not empty and shows itself.
    if (!clean->empty() && clean->front() != '/') std::abort();
    if (clean->ends_with('/') || clean->find("//") != std::string::npos) std::abort();
    if (clean->find("/.") != std::string::npos || clean->find('\0') != std::string::npos) std::abort();
    if (decoded(encoded(*clean)) != *clean) std::abort();
  }
  for (const char c : encoded(path))
    if (c <= ' ' || c == '\x7f' || (c & 0x80) != 0) std::abort();
  for (const char* base : {"/janus", "", "/api/v1"}) {
    auto components = below(path, base);
    if (!components) continue;
    for (const std::string_view component : *components) {
      if (component.empty() || component.find('/') != std::string_view::npos) std::abort();
      if (auto id = id_of(component); id && *id <= 0) std::abort();
    }
  }
  return 0;
}
