// Tells from audio levels (RFC 6464) when somebody starts and stops talking.
#pragma once

#include <cstdint>
#include <optional>

#include "cardea/media.hpp"

namespace cardea::media {

class TalkDetector {
public:
  struct Change {
    bool talking = false;
    double level = 0;  // average, 0 loud .. 127 silence
  };
  explicit TalkDetector(const TalkDetection& how) : how_(how) {}

  // The level of one packet, 0 loud .. 127 silence. A change, if the average over the last active_packets tells one.
  std::optional<Change> heard(uint8_t level);
  bool talking() const { return talking_; }
  double level() const { return level_; }  // the last average; 127 at first

private:
  // given
  TalkDetection how_;
  // state
  uint64_t sum_ = 0;
  uint32_t packets_ = 0;
  double level_ = 127;
  bool talking_ = false;
};

}  // namespace cardea::media
