#include "media/activity.hpp"

#include <algorithm>

namespace cardea::media {

std::optional<Activity::Change> Activity::ceased(Time now) {
  for (size_t i = 0; i < max_substreams; ++i) {
    Stream& stream = streams_[i];
    if (!stream.receiving || now - stream.last < timeout_) continue;
    stream.receiving = false;
    return Change{static_cast<uint8_t>(i), false};
  }
  return std::nullopt;
}

bool Activity::receiving() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const Stream& stream) { return stream.receiving; });
}

bool Activity::stop() {
  const bool was = receiving();
  for (Stream& stream : streams_) stream.receiving = false;
  return was;
}

Time Activity::next_deadline() const {
  Time next = never;
  for (const Stream& stream : streams_)
    if (stream.receiving) next = std::min(next, stream.last + timeout_);
  return next;
}

}  // namespace cardea::media
