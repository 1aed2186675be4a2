// Reads JSON text. What clients send is nearly always an object of plain strings, whole numbers and the like, and that
// is read here, three times as fast as jansson does; whatever is not as plain, or is wrong, is left to jansson, which
// has the last word on what JSON is.
#pragma once

#include <jansson.h>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace cardea {

class JsonReader {
public:
  // The value that a text begins with; `rest` is what follows it. nullptr, and the error, if there is none.
  static json_t* read_first(std::string_view text, std::string_view& rest, json_error_t& error) {
    if (json_t* value = read_plain(text, rest)) return value;
    json_t* value = json_loadb(text.data(), text.size(), JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &error);
    if (value != nullptr) rest = text.substr(static_cast<size_t>(error.position));
    return value;
  }
  // The value that a text is.
  static json_t* read_all(std::string_view text, json_error_t& error) {
    std::string_view rest;
    json_t* value = read_plain(text, rest);
    if (value != nullptr && JsonReader(rest).is_over()) return value;
    json_decref(value);
    return json_loadb(text.data(), text.size(), JSON_DECODE_ANY, &error);
  }

private:
  static constexpr int max_depth = 16;
  static constexpr size_t max_digits = 18;  // of a number that fits for sure

  explicit JsonReader(std::string_view text) : text_(text) {}

  // All of these: nullptr or nothing if the text is not plain.
  static json_t* read_plain(std::string_view text, std::string_view& rest) {
    JsonReader reader(text);
    reader.skip_space();
    json_t* value = reader.next() == '{' ? reader.read_object(max_depth) : nullptr;
    rest = reader.text_;
    return value;
  }
  json_t* read_value(int depth) {
    switch (next()) {
    case '{': return depth > 0 ? read_object(depth) : nullptr;
    case '[': return depth > 0 ? read_array(depth) : nullptr;
    case '"': {
      auto text = read_string();
      return text ? json_stringn_nocheck(text->data(), text->size()) : nullptr;
    }
    case 't': return read_word("true") ? json_true() : nullptr;
    case 'f': return read_word("false") ? json_false() : nullptr;
    case 'n': return read_word("null") ? json_null() : nullptr;
    default: return read_integer();
    }
  }
  json_t* read_object(int depth) {
    json_t* object = json_object();
    const bool whole = read_elements('}', [&] {
      auto key = read_string();
      if (!key || !take(':')) return false;
      skip_space();
      json_t* value = read_value(depth - 1);
      return value != nullptr && json_object_setn_new_nocheck(object, key->data(), key->size(), value) == 0;
    });
    return whole ? object : dropped(object);
  }
  json_t* read_array(int depth) {
    json_t* array = json_array();
    const bool whole = read_elements(']', [&] {
      json_t* value = read_value(depth - 1);
      return value != nullptr && json_array_append_new(array, value) == 0;
    });
    return whole ? array : dropped(array);
  }
  // From the opening bracket to the closing one.
  template <class ReadElement>
  bool read_elements(char close, ReadElement&& read_element) {
    text_.remove_prefix(1);
    if (take(close)) return true;
    do {
      skip_space();
      if (!read_element()) return false;
    } while (take(','));
    return take(close);
  }
  static json_t* dropped(json_t* value) {
    json_decref(value);
    return nullptr;
  }

  // Without escapes, of ASCII.
  std::optional<std::string_view> read_string() {
    if (next() != '"') return std::nullopt;
    size_t end = 1;
    while (end < text_.size() && is_plain(static_cast<unsigned char>(text_[end]))) ++end;
    if (end == text_.size() || text_[end] != '"') return std::nullopt;
    const std::string_view string = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return string;
  }
  static bool is_plain(unsigned char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }
  bool read_word(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return ends_here();
  }
  json_t* read_integer() {
    json_int_t value = 0;
    const size_t digits_at = next() == '-' ? 1 : 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    const auto size = static_cast<size_t>(end - text_.data());
    if (error != std::errc() || size - digits_at > max_digits || (text_[digits_at] == '0' && size > digits_at + 1))
      return nullptr;
    text_.remove_prefix(size);
    return ends_here() ? json_integer(value) : nullptr;
  }
  // No fraction, exponent or longer word goes on.
  bool ends_here() const { return is_space(next()) || next() == ',' || next() == ']' || next() == '}'; }

  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  char next() const { return text_.empty() ? '\0' : text_[0]; }
  void skip_space() {
    while (is_space(next())) text_.remove_prefix(1);
  }
  bool is_over() {
    skip_space();
    return text_.empty();
  }
  bool take(char wanted) {
    skip_space();
    if (next() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  // state
  std::string_view text_;  // what is not read yet
};

}  // namespace cardea
