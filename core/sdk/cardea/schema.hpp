// Requests and settings as structs whose fields are declared once in a table; reading, type checks, error codes and the
// Janus API's error texts follow from the table.
//
//   struct Join { PublicId room; std::string ptype; std::optional<std::string> display; };
//   constexpr auto join_fields = std::tuple{
//       required("room", &Join::room), required("ptype", &Join::ptype, one_of("publisher", "subscriber")),
//       optional("display", &Join::display)};
//   Result<Join> join = read<Join>(body, join_fields, {.missing = 429, .invalid = 430});
//
// Fields are checked in table order and the first failure is reported. Unknown members are ignored in requests and
// refused in settings. null counts as absent.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "cardea/json.hpp"
#include "cardea/public_id.hpp"
#include "cardea/result.hpp"
#include "cardea/text.hpp"

namespace cardea {

// What a value must be beyond its type.
struct Rule {
  std::array<std::string_view, 10> words{};  // one of these, if any is given
  size_t word_count = 0;
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  bool non_empty = false;
  size_t most_bytes = 0;  // of a text or an object; 0: as the reader says (Sizes)

  constexpr bool limited() const {
    return min != std::numeric_limits<int64_t>::min() || max != std::numeric_limits<int64_t>::max();
  }
};

template <class... Words>
constexpr Rule one_of(Words... words) {
  Rule rule;
  rule.words = {std::string_view(words)...};
  rule.word_count = sizeof...(words);
  return rule;
}
constexpr Rule range(int64_t min, int64_t max) {
  Rule rule;
  rule.min = min;
  rule.max = max;
  return rule;
}
constexpr Rule non_empty() {
  Rule rule;
  rule.non_empty = true;
  return rule;
}
constexpr Rule at_most_bytes(size_t bytes) {
  Rule rule;
  rule.most_bytes = bytes;
  return rule;
}
inline constexpr size_t any_size = std::numeric_limits<size_t>::max();

// The largest texts, objects and lists that are read; a field's own rule wins. Requests are bounded, settings are not.
struct Sizes {
  size_t text = 2048;     // bytes
  size_t object = 16384;  // bytes, as compact JSON
  size_t list = 1000;     // elements
};

template <class Struct, class Member>
struct Field {
  const char* name;
  Member Struct::*member;
  bool required = false;
  Rule rule{};
  const char* meaning = "";  // settings only: for --list-settings
  const char* unit = "";
};

// A member that is an array of structs with a table of their own.
template <class Struct, class Member, class Fields>
struct ArrayField {
  const char* name;
  Member Struct::*member;
  bool required;
  Fields fields;
};

template <class Struct, class Member>
constexpr auto required(const char* name, Member Struct::*member, Rule rule = {}) {
  return Field<Struct, Member>{name, member, true, rule};
}
template <class Struct, class Member>
constexpr auto optional(const char* name, Member Struct::*member, Rule rule = {}) {
  return Field<Struct, Member>{name, member, false, rule};
}
template <class Struct, class Member>
constexpr auto setting(const char* name, Member Struct::*member, const char* meaning, const char* unit = "",
                       Rule rule = {}) {
  return Field<Struct, Member>{name, member, false, rule, meaning, unit};
}
template <class Struct, class Member, class Fields>
constexpr auto required_array(const char* name, Member Struct::*member, Fields fields) {
  return ArrayField<Struct, Member, Fields>{name, member, true, fields};
}
template <class Struct, class Member, class Fields>
constexpr auto optional_array(const char* name, Member Struct::*member, Fields fields) {
  return ArrayField<Struct, Member, Fields>{name, member, false, fields};
}

struct ReadOptions {
  int missing = 456;  // codes of the errors
  int invalid = 467;
  bool string_ids = false;  // PublicId members are strings
  bool from_text = false;   // settings: "yes", "8188" are read as booleans and numbers
  Sizes sizes{};

