// Counts what was refused or dropped, and says so at most once a second, however hard somebody tries.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "cardea/log.hpp"

namespace cardea::transports {

enum class Refusal {
  slow_reader,
  message_too_big,
  too_many_connections,
  acl,
  origin,
  no_subprotocol,
  no_descriptor,
  queue_full,
  no_answer,
  too_many_from_address,
  room_made,
  too_much_buffered,
  too_big_to_send,
  nobody_to_answer,
  sent_again,
  bad_topic,
  bad_response_topic,
  broker_away,
  count  // of them
};

class Tally {
public:
  explicit Tally(std::string name) : name_(std::move(name)) {}

  void count(Refusal what) {
    constexpr std::array sentences = {"clients cut off because they do not read",
                                      "messages refused because they are too big",
                                      "connections refused because there are too many",
                                      "connections refused by the access list",
                                      "requests refused because of their origin",
                                      "WebSockets refused because they offer no subprotocol of ours",
                                      "connections refused because no file descriptor is left",
                                      "events dropped because nobody polls for them",
                                      "requests given up because the core did not answer",
                                      "connections refused because their address has too many",
                                      "idle connections without a session closed to let others in",
                                      "clients cut off because all together wait for too many bytes",
                                      "messages dropped because they are too big for the transport",
                                      "messages dropped because their sender has no address",
                                      "requests dropped because the broker sent them before",
                                      "messages dropped because their topic is not ours",
                                      "requests refused because of their response topic",
                                      "messages dropped because the broker does not take them"};
    static_assert(sentences.size() == static_cast<size_t>(Refusal::count));
    const auto at = static_cast<size_t>(what);
    ++counts_[at];
    const auto now = std::chrono::steady_clock::now();
    if (now - said_[at] < std::chrono::seconds(1)) return;
    said_[at] = now;
    log::warn(name_, sentences[at], ": ", counts_[at], " so far");
  }
  uint64_t of(Refusal what) const { return counts_[static_cast<size_t>(what)]; }

private:
  // given
  const std::string name_;
  // state
  std::array<uint64_t, static_cast<size_t>(Refusal::count)> counts_{};
  std::array<std::chrono::steady_clock::time_point, static_cast<size_t>(Refusal::count)> said_{};
};

}  // namespace cardea::transports
