// Log lines: a level, a topic, a sentence. Modules and core use the same door; the core decides where lines go.
//   log::warn("websockets", "refused ", address, ": no subprotocol");
// Never per packet: count instead.
#pragma once

#include <atomic>
#include <string_view>

#include "cardea/text.hpp"

namespace cardea::log {

// error: someone must act. warn: the house coped. info: life events. debug: off by default.
enum class Level { error, warn, info, debug };

// Where lines go. write() may be called from any thread.
class Sink {
public:
  virtual void write(Level level, std::string_view topic, std::string_view sentence) = 0;
  virtual bool wants(Level level) const = 0;

protected:
  ~Sink() = default;
};

// One pointer per module (modules hide their symbols); set by the module door before anything else of the module runs.
inline std::atomic<Sink*> sink{nullptr};

namespace detail {
template <class... Parts>
void line(Level level, std::string_view topic, const Parts&... parts) {
  Sink* to = sink.load(std::memory_order_acquire);
  if (to == nullptr || !to->wants(level)) return;
  to->write(level, topic, text(parts...));
}
}  // namespace detail

template <class... Parts>
void error(std::string_view topic, const Parts&... parts) {
  detail::line(Level::error, topic, parts...);
}
template <class... Parts>
void warn(std::string_view topic, const Parts&... parts) {
  detail::line(Level::warn, topic, parts...);
}
template <class... Parts>
void info(std::string_view topic, const Parts&... parts) {
  detail::line(Level::info, topic, parts...);
}
template <class... Parts>
void debug(std::string_view topic, const Parts&... parts) {
  detail::line(Level::debug, topic, parts...);
}

}  // namespace cardea::log