  size_t most(size_t own, size_t general) const { return own > 0 ? own : from_text ? any_size : general; }
};

namespace schema {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

// The Janus API's word for a type.
template <class T>
constexpr std::string_view type_name(const ReadOptions& options = {}) {
  if constexpr (is_optional<T>::value)
    return type_name<typename T::value_type>(options);
  else if constexpr (std::is_same_v<T, bool>)
    return "boolean";
  else if constexpr (std::unsigned_integral<T>)
    return "positive integer";
  else if constexpr (std::integral<T>)
    return "integer";
  else if constexpr (std::floating_point<T>)
    return "real";
  else if constexpr (std::is_same_v<T, std::string>)
    return "string";
  else if constexpr (std::is_same_v<T, PublicId>)
    return options.string_ids ? "string" : "positive integer";
  else if constexpr (std::is_same_v<T, Json>)
    return "object";
  else
    return "array";
}

inline std::optional<bool> boolean_of(std::string_view word) {
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

constexpr std::string_view article(std::string_view noun) {
  return noun.starts_with('i') || noun.starts_with('o') || noun.starts_with('a') ? "an " : "a ";
}
inline Error wrong_type(std::string_view field, std::string_view type, const ReadOptions& options) {
  return {options.invalid, text("Invalid element type (", field, " should be ", article(type), type, ")")};
}

enum class Reading { ok, wrong_type, out_of_range };

// What is too large about a value, if anything: "at most 2048 bytes".
template <class T>
std::optional<std::string> too_large(JsonView from, const Rule& rule, const ReadOptions& options) {
  auto bytes = [](size_t most) { return text("at most ", most, " bytes"); };
  if constexpr (is_optional<T>::value) {
    return too_large<typename T::value_type>(from, rule, options);
  } else if constexpr (is_vector<T>::value) {
    if (!from.is_array()) return std::nullopt;
    if (const size_t most = options.most(0, options.sizes.list); from.size() > most)
      return text("at most ", most, " elements");
    std::optional<std::string> wrong;
    from.each_element([&](JsonView one) {
      if (!wrong) wrong = too_large<typename T::value_type>(one, rule, options);
    });
    return wrong;
  } else if constexpr (std::is_same_v<T, Json>) {
    const size_t most = options.most(rule.most_bytes, options.sizes.object);
    if (most != any_size && from.is_object() && from.text().size() > most) return bytes(most);
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, PublicId>) {
    const size_t most = options.most(rule.most_bytes, options.sizes.text);
    if (from.string().size() > most) return bytes(most);
  }
  return std::nullopt;
}

// One value of a scalar, string, id, object or array of such.
template <class T>
Reading read_value(JsonView from, T& to, const ReadOptions& options) {
  if constexpr (is_optional<T>::value) {
    return read_value(from, to.emplace(), options);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (options.from_text && from.is_string()) {
      auto value = boolean_of(from.string());
      if (!value) return Reading::wrong_type;
      to = *value;
      return Reading::ok;
    }
    if (!from.is_boolean()) return Reading::wrong_type;
    to = from.boolean();
    return Reading::ok;
  } else if constexpr (std::integral<T>) {
    int64_t value = from.integer();
    if (options.from_text && from.is_string()) {
      std::string_view digits = from.string();
      auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (error == std::errc::result_out_of_range) return Reading::out_of_range;
      if (error != std::errc() || end != digits.data() + digits.size()) return Reading::wrong_type;
    } else if (!from.is_integer()) {
      return Reading::wrong_type;
    }
    if (std::unsigned_integral<T> && value < 0) return options.from_text ? Reading::out_of_range : Reading::wrong_type;
    if (!std::in_range<T>(value)) return Reading::out_of_range;
    to = static_cast<T>(value);
    return Reading::ok;
  } else if constexpr (std::floating_point<T>) {
    if (options.from_text && from.is_string()) {
      std::string_view digits = from.string();
      auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
      return error == std::errc() && end == digits.data() + digits.size() ? Reading::ok : Reading::wrong_type;
    }
    if (!from.is_number()) return Reading::wrong_type;
    to = static_cast<T>(from.number());
    return Reading::ok;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (options.from_text && from.is_integer())
      to = std::to_string(from.integer());  // pin = 1234
    else if (!from.is_string())
      return Reading::wrong_type;
    else
      to = std::string(from.string());
    return Reading::ok;
  } else if constexpr (std::is_same_v<T, PublicId>) {
    if (options.string_ids) {
      if (!from.is_string()) return Reading::wrong_type;
      to = PublicId(std::string(from.string()));
    } else {
      if (!from.is_integer() || from.integer() < 0) return Reading::wrong_type;
      to = PublicId(static_cast<uint64_t>(from.integer()));
    }
    return Reading::ok;
  } else if constexpr (std::is_same_v<T, Json>) {
    if (!from.is_object()) return Reading::wrong_type;
    to = Json::copy(from);
    return Reading::ok;
  } else {
    static_assert(is_vector<T>::value, "no reader for this type");
    using Element = typename T::value_type;
    if (options.from_text && from.is_string()) {  // "a, b": lists as the Janus configuration writes them
      std::string_view rest = from.string();
      while (!rest.empty()) {
        size_t comma = rest.find(',');
        std::string_view word = rest.substr(0, comma);
        while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
        while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
        Element element{};
        Reading reading = read_value<Element>(Json(word), element, options);
        if (reading != Reading::ok) return reading;
        to.push_back(std::move(element));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      }
      return Reading::ok;
    }
    if (!from.is_array()) return Reading::wrong_type;
    for (size_t i = 0; i < from.size(); ++i) {
      Element element{};
      Reading reading = read_value<Element>(from[i], element, options);
      if (reading != Reading::ok) return reading;
      to.push_back(std::move(element));
    }
    return Reading::ok;
  }
}

template <class T>
bool obeys(const T& value, const Rule& rule) {
  if constexpr (is_optional<T>::value) {
    return !value || obeys(*value, rule);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (rule.non_empty && value.empty()) return false;
    if (rule.word_count == 0) return true;
    for (size_t i = 0; i < rule.word_count; ++i)
      if (rule.words[i] == value) return true;
    return false;
  } else if constexpr (is_vector<T>::value) {
    return !rule.non_empty || !value.empty();
  } else if constexpr (std::integral<T> && !std::is_same_v<T, bool>) {
    return std::cmp_greater_equal(value, rule.min) && std::cmp_less_equal(value, rule.max);
  } else if constexpr (std::floating_point<T>) {
    return value >= static_cast<T>(rule.min) && value <= static_cast<T>(rule.max);
  } else {
    return true;
  }
}

inline std::string expectation(const Rule& rule) {
  std::string out;
  for (size_t i = 0; i < rule.word_count; ++i) out += (i == 0 ? "one of " : ", ") + std::string(rule.words[i]);
  if (rule.limited()) out += text(rule.min, "..", rule.max);
  if (rule.non_empty) out += "not empty";
  return out;
}

// What a setting must be, for the operator: "a whole number from 0 to 65535 bytes".
template <class T>
std::string wish(const Rule& rule, std::string_view unit, bool string_ids) {
  if constexpr (is_optional<T>::value) {
    return wish<typename T::value_type>(rule, unit, string_ids);
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::integral<T>) {
    using Limits = std::numeric_limits<T>;
    const int64_t min = std::cmp_less(rule.min, Limits::min()) ? static_cast<int64_t>(Limits::min()) : rule.min;
    const int64_t max = std::cmp_greater(rule.max, Limits::max()) ? static_cast<int64_t>(Limits::max()) : rule.max;
    return text("a whole number from ", min, " to ", max, unit.empty() ? "" : " ", unit);
  } else if constexpr (std::floating_point<T>) {
    std::string range = rule.limited() ? text(" from ", rule.min, " to ", rule.max) : "";
    return text("a number", range, unit.empty() ? "" : " ", unit);
  } else if constexpr (is_vector<T>::value) {
    return text(rule.non_empty ? "a list that is not empty, each " : "a list, each ",
                wish<typename T::value_type>({}, unit, string_ids));
  } else if constexpr (std::is_same_v<T, Json>) {
    return "a group { ... }";
  } else if constexpr (std::is_same_v<T, PublicId>) {
    return string_ids ? "a text in quotes" : "a whole number from 0";
  } else {
    if (rule.word_count > 0) return expectation(rule);
    return rule.non_empty ? "a text that is not empty" : "a text in quotes";
  }
}

// A value as the operator wrote it, or its beginning.
inline std::string shown(JsonView value) {
  constexpr size_t longest = 60;
  std::string all = value.text(JsonStyle::plain);
  if (all.size() <= longest) return all;
  size_t end = longest;
  while ((all[end] & 0xc0) == 0x80) --end;  // not within a character
  return all.substr(0, end) + "...";
}

template <class T, class Fields>
Status read_into(JsonView from, T& to, const Fields& fields, const ReadOptions& options);

// T is Struct or derived from it: tables of a base serve in the tables of what is built on it.
template <class T, class Struct, class Member>
Status read_field(JsonView from, T& to, const Field<Struct, Member>& field, const ReadOptions& options) {
  JsonView value = from[field.name];
  if (!value || value.is_null()) {
    if (field.required) return Error{options.missing, text("Missing mandatory element (", field.name, ")")};
    return {};
  }
  if (auto most = too_large<Member>(value, field.rule, options))
    return Error{options.invalid, text("Invalid element (", field.name, " should have ", *most, ")")};
  Member read{};
  switch (read_value(value, read, options)) {
  case Reading::ok: break;
  case Reading::wrong_type: return wrong_type(field.name, type_name<Member>(options), options);
  case Reading::out_of_range: return Error{options.invalid, text("Invalid element (", field.name, " is out of range)")};
  }
  if (!obeys(read, field.rule)) {
    return Error{options.invalid, text("Invalid element (", field.name, " should be ", expectation(field.rule), ")")};
  }
  to.*field.member = std::move(read);
  return {};
}

template <class T, class Struct, class Member, class Fields>
Status read_field(JsonView from, T& to, const ArrayField<Struct, Member, Fields>& field, const ReadOptions& options) {
  JsonView value = from[field.name];
  if (!value || value.is_null()) {
    if (field.required) return Error{options.missing, text("Missing mandatory element (", field.name, ")")};
    return {};
  }
  if (!value.is_array()) return wrong_type(field.name, "array", options);
  if (const size_t most = options.most(0, options.sizes.list); value.size() > most)
    return Error{options.invalid, text("Invalid element (", field.name, " should have at most ", most, " elements)")};
  Member all{};
  auto& list = [&]() -> auto& {
    if constexpr (is_optional<Member>::value)
      return all.emplace();
    else
      return all;
  }
  ();
  for (size_t i = 0; i < value.size(); ++i) {
    if (!value[i].is_object())
      return Error{options.invalid, text("Invalid element type (", field.name, " should hold objects)")};
    typename std::remove_reference_t<decltype(list)>::value_type element{};
    if (auto status = read_into(value[i], element, field.fields, options); !status) return status;
    list.push_back(std::move(element));
  }
  to.*field.member = std::move(all);
  return {};
}

template <class T, class Fields>
Status read_into(JsonView from, T& to, const Fields& fields, const ReadOptions& options) {
  Status status;
  std::apply(
      [&](const auto&... field) { (void)((status = read_field(from, to, field, options), status.has_value()) && ...); },
      fields);
  return status;
}

template <class T>
std::string default_text(const T& value) {
  if constexpr (is_optional<T>::value)
    return value ? default_text(*value) : "";
  else if constexpr (std::is_same_v<T, bool>)
    return value ? "true" : "false";
  else if constexpr (std::is_arithmetic_v<T>)
    return std::to_string(value);
  else if constexpr (std::is_same_v<T, std::string>)
    return "\"" + value + "\"";
  else if constexpr (is_vector<T>::value) {
    std::string out;
    for (const auto& element : value) out += (out.empty() ? "" : ", ") + default_text(element);
    return "[" + out + "]";
  } else
    return "";
}

// One value as JSON; nothing for an empty optional.
template <class T>
Json write_value(const T& value) {
  if constexpr (is_optional<T>::value) {
    return value ? write_value(*value) : Json();
  } else if constexpr (is_vector<T>::value) {
    Json all = Json::array();
    for (const auto& element : value) all.append(write_value(element));
    return all;
  } else if constexpr (std::is_same_v<T, PublicId>) {
    return value.json();
  } else if constexpr (std::is_same_v<T, Json>) {
    return value ? value.copy() : Json();
  } else {
    return Json(value);
  }
}

}  // namespace schema

// The fields of `from` as an object that read() would understand.
template <class T, class Fields>
Json write(const T& from, const Fields& fields) {
  Json to = Json::object();
  auto write_field = [&]<class AnyField>(const AnyField& field) {
    if constexpr (requires { field.fields; }) {
      Json all = Json::array();
      for (const auto& element : from.*field.member) all.append(write(element, field.fields));
      to.set(field.name, std::move(all));
    } else {
      to.set(field.name, schema::write_value(from.*field.member));
    }
  };
  std::apply([&](const auto&... field) { (write_field(field), ...); }, fields);
  return to;
}

// The members of `from` as a T.
template <class T, class Fields>
Result<T> read(JsonView from, const Fields& fields, const ReadOptions& options) {
  T to{};
  if (auto status = schema::read_into(from, to, fields, options); !status) return status.error();
  return to;
}

// What is wrong with a setting, and where: "general.ws_port".
struct SettingError {
  std::string path;
  std::string reason;
};

// One line of --list-settings. `name` is "file.section.key" once the core has put the file in front.
struct SettingInfo {
  std::string name, type, unit, default_value, meaning;
};

// The members of one section of a configuration file into `to`, which holds the defaults; text is read as numbers and
// booleans where those are wanted; a key that is not in the table is an error. Returns the first thing wrong.
template <class T, class Fields>
std::optional<SettingError> read_section(JsonView from, std::string_view section, T& to, const Fields& fields,
                                         bool string_ids = false) {
  if (!from || from.is_null()) return std::nullopt;
  if (!from.is_object()) return SettingError{std::string(section), "should be a group { ... }"};
  std::optional<SettingError> wrong;
  from.each_member([&](std::string_view key, JsonView) {
    bool known = std::apply([&](const auto&... field) { return ((key == field.name) || ...); }, fields);
    if (!known && !wrong) wrong = SettingError{text(section, ".", key), "no such setting"};
  });
  if (wrong) return wrong;
  const ReadOptions options{.string_ids = string_ids, .from_text = true};
  auto read_one = [&]<class AnyField>(const AnyField& field) {
    auto status = schema::read_field(from, to, field, options);
    if (status) return true;
    wrong = SettingError{text(section, ".", field.name), std::move(status.error().reason)};
    if constexpr (!requires { field.fields; }) {
      using Member = std::remove_cvref_t<decltype(to.*field.member)>;
      wrong->reason = text("should be ", schema::wish<Member>(field.rule, field.unit, string_ids), ", not ",
                           schema::shown(from[field.name]));
    }
    return false;
  };
  std::apply([&](const auto&... field) { (void)(read_one(field) && ...); }, fields);
  return wrong;
}

// The table of one section, for --list-settings.
template <class T, class Fields>
void list_section(std::string_view section, const Fields& fields, std::vector<SettingInfo>& to) {
  const T defaults{};
  auto list = [&]<class AnyField>(const AnyField& field) {
    if constexpr (requires { field.fields; }) {
      to.push_back({text(section, ".", field.name), "list of groups", "", "()", ""});
    } else {
      std::string type(schema::type_name<std::remove_cvref_t<decltype(defaults.*field.member)>>());
      if (std::string rule = schema::expectation(field.rule); !rule.empty()) type += " " + rule;
      to.push_back({text(section, ".", field.name), type, field.unit, schema::default_text(defaults.*field.member),
                    field.meaning});
    }
  };
  std::apply([&](const auto&... field) { (list(field), ...); }, fields);
}

}  // namespace cardea
