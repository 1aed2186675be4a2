// What is told to many: written once for all data channels, copied for each client of the API.
#pragma once

#include <utility>

#include "cardea/json.hpp"
#include "cardea/media.hpp"

namespace cardea::textroom {

class Outgoing {
public:
  Outgoing(Json data, JsonStyle style) : data_(std::move(data)), style_(style) {}
  // What was written already.
  explicit Outgoing(std::string text) : text_(std::move(text)) {}

  const Payload& text() const {
    if (text_.size() == 0) text_ = Payload(data_.text(style_));
    return text_;
  }
  Json json() const {
    if (!data_)
      if (auto parsed = Json::parse(text_.text())) data_ = std::move(*parsed);
    return data_.copy();
  }

private:
  mutable Json data_;
  JsonStyle style_ = JsonStyle::compact;
  mutable Payload text_;
};

}  // namespace cardea::textroom
