// The border of what may throw: modules, and the system's allocator.
#pragma once

#include <exception>
#include <string_view>

#include "cardea/log.hpp"

namespace cardea::control {

// Says so in the log, unless not even that is possible.
inline void tell_throw(std::string_view module, const char* what) noexcept {
  try {
    log::error(module, "threw: ", what);
  } catch (...) {
    // there is no memory for a line
  }
}

// Makes the call. Returns false, having logged it, if it threw. Allocates nothing itself.
template <class Call>
bool guarded(std::string_view module, Call&& call) {
  try {
    call();
    return true;
  } catch (const std::exception& error) {
    tell_throw(module, error.what());
  } catch (...) {
    tell_throw(module, "something that is no exception");
  }
  return false;
}

}  // namespace cardea::control
