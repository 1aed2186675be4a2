// Notices seconds in which many packets were lost: the Janus API's `slowlink` events.
#pragma once

#include <cstdint>
#include <optional>

#include "cardea/time.hpp"

namespace cardea::media {

class SlowLink {
public:
  // threshold: packets a second; 0: nothing is ever told.
  explicit SlowLink(uint32_t threshold = 0) : threshold_(threshold) {}

  // The cumulative loss of the stream (ReceiveStream::lost(), SendStream::lost()), about once a second. The loss since
  // the call before, if it reaches the threshold.
  std::optional<uint32_t> lost(int64_t cumulative);

private:
  // given
  uint32_t threshold_;
  // state
  int64_t before_ = 0;
};

}  // namespace cardea::media
