// JSON text, read and written as jansson would: the same values, the same errors, the same text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cardea/json.hpp"

using namespace cardea;

namespace {

std::string written_by_jansson(json_t* value, size_t flags) {
  char* text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) | flags);
  std::string copy(text);
  free(text);
  return copy;
}

void compare(json_t* ours, const json_error_t& our_error, json_t* theirs, const json_error_t& their_error) {
  if ((ours == nullptr) != (theirs == nullptr)) std::abort();
  if (ours == nullptr) {
    if (our_error.line != their_error.line || std::string_view(our_error.text) != their_error.text) std::abort();
    return;
  }
  if (json_equal(ours, theirs) == 0) std::abort();
  // What is equal may still have its members in another order.
  const JsonView view(ours);
  if (view.text() != written_by_jansson(theirs, JSON_COMPACT)) std::abort();
  if (view.text(JsonStyle::plain) != written_by_jansson(theirs, 0)) std::abort();
  if (view.text(JsonStyle::indented) != written_by_jansson(theirs, JSON_INDENT(3))) std::abort();
  json_decref(ours);
  json_decref(theirs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  json_error_t ours{}, theirs{};
  json_t* value = JsonReader::read_all(text, ours);
  compare(value, ours, json_loadb(text.data(), text.size(), JSON_DECODE_ANY, &theirs), theirs);

  std::string_view rest;
  value = JsonReader::read_first(text, rest, ours);
  json_t* other = json_loadb(text.data(), text.size(), JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &theirs);
  if (value != nullptr && rest.size() != size - static_cast<size_t>(theirs.position)) std::abort();
  compare(value, ours, other, theirs);
  return 0;
}
