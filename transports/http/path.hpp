// Paths of requests, decoded, as the API and the pages understand them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cardea::transports {

// The id in a component of a path; none if it is no number that an id can be.
std::optional<int64_t> id_of(std::string_view component);

// What follows the base path ("/janus", "" for "/"), split at the slashes; none if the path is outside.
std::optional<std::vector<std::string_view>> below(std::string_view path, std::string_view base);

// The path of a file below the folder of the pages, "/a/b" or "": without empty components; none if it names anything
// hidden, which includes "." and "..".
std::optional<std::string> cleaned(std::string_view path);

// As it stands in a URL: RFC 3986 section 2.1.
std::string encoded(std::string_view path);

}  // namespace cardea::transports
