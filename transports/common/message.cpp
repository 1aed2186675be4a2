#include "common/message.hpp"

#include "cardea/text.hpp"

namespace cardea::transports {

namespace {
constexpr size_t max_values = 1000;  // in one message: a megabyte of "1 1 1 ..." must not become as many requests
}

Result<std::vector<Json>> parse_values(std::string_view text) {
  std::vector<Json> values;
  auto skip_space = [&text] {
    const size_t start = text.find_first_not_of(" \t\r\n");
    text.remove_prefix(start == std::string_view::npos ? text.size() : start);
  };
  skip_space();
  if (text.empty()) return Error{454, "JSON error: on line 1: '[' or '{' expected near end of file"};
  while (!text.empty()) {
    if (values.size() == max_values) return Error{454, "JSON error: too many values in one message"};
    json_error_t error{};
    json_t* value = JsonReader::read_first(text, text, error);
    if (value == nullptr) return Error{454, cardea::text("JSON error: on line ", error.line, ": ", error.text)};
    values.push_back(Json::adopt(value));
    skip_space();
  }
  return values;
}

Json error_message(const Error& error) {
  return Json::object("janus", "error", "error", Json::object("code", error.code, "reason", error.reason));
}

Error message_too_big(size_t limit) { return {454, cardea::text("The message is larger than ", limit, " bytes")}; }

Error admin_without_secret() {
  return {0, "the admin API is not served without a secret: set cardea.general.admin_secret"};
}

}  // namespace cardea::transports
