// The asking side of ICE for tests: libnice's client functions.
#pragma once

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace cardea::ice {

struct Check {
  std::string username = "ours:theirs", pwd = "a password of ours, 22+";
  bool use_candidate = false;
  bool controlling = true;
  uint32_t priority = 1000;
};

class StunClient {
public:
  StunClient();
  std::vector<uint8_t> request(const Check& check);

  struct Reply {
    StunUsageIceReturn outcome = STUN_USAGE_ICE_RETURN_INVALID;
    bool valid = false;  // integrity, fingerprint and transaction are right
    int error = 0;
    std::optional<Address> mapped;
  };
  Reply read(Bytes reply);

private:
  std::unique_ptr<StunAgent> agent_;
  std::string pwd_;
};

}  // namespace cardea::ice
