// What all kinds of modules share. The core makes a module, configures it, starts it, and stops it before it destroys
// it.
#pragma once

#include <optional>
#include <vector>

#include "cardea/json.hpp"
#include "cardea/result.hpp"
#include "cardea/schema.hpp"

namespace cardea {

// The first thing wrong in a configuration: the path inside the file and what was expected.
using Configured = std::optional<SettingError>;

class Module {
public:
  virtual ~Module() = default;
  // `values` are the module's configuration file and --set options as one JSON object of sections.
  virtual Configured configure(JsonView /*values*/) { return std::nullopt; }
  virtual void list_settings(std::vector<SettingInfo>& /*to*/) const {}
  // After configure(), with everything of the core usable. An error ("Port 8188 is in use") stops the start of the
  // gateway.
  virtual Status start() { return {}; }
  // Ends the module's own threads. It makes no call to the core after this. Only after start() succeeded.
  virtual void stop() {}
  // The admin API's message_plugin and query_transport: the answer. None: the module takes no such requests.
  virtual std::optional<Json> admin(JsonView /*request*/) { return std::nullopt; }
};

}  // namespace cardea
