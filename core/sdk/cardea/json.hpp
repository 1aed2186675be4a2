// JSON values: Json owns one, JsonView looks at one. jansson underneath; a value belongs to one thread at a time and
// travels between threads by move.
#pragma once

#include <jansson.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cardea/json_reader.hpp"
#include "cardea/json_writer.hpp"
#include "cardea/result.hpp"

namespace cardea {

// Looks at a value owned by somebody else, or at nothing (a member that is not there). Reading nothing is safe: it is
// of no type, empty, zero.
class JsonView {
public:
  JsonView() = default;
  explicit JsonView(json_t* value) : value_(value) {}

  explicit operator bool() const { return value_ != nullptr; }  // is there a value (null counts as one)?
  bool is_null() const { return json_is_null(value_); }
  bool is_object() const { return json_is_object(value_); }
  bool is_array() const { return json_is_array(value_); }
  bool is_string() const { return json_is_string(value_); }
  bool is_integer() const { return json_is_integer(value_); }
  bool is_number() const { return json_is_number(value_); }
  bool is_boolean() const { return json_is_boolean(value_); }

  std::string_view string() const {
    return is_string() ? std::string_view(json_string_value(value_), json_string_length(value_)) : std::string_view();
  }
  int64_t integer() const { return json_integer_value(value_); }
  double number() const { return json_number_value(value_); }
  bool boolean() const { return json_is_true(value_); }

  // A member of an object, an element of an array; nothing if there is none.
  JsonView operator[](const char* key) const { return JsonView(json_object_get(value_, key)); }
  JsonView operator[](const std::string& key) const { return (*this)[key.c_str()]; }
  JsonView operator[](size_t index) const { return JsonView(json_array_get(value_, index)); }
  size_t size() const { return is_array() ? json_array_size(value_) : json_object_size(value_); }

  // visit(std::string_view key, JsonView value) for each member, in the order they were set.
  template <class Visit>
  void each_member(Visit&& visit) const {
    const char* key = nullptr;
    json_t* member = nullptr;
    json_object_foreach(value_, key, member) visit(std::string_view(key), JsonView(member));
  }
  template <class Visit>
  void each_element(Visit&& visit) const {
    for (size_t i = 0; i < json_array_size(value_); ++i) visit(JsonView(json_array_get(value_, i)));
  }

  // The value as JSON text. Scalars are written too.
  std::string text(JsonStyle style = JsonStyle::compact) const {
    std::string out;
    if (value_ == nullptr) return out;
    out.reserve(256);
    JsonWriter(style, out).write(value_);
    return out;
  }

  json_t* raw() const { return value_; }

protected:
  json_t* value_ = nullptr;
};

// Owns a value. Copies are asked for by name: copy(). Where there is no memory for a value it throws std::bad_alloc, as
// std::string does: what lacks a member would not be what was meant.
class Json : public JsonView {
public:
  Json() = default;
  Json(Json&& other) noexcept : JsonView(std::exchange(other.value_, nullptr)) {}
  Json& operator=(Json&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Json() { json_decref(value_); }

  template <class Boolean>
  requires(std::is_same_v<Boolean, bool>)  // not what merely converts to bool: pointers do
      Json(Boolean value)
      : JsonView(json_boolean(value)) {}
  template <class Number>
  requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>) Json(Number value)
      : JsonView(made(json_integer(static_cast<json_int_t>(value)))) {}
  Json(double value) : JsonView(std::isfinite(value) ? made(json_real(value)) : nullptr) {}  // JSON has no others
  Json(std::string_view value) : JsonView(json_stringn(value.data(), value.size())) {
    if (value_ == nullptr) value_ = made(is_utf8(value) ? nullptr : json_string(""));
  }
  Json(const std::string& value) : Json(std::string_view(value)) {}
  Json(const char* value) : Json(std::string_view(value)) {}

  // Takes over a new reference.
  static Json adopt(json_t* value) {
    Json json;
    json.value_ = value;
    return json;
  }
  static Json null() { return adopt(json_null()); }

  // object("a", 1, "b", "text", "c", std::optional<...>): members in order; an empty optional, or a Json that holds
  // nothing, is left out.
  template <class... Pairs>
  static Json object(Pairs&&... pairs) {
    Json json = adopt(made(json_object()));
    json.set_all(std::forward<Pairs>(pairs)...);
    return json;
  }
  template <class... Elements>
  static Json array(Elements&&... elements) {
    Json json = adopt(made(json_array()));
    (json.append(std::forward<Elements>(elements)), ...);
    return json;
  }

  // Duplicate members: the last wins, as for the clients of today. Fails on anything after the value.
  static Result<Json> parse(std::string_view text) {
    json_error_t error{};
    json_t* value = JsonReader::read_all(text, error);
    if (value == nullptr) return Error{454, "JSON error: on line " + std::to_string(error.line) + ": " + error.text};
    return adopt(value);
  }
  static Json copy(JsonView view) { return view ? adopt(made(json_deep_copy(view.raw()))) : Json(); }
  Json copy() const { return copy(*this); }

  Json& set(const char* key, Json value) {
    if (value) stored(json_object_set_new(value_, key, std::exchange(value.value_, nullptr)));
    return *this;
  }
  Json& set(const std::string& key, Json value) { return set(key.c_str(), std::move(value)); }
  template <class T>
  Json& set(const char* key, const std::optional<T>& value) {
    return value ? set(key, Json(*value)) : *this;
  }
  Json& erase(const char* key) {
    json_object_del(value_, key);
    return *this;
  }
  Json& append(Json value) {
    if (value) stored(json_array_append_new(value_, std::exchange(value.value_, nullptr)));
    return *this;
  }

private:
  static json_t* made(json_t* value) {
    if (value == nullptr) throw std::bad_alloc();
    return value;
  }
  // jansson does not say why it made no text of it.
  static bool is_utf8(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      const auto lead = static_cast<uint8_t>(text[at]);
      const size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
      if (size == 0 || size > text.size() - at) return false;
      uint32_t point = size == 1 ? lead : lead & (0x7fu >> size);
      for (size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<uint8_t>(text[at + i]);
        if ((byte & 0xc0) != 0x80) return false;
        point = (point << 6) | (byte & 0x3fu);
      }
      if (size == 3 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) return false;
      if (size == 4 && (point < 0x10000 || point > 0x10ffff)) return false;
      at += size;
    }
    return true;
  }
  // Of an object or array: nothing else has members.
  void stored(int status) const {
    if (status != 0 && (json_is_object(value_) || json_is_array(value_))) throw std::bad_alloc();
  }
  void set_all() {}
  template <class Value, class... Rest>
  void set_all(const char* key, Value&& value, Rest&&... rest) {
    set(key, std::forward<Value>(value));
    set_all(std::forward<Rest>(rest)...);
  }
};

}  // namespace cardea
