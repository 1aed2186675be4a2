// Names for things that somebody else owns. An id is a value; a stale one finds nothing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace cardea {

// A number that cannot be mixed up with another kind of number. Zero names nothing.
template <class Tag>
struct NumberId {
  uint64_t value = 0;
  constexpr explicit operator bool() const { return value != 0; }
  constexpr auto operator<=>(const NumberId&) const = default;
};

using SessionId = NumberId<struct SessionTag>;        // random, at most 2^53 - 1: JavaScript keeps it exact
using HandleId = NumberId<struct HandleTag>;          // random, at most 2^53 - 1
using ConnectionId = NumberId<struct ConnectionTag>;  // a transport's peer, chosen by the transport
using RequestTag = NumberId<struct RequestTag_>;      // ties a reply to its request where the transport needs it
using TimerId = NumberId<struct TimerTag>;

// One peer connection: the worker it lives on, its slot there, and how often that slot was used before. Given out by
// the control thread; never reused while the generation lasts.
struct PeerId {
  uint16_t worker = 0;
  uint16_t generation = 0;  // 0 names nothing
  uint32_t slot = 0;
  constexpr explicit operator bool() const { return generation != 0; }
  constexpr auto operator<=>(const PeerId&) const = default;
};

// Media from a peer to us: one m-line of one peer connection. All simulcast layers of the m-line are one receiver.
struct ReceiverId {
  PeerId peer;
  uint16_t mline = 0;
  constexpr auto operator<=>(const ReceiverId&) const = default;
};

// Media from us to a peer: one m-line of one peer connection.
struct SenderId {
  PeerId peer;
  uint16_t mline = 0;
  constexpr auto operator<=>(const SenderId&) const = default;
};

namespace detail {
constexpr size_t mix(uint64_t x) {  // splitmix64: the slots of one worker are neighbours
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<size_t>(x ^ (x >> 31));
}
constexpr uint64_t pack(const PeerId& id) {
  return (uint64_t{id.worker} << 48) | (uint64_t{id.generation} << 32) | id.slot;
}
}  // namespace detail

}  // namespace cardea

template <class Tag>
struct std::hash<cardea::NumberId<Tag>> {
  size_t operator()(const cardea::NumberId<Tag>& id) const { return cardea::detail::mix(id.value); }
};
template <>
struct std::hash<cardea::PeerId> {
  size_t operator()(const cardea::PeerId& id) const { return cardea::detail::mix(cardea::detail::pack(id)); }
};
template <>
struct std::hash<cardea::ReceiverId> {
  size_t operator()(const cardea::ReceiverId& id) const {
    return cardea::detail::mix(cardea::detail::pack(id.peer) ^ (uint64_t{id.mline} << 20));
  }
};
template <>
struct std::hash<cardea::SenderId> {
  size_t operator()(const cardea::SenderId& id) const {
    return cardea::detail::mix(cardea::detail::pack(id.peer) ^ (uint64_t{id.mline} << 20));
  }
};
