// How a head changes sound on its way to the two ears (head-related transfer functions), measured and read from a SOFA
// file (AES69). The filters are kept as spectra with their delay taken out: neighbours can then be blended without
// cancelling each other, and the delay between the ears is set to any fraction of a sample.
#pragma once

#include <string>
#include <vector>

#include "cardea/result.hpp"
#include "kernels.hpp"

namespace cardea::spatialaudio {

class Hrtf {
public:
  // Reads and resamples to 48 kHz: takes some 0.5 s.
  static Result<Hrtf> load(const std::string& path);

  // A ray without its source: filters, weights (times the gain) and delays for a direction in degrees.
  Ray towards(float azimuth, float elevation, float gain) const;

private:
  struct Filter {
    EarFilter ears{};
    float scale_left = 0, scale_right = 0;
    float delay_left = 0, delay_right = 0;  // samples, around a common middle
  };
  // The filters of one elevation, evenly around the head, clockwise from the front.
  struct Ring {
    float elevation = 0;
    size_t first = 0, count = 0;
  };
  struct Measured;

  const Ring& ring_at(float elevation) const;
  void add_ring(const Measured& from, double elevation, size_t count);

  std::vector<Filter> filters_;
  std::vector<Ring> rings_;  // from below to above
};

}  // namespace cardea::spatialaudio
