// Merges what subscribers want into few keyframe requests (PLI, RFC 4585 section 6.3.1; FIR, RFC 5104 section 4.3.1) to
// the source of one stream.
#pragma once

#include <cstdint>

#include "cardea/time.hpp"

namespace cardea::media {

class KeyframeRequests {
public:
  static constexpr Duration retry = 1s;    // without an answer
  static constexpr uint8_t max_tries = 5;  // then it takes a new request
  explicit KeyframeRequests(Duration gap = 500ms) : gap_(gap) {}

  // Somebody needs a keyframe. The first is due at once, others within the gap become one at its end.
  void request(Time now);
  // A keyframe began to come in: whoever asked before is served.
  void keyframe_arrived();

  // Is a request to be sent now? True counts as sent.
  bool due(Time now);
  Time next_deadline() const { return next_; }
  uint64_t sent() const { return sent_; }

private:
  // given
  Duration gap_;
  // state
  Time last_sent_{};
  Time next_ = never;
  uint8_t tries_ = 0;
  bool ever_ = false;
  uint64_t sent_ = 0;
};

}  // namespace cardea::media
