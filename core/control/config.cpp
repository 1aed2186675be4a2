#include "control/config.hpp"

#include <libconfig.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>

#include "cardea/text.hpp"
#include "control/meaningless.hpp"

namespace cardea::control {
namespace {

struct ConfigFree {
  void operator()(config_t* config) const {
    config_destroy(config);
    delete config;
  }
};

// "PATH/cardea.cfg:12"
std::string place_of(const config_setting_t* setting, const std::string& file) {
  const char* included = config_setting_source_file(setting);
  std::string place = file;
  if (included != nullptr) place = std::filesystem::path(file).parent_path() / included;
  return text(place, ":", config_setting_source_line(setting));
}

Json to_json(const config_setting_t* setting, const std::string& file) {
  switch (config_setting_type(setting)) {
  case CONFIG_TYPE_INT: return Json(config_setting_get_int(setting));
  case CONFIG_TYPE_INT64: return Json(static_cast<int64_t>(config_setting_get_int64(setting)));
  case CONFIG_TYPE_FLOAT: {
    const double value = config_setting_get_float(setting);
    if (!std::isfinite(value)) throw ConfigError(text(place_of(setting, file), ": this is too large a number"));
    return Json(value);
  }
  case CONFIG_TYPE_BOOL: return Json(config_setting_get_bool(setting) != 0);
  case CONFIG_TYPE_STRING: return Json(config_setting_get_string(setting));
  case CONFIG_TYPE_ARRAY:
  case CONFIG_TYPE_LIST: {
    Json list = Json::array();
    for (int i = 0; i < config_setting_length(setting); ++i)
      list.append(to_json(config_setting_get_elem(setting, static_cast<unsigned>(i)), file));
    return list;
  }
  case CONFIG_TYPE_GROUP: {
    Json group = Json::object();
    for (int i = 0; i < config_setting_length(setting); ++i) {
      const config_setting_t* member = config_setting_get_elem(setting, static_cast<unsigned>(i));
      group.set(config_setting_name(member), to_json(member, file));
    }
    return group;
  }
  default: return Json::null();
  }
}

void note_places(const config_setting_t* setting, const std::string& path, const std::string& file,
                 std::map<std::string, std::string>& to) {
  if (!path.empty()) to[path] = place_of(setting, file);
  if (config_setting_type(setting) != CONFIG_TYPE_GROUP) return;
  for (int i = 0; i < config_setting_length(setting); ++i) {
    const config_setting_t* member = config_setting_get_elem(setting, static_cast<unsigned>(i));
    note_places(member, (path.empty() ? "" : path + ".") + config_setting_name(member), file, to);
  }
}

bool word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
         c == '.' || c == '*' || c == '+';
}

// "", or "L" if the word is a whole number that needs it.
Result<std::string_view> suffix_for(std::string_view word, int line) {
  std::string_view digits = word;
  bool negative = false;
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) {
    negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  }
  bool marked = digits.ends_with('L');
  while (digits.ends_with('L')) digits.remove_suffix(1);
  uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || end != digits.data() + digits.size()) return std::string_view();
  if (error == std::errc::result_out_of_range || value > uint64_t{std::numeric_limits<int64_t>::max()})
    return Error{line, text(word, " is too large a number")};
  uint64_t limit = uint64_t{std::numeric_limits<int32_t>::max()} + (negative ? 1 : 0);
  return std::string_view(value > limit && !marked ? "L" : "");
}

size_t end_of_string(std::string_view all, size_t at) {
  for (++at; at < all.size() && all[at] != '"'; ++at)
    if (all[at] == '\\') ++at;
  return std::min(at + 1, all.size());
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  if (!in) throw ConfigError(text(path, ": cannot be read"));
  return std::move(all).str();
}

// Included files are read by libconfig itself: long numbers in them must bear their L.
void check_included(std::string_view marked, const std::string& folder, int depth) {
  std::istringstream lines{std::string(marked)};
  for (std::string line; std::getline(lines, line);) {
    size_t open = line.find('"');
    if (!line.starts_with("@include") || open == std::string::npos) continue;
    std::string path = folder + "/" + line.substr(open + 1, line.find('"', open + 1) - open - 1);
    std::error_code no_file;
    if (depth > 9 || !std::filesystem::is_regular_file(path, no_file)) continue;  // libconfig says what is wrong
    std::string all = read_all(path);
    auto with_marks = mark_long_numbers(all);
    if (!with_marks) throw ConfigError(text(path, ":", with_marks.error().code, ": ", with_marks.error().reason));
    auto differs = std::mismatch(all.begin(), all.end(), with_marks->begin(), with_marks->end()).first;
    if (all != *with_marks)
      throw ConfigError(text(path, ":", 1 + std::count(all.begin(), differs, '\n'),
                             ": in an included file, a number beyond 32 bits must end in L"));
    check_included(all, folder, depth + 1);
  }
}

}  // namespace

Result<std::string> mark_long_numbers(std::string_view all) {
  std::string out;
  int line = 1;
  auto copy = [&](size_t from, size_t to) {
    line += static_cast<int>(
        std::count(all.begin() + static_cast<ptrdiff_t>(from), all.begin() + static_cast<ptrdiff_t>(to), '\n'));
    out.append(all.substr(from, to - from));
    return to;
  };
  for (size_t at = 0; at < all.size();) {
    char c = all[at];
    std::string_view two = all.substr(at, 2);
    if (c == '"') {
      at = copy(at, end_of_string(all, at));
    } else if (c == '#' || two == "//") {
      at = copy(at, std::min(all.find('\n', at), all.size()));
    } else if (two == "/*") {
      size_t end = all.find("*/", at + 2);
      at = copy(at, end == std::string_view::npos ? all.size() : end + 2);
    } else if (word_character(c)) {
      size_t end = at;
      while (end < all.size() && word_character(all[end])) ++end;
      auto suffix = suffix_for(all.substr(at, end - at), line);
      if (!suffix) return suffix.error();
      at = copy(at, end);
      out.append(*suffix);
    } else {
      at = copy(at, at + 1);
    }
  }
  return out;
}

