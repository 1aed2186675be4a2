// Which interface and which Ethernet address lead to a peer: the kernel's own routes and neighbours, asked for once and
// remembered until it tells of a change (rtnetlink(7)). Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "cardea/result.hpp"
#include "worker/frame.hpp"

namespace cardea::worker {

class Links {
public:
  static Result<Links> open();

  Links(Links&& other) noexcept;
  Links& operator=(Links&&) = delete;
  ~Links();

  // The link by which IP packets of `size` bytes go from a local address to another. nullptr: they are for the IP
  // layer, because the next hop is not known (its first packet makes it known), not on an Ethernet, takes smaller
  // packets only, or is the host itself and takes no frames of its own (docs/frames.md). Asks the kernel
  // for at most max_questions new ones a turn; those beyond wait for the next.
  const Link* find(const Address& from, const Address& to, size_t size);

  // Once a turn: forgets what the kernel says has changed.
  void refresh();
  // Another number whenever something was forgotten: a link found under this one is still right.
  uint32_t age() const { return age_; }

private:
  static constexpr size_t max_questions = 32;    // of some 5 us each
  static constexpr size_t max_routes = 100'000;  // more are forgotten, all at once

  struct Neighbour {
    enum class State : uint8_t { unknown, there, absent } state = State::unknown;
    Address ip;
    Link link;
  };
  struct Route {
    Neighbour* by = nullptr;  // none: not by a link of ours
    size_t mtu = 0;
  };

  Links(int questions, int changes) : questions_(questions), changes_(changes) {}
  Route ask_route(const Address& from, const Address& to);
  void ask_neighbour(Neighbour& neighbour);
  bool ask_interface(Neighbour& neighbour, bool& resolves) const;
  Bytes ask(MutableBytes question);
  void take_change(Bytes message);
  void forget();

  // owned
  int questions_, changes_;  // netlink sockets
  // state
  std::unordered_map<Address, Route> routes_;                // by the remote address without its port
  std::map<std::pair<int, Address>, Neighbour> neighbours_;  // by interface and next hop; the routes point here
  uint32_t age_ = 1;
  size_t asked_ = 0;  // in this turn
  uint32_t last_question_ = 0;
  alignas(8) std::array<uint8_t, 8192> answer_{};
};

}  // namespace cardea::worker
