// Where log lines go: the standard output, a file, or both.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "cardea/log.hpp"

namespace spdlog {
class logger;
}

namespace cardea::control {

class LogSink final : public log::Sink {
public:
  // debug_level as in the settings: 0 nothing .. 7 everything. Throws std::exception if the file cannot be opened.
  LogSink(bool to_stdout, const std::string& file, uint32_t debug_level);
  ~LogSink();

  void write(log::Level level, std::string_view topic, std::string_view sentence) override;
  bool wants(log::Level level) const override;
  // While running, from any thread.
  void set_level(uint32_t debug_level);
  void set_timestamps(bool shown);
  bool timestamps() const { return timestamps_; }

private:
  std::unique_ptr<spdlog::logger> logger_;
  std::atomic<bool> timestamps_{true};
};

}  // namespace cardea::control