Configuration Configuration::read(const std::string& folder, const std::vector<std::string>& options) {
  Configuration all;
  if (!folder.empty()) {
    std::error_code error;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.path().extension() == ".cfg") names.push_back(entry.path().stem().string());
    if (error) throw ConfigError(text(folder, ": ", error.message()));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) all.read_file(folder + "/" + name + ".cfg", name);
  }
  for (const std::string& option : options) all.read_option(option);
  return all;
}

void Configuration::read_file(const std::string& path, const std::string& name) {
  auto marked = mark_long_numbers(read_all(path));
  if (!marked) throw ConfigError(text(path, ":", marked.error().code, ": ", marked.error().reason));
  std::string folder = std::filesystem::path(path).parent_path().string();
  check_included(*marked, folder, 0);

  std::unique_ptr<config_t, ConfigFree> config(new config_t);
  config_init(config.get());
  config_set_include_dir(config.get(), folder.c_str());
  if (config_read_string(config.get(), marked->c_str()) != CONFIG_TRUE) {
    const char* included = config_error_file(config.get());
    throw ConfigError(text(included != nullptr ? included : path, ":", config_error_line(config.get()), ": ",
                           config_error_text(config.get())));
  }
  File& file = files_[name];
  file.path = path;
  file.sections = to_json(config_root_setting(config.get()), path);
  note_places(config_root_setting(config.get()), "", path, file.places);
}

void Configuration::read_option(const std::string& option) {
  size_t equals = option.find('=');
  size_t first = option.find('.');
  size_t second = first == std::string::npos ? first : option.find('.', first + 1);
  if (equals == std::string::npos || second == std::string::npos || second > equals || first == 0 ||
      second == first + 1 || equals == second + 1)
    throw ConfigError(text("--set ", option, ": should be FILE.SECTION.KEY=VALUE"));
  std::string section = option.substr(first + 1, second - first - 1);
  std::string key = option.substr(second + 1, equals - second - 1);
  File& file = files_[option.substr(0, first)];
  JsonView group = file.sections[section];
  Json changed = group.is_object() ? Json::copy(group) : Json::object();
  changed.set(key, Json(std::string_view(option).substr(equals + 1)));
  file.sections.set(section, std::move(changed));
  file.places[section + "." + key] = text("--set ", option.substr(0, equals));
}

JsonView Configuration::file(const std::string& name) const {
  static const Json empty = Json::object();
  auto found = files_.find(name);
  return found == files_.end() ? JsonView(empty) : JsonView(found->second.sections);
}

std::vector<std::string> Configuration::files() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

bool Configuration::only_by_option(const std::string& file) const {
  auto found = files_.find(file);
  return found != files_.end() && found->second.path.empty();
}

std::vector<std::string> Configuration::leave_out_meaningless(const std::string& file,
                                                              const std::vector<SettingInfo>& known) {
  std::vector<std::string> warnings;
  auto found = files_.find(file);
  if (found == files_.end()) return warnings;
  Json kept = Json::object();
  auto leave_out = [&](std::string_view section, std::string_view key) {
    const std::string path = text(section, key.empty() ? "" : ".", key);
    const std::string listed = section.starts_with("room-") ? text("room-<id>.", key) : path;
    if (std::any_of(known.begin(), known.end(), [&](const SettingInfo& info) { return info.name == listed; }) ||
        !is_meaningless(file, section, key))
      return false;
    warnings.push_back(describe(file, {path, "has no meaning here, and is left out"}));
    return true;
  };
  JsonView(found->second.sections).each_member([&](std::string_view section, JsonView value) {
    if (leave_out(section, "")) return;
    Json members = Json::copy(value);
    if (value.is_object()) {
      value.each_member([&](std::string_view key, JsonView) {
        if (leave_out(section, key)) members.erase(std::string(key).c_str());
      });
    }
    kept.set(std::string(section), std::move(members));
  });
  found->second.sections = std::move(kept);
  return warnings;
}

std::string Configuration::describe(const std::string& file, const SettingError& error) const {
  auto found = files_.find(file);
  if (found == files_.end()) return text(file, ".", error.path, ": ", error.reason);
  // The place of the setting itself, or of the nearest group around it.
  const auto& places = found->second.places;
  for (std::string path = error.path; !path.empty();) {
    if (auto place = places.find(path); place != places.end())
      return place->second.starts_with("--set") ? text(place->second, ": ", error.reason)
                                                : text(place->second, ": ", error.path, ": ", error.reason);
    size_t dot = path.rfind('.');
    path = dot == std::string::npos ? "" : path.substr(0, dot);
  }
  // A section or key that only an option named.
  for (const auto& [path, place] : places)
    if (path.starts_with(error.path + ".") && place.starts_with("--set")) return text(place, ": ", error.reason);
  return text(found->second.path.empty() ? file : found->second.path, ": ", error.path, ": ", error.reason);
}

}  // namespace cardea::control
