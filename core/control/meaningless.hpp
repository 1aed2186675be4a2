// Settings of the Janus configuration that have no meaning here: who brings such a file along is warned, and the
// gateway starts.
#pragma once

#include <string_view>

namespace cardea::control {

// `key` is "" for the section as a whole. `file` is "cardea" or a module's short name.
bool is_meaningless(std::string_view file, std::string_view section, std::string_view key);

}  // namespace cardea::control
