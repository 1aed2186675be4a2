// Modules that are loaded, each with the core's side of it.
#pragma once

#include <memory>
#include <vector>

#include "cardea/module.hpp"
#include "control/inbox.hpp"
#include "control/services.hpp"

namespace cardea::control {

struct LoadedPlugin {
  const CardeaModule* door = nullptr;
  std::unique_ptr<PluginServices> services;
  std::unique_ptr<Plugin> plugin;

  Module& module() const { return *plugin; }
};
struct LoadedTransport {
  const CardeaModule* door = nullptr;
  std::unique_ptr<TransportDoor> host;
  std::unique_ptr<Transport> transport;

  Module& module() const { return *transport; }
};
using Plugins = std::vector<LoadedPlugin>;
using Transports = std::vector<LoadedTransport>;  // a Connection names one by its index

}  // namespace cardea::control
