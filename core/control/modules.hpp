// Finds plugin and transport modules on disk and checks their doors before any of their C++ runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cardea/module.hpp"

namespace cardea::control {

// A module that fits: loaded for the rest of the process.
struct ModuleFile {
  std::string path;
  const CardeaModule* door = nullptr;

  std::string_view package() const { return door->package; }
  std::string short_name() const;  // "echotest": names its configuration file
};

struct Found {
  std::vector<ModuleFile> modules;    // by package
  std::vector<std::string> failures;  // one line for each file that was skipped
};

// The last part of a package: "cardea.plugin.echotest" -> "echotest".
std::string short_name(std::string_view package);
// Does the client mean this module? By its package, by the same with "janus" in front, or by its alias.
bool answers_to(const CardeaModule& door, std::string_view name);

// The loaded module that the name means; null if there is none.
template <class Modules>
const typename Modules::value_type* find_module(const Modules& modules, std::string_view name) {
  for (const auto& loaded : modules)
    if (answers_to(*loaded.door, name)) return &loaded;
  return nullptr;
}

// Loads all *.so of the folders but the disabled ones (file names with or without ".so", packages or their last parts).
Found load_modules(const std::vector<std::string>& folders, CardeaModuleKind kind,
                   const std::vector<std::string>& disabled);

}  // namespace cardea::control
