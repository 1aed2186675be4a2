// The door of a module: one exported plain C struct. The core reads it before it runs any C++ of the module.
//
//   CARDEA_PLUGIN(EchoPlugin, "example.plugin.echo", "1.0", "Sends every stream back")
//   CARDEA_TRANSPORT(WebSockets, "cardea.transport.websockets", ...)
//
// The class is made with (Services&) for a plugin, (TransportHost&) for a transport.
#pragma once

#include <cstdint>

#include "cardea/log.hpp"
#include "cardea/plugin.hpp"
#include "cardea/transport.hpp"

namespace cardea {

// Raised whenever an SDK header changes in a way that a module compiled before would not survive.
inline constexpr uint32_t module_abi = 2;

#define CARDEA_STRINGIZE_(x) #x
#define CARDEA_STRINGIZE(x) CARDEA_STRINGIZE_(x)
// Compiler and library versions whose C++ ABI the module was built for.
inline constexpr const char* module_toolchain =
    "gcc-abi-" CARDEA_STRINGIZE(__GXX_ABI_VERSION) " cxx11-abi-" CARDEA_STRINGIZE(_GLIBCXX_USE_CXX11_ABI);

extern "C" {

enum CardeaModuleKind : uint32_t { cardea_plugin = 1, cardea_transport = 2 };

struct CardeaModule {
  uint32_t abi;
  uint32_t kind;
  const char* toolchain;
  const char* package;  // "cardea.plugin.videoroom"; also answers to "janus.plugin.videoroom"
  const char* alias;    // a further name that clients know it by, or null
  const char* version;  // "1.0"
  const char* description;
  // `host` is a Services* or a TransportHost*; `log` a cardea::log::Sink*. Returns a new Plugin* or Transport*.
  void* (*create)(void* host, void* log);
};

}  // extern "C"

#define CARDEA_MODULE_(kind_, base_, host_, class_, package_, alias_, version_, description_)                          \
  extern "C" __attribute__((visibility("default"))) const cardea::CardeaModule cardea_module;                          \
  extern "C" const cardea::CardeaModule cardea_module = {                                                              \
      cardea::module_abi,                                                                                              \
      kind_,                                                                                                           \
      cardea::module_toolchain,                                                                                        \
      package_,                                                                                                        \
      alias_,                                                                                                          \
      version_,                                                                                                        \
      description_,                                                                                                    \
      [](void* host, void* log) -> void* {                                                                             \
        cardea::log::sink.store(static_cast<cardea::log::Sink*>(log), std::memory_order_release);                      \
        return static_cast<base_*>(new class_(*static_cast<host_*>(host)));                                            \
      }}

#define CARDEA_PLUGIN(class_, package_, version_, description_)                                                        \
  CARDEA_MODULE_(cardea::cardea_plugin, cardea::Plugin, cardea::Services, class_, package_, nullptr, version_,         \
                 description_)
#define CARDEA_TRANSPORT(class_, package_, version_, description_)                                                     \
  CARDEA_MODULE_(cardea::cardea_transport, cardea::Transport, cardea::TransportHost, class_, package_, nullptr,        \
                 version_, description_)

}  // namespace cardea
