// Notices when RTP of an m-line, or of one of its simulcast layers, begins to come in and when it ceases: the Janus
// API's `media` events.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "cardea/time.hpp"

namespace cardea::media {

class Activity {
public:
  static constexpr size_t max_substreams = 3;
  struct Change {
    uint8_t substream = 0;
    bool receiving = false;
  };
  // timeout: no_media_timer; 0: nothing is ever told.
  explicit Activity(Duration timeout = 1s) : timeout_(timeout) {}

  // A packet came. True: the first since the beginning or since it ceased.
  bool received(uint8_t substream, Time now) {
    Stream& stream = streams_[substream < max_substreams ? substream : 0];
    stream.last = now;
    if (stream.receiving || timeout_ == Duration::zero()) return false;
    return stream.receiving = true;
  }
  // The next substream that has ceased; call until there is none.
  std::optional<Change> ceased(Time now);
  // All cease at once without being told (the line was closed). Returns whether any was receiving.
  bool stop();
  bool receiving() const;
  bool receiving(uint8_t substream) const { return substream < max_substreams && streams_[substream].receiving; }
  Time next_deadline() const;
  Duration timeout() const { return timeout_; }

private:
  struct Stream {
    Time last{};
    bool receiving = false;
  };
  // given
  Duration timeout_;
  // state
  std::array<Stream, max_substreams> streams_;
};

}  // namespace cardea::media
