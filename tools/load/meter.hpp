// Counts and percentiles of what the sample of subscribers received.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cardea/time.hpp"

namespace cardea::load {

// Times in memory, sorted when asked: a run has some millions at most.
class Percentiles {
public:
  void add(Duration value) {
    values_.push_back(static_cast<float>(std::chrono::duration<double, std::milli>(value).count()));
  }
  void clear() { values_.clear(); }
  size_t count() const { return values_.size(); }
  double ms(double percent) {
    if (values_.empty()) return 0;
    const auto at =
        std::min(values_.size() - 1, static_cast<size_t>(percent / 100 * static_cast<double>(values_.size())));
    std::nth_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(at), values_.end());
    return static_cast<double>(values_[at]);
  }

private:
  std::vector<float> values_;
};

struct Received {
  uint64_t packets = 0;   // by the sample, each once
  uint64_t expected = 0;  // from the gaps in what the sample got
  uint64_t duplicates = 0;
  uint64_t reordered = 0;
  uint64_t corrupt = 0;  // checksum wrong
  uint64_t undecryptable = 0;
  uint64_t dropped = 0;    // on purpose
  uint64_t recovered = 0;  // came again after a NACK
  Percentiles video_latency, audio_latency, recovery;
};

}  // namespace cardea::load
