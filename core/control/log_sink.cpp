#include "control/log_sink.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <vector>

namespace cardea::control {
namespace {

spdlog::level::level_enum to_spdlog(log::Level level) {
  switch (level) {
  case log::Level::error: return spdlog::level::err;
  case log::Level::warn: return spdlog::level::warn;
  case log::Level::info: return spdlog::level::info;
  case log::Level::debug: return spdlog::level::debug;
  }
  return spdlog::level::off;
}

spdlog::level::level_enum threshold(uint32_t debug_level) {
  if (debug_level == 0) return spdlog::level::off;
  if (debug_level <= 2) return spdlog::level::err;
  if (debug_level == 3) return spdlog::level::warn;
  return debug_level == 4 ? spdlog::level::info : spdlog::level::debug;
}

// Clients' words stand in log lines: one line stays one line, and nothing talks to the terminal.
std::string harmless(std::string_view sentence) {
  std::string out(sentence);
  for (char& c : out)
    if ((c >= 0 && c < ' ') || c == 127) c = ' ';
  return out;
}

}  // namespace

LogSink::LogSink(bool to_stdout, const std::string& file, uint32_t debug_level) {
  std::vector<spdlog::sink_ptr> sinks;
  if (to_stdout) sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
  if (!file.empty()) sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
  logger_ = std::make_unique<spdlog::logger>("cardea", sinks.begin(), sinks.end());
  set_timestamps(true);
  set_level(debug_level);
  logger_->flush_on(spdlog::level::info);
}

LogSink::~LogSink() { logger_->flush(); }

void LogSink::set_level(uint32_t debug_level) { logger_->set_level(threshold(debug_level)); }

void LogSink::set_timestamps(bool shown) {
  timestamps_ = shown;
  logger_->set_pattern(shown ? "%Y-%m-%d %H:%M:%S.%e %l %v" : "%l %v");
}

void LogSink::write(log::Level level, std::string_view topic, std::string_view sentence) {
  logger_->log(to_spdlog(level), "{}: {}", topic, harmless(sentence));
}

bool LogSink::wants(log::Level level) const { return logger_->should_log(to_spdlog(level)); }

}  // namespace cardea::control
