#include "media/talk_detector.hpp"

namespace cardea::media {

std::optional<TalkDetector::Change> TalkDetector::heard(uint8_t level) {
  sum_ += level;
  if (++packets_ < how_.active_packets) return std::nullopt;
  level_ = static_cast<double>(sum_) / packets_;
  sum_ = 0;
  packets_ = 0;
  const bool now_talking = level_ < how_.level_average;
  if (now_talking == talking_) return std::nullopt;
  talking_ = now_talking;
  return Change{talking_, level_};
}

}  // namespace cardea::media
