#include "media/keyframe_requests.hpp"

#include <algorithm>

namespace cardea::media {

void KeyframeRequests::request(Time now) {
  tries_ = 0;
  next_ = std::min(next_, ever_ ? std::max(now, last_sent_ + gap_) : now);
}

void KeyframeRequests::keyframe_arrived() {
  tries_ = 0;
  next_ = never;
}

bool KeyframeRequests::due(Time now) {
  if (now < next_) return false;
  ever_ = true;
  last_sent_ = now;
  ++sent_;
  ++tries_;
  next_ = tries_ < max_tries ? now + retry : never;
  return true;
}

}  // namespace cardea::media
