// Errors are values: a code and a reason in the words the client will read.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace cardea {

struct Error {
  int code = 0;
  std::string reason;

  Error with_context(std::string_view context) && {
    reason = std::string(context) + ": " + reason;
    return std::move(*this);
  }
};

// Holds a T or an Error. `return Error{426, "No such room (9)"};` works in any function that returns a Result.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}

  // The same result, its error (if any) prefixed with where it happened.
  Result with_context(std::string_view context) && {
    if (*this) return std::move(*this);
    return std::move(this->error()).with_context(context);
  }
};

using Status = Result<void>;

}  // namespace cardea
