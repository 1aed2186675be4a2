// One offer at a time (RFC 9429 section 3.2): while one is out, the wish for another waits for its answer.
#pragma once

#include <optional>
#include <utility>

namespace cardea {

class OfferTurn {
public:
  // An offer is out that is not answered.
  bool pending() const { return pending_; }
  void sent() { pending_ = true; }
  void answered() { pending_ = false; }

  // Another offer is wanted once the pending one is answered.
  void want(bool ice_restart) {
    wanted_ = true;
    restart_wanted_ = restart_wanted_ || ice_restart;
  }
  bool wanted() const { return wanted_; }
  bool restart_wanted() const { return restart_wanted_; }
  // The wanted offer, if it may go out now: whether with an ICE restart.
  std::optional<bool> take() {
    if (pending_ || !wanted_) return std::nullopt;
    wanted_ = false;
    return std::exchange(restart_wanted_, false);
  }

private:
  // state
  bool pending_ = false;
  bool wanted_ = false, restart_wanted_ = false;
};

}  // namespace cardea
