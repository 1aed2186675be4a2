// What the data floor takes and tells: values that cross threads, each with the peer it is about.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "cardea/ids.hpp"
#include "cardea/media.hpp"
#include "data/packets.hpp"

namespace cardea::data {

// Why something of the data channels was not delivered.
enum class DataDrop : uint8_t {
  bad_packet,         // not SCTP, or not for us
  bad_dcep,           // malformed, or out of place
  bad_message,        // of an unknown payload protocol
  no_channel,         // on a stream that is being closed, or beyond those of both directions
  too_large,          // larger than announced, by the peer or by us
  too_many_channels,  // no stream is left, or the peer's labels are too many
  backlog_full,       // more waits to be sent than was granted
  not_up,             // to be sent while there is no association
  closed,             // to be sent on a channel that was closed meanwhile
  expired,            // waited longer than its channel allows
  queue_full,         // packets that the data thread does not keep up with
  stale_peer,         // the peer is gone
};
inline constexpr std::array<std::string_view, 12> data_drop_names{
    "bad_packet",   "bad_dcep", "bad_message", "no_channel", "too_large",  "too_many_channels",
    "backlog_full", "not_up",   "closed",      "expired",    "queue_full", "stale_peer"};

class DataDrops {
public:
  void count(DataDrop drop, uint64_t times = 1) { counts_[static_cast<size_t>(drop)] += times; }
  uint64_t operator[](DataDrop drop) const { return counts_[static_cast<size_t>(drop)]; }

private:
  std::array<uint64_t, data_drop_names.size()> counts_{};
};

struct AssociationPlan {
  bool dtls_client = false;  // ours: we open channels on even streams (RFC 8832 section 6)
  uint16_t peer_port = 5000;
  uint32_t max_message_size = 65536;  // the peer's
};

// So much, by weight, may wait to be sent to one peer; and so much may have left without a word of it.
inline constexpr size_t send_limit = 1 << 20;
inline constexpr size_t left_step = send_limit / 16;

// What a message counts for where messages that wait are counted: its bytes, and what it costs besides.
inline size_t weight(const DataMessage& message) {
  return message.payload.size() + message.label.size() + message.protocol.size() + 256;
}

// The association is there, for the first time or anew: messages can be sent.
struct DataUp {
  PeerId peer;
};
// It is lost, its channels were told closed; another is tried.
struct DataDown {
  PeerId peer;
};
struct ChannelOpened {
  PeerId peer;
  DataChannel channel;
};
// By the peer, or because it could not be opened.
struct ChannelClosed {
  PeerId peer;
  std::string label;
};
struct MessageReceived {
  PeerId peer;
  DataMessage message;
};
// So much of what was to be sent waits no longer: sent, or dropped. Told in steps (left_step).
struct MessagesLeft {
  PeerId peer;
  size_t weight = 0;
};
using DataEvent = std::variant<DataUp, DataDown, ChannelOpened, ChannelClosed, MessageReceived, MessagesLeft>;

inline PeerId peer_of(const DataEvent& event) {
  return std::visit([](const auto& one) { return one.peer; }, event);
}
// What an event counts for until it is taken.
inline size_t weight(const DataEvent& event) {
  if (const auto* received = std::get_if<MessageReceived>(&event)) return weight(received->message);
  if (const auto* opened = std::get_if<ChannelOpened>(&event))
    return 256 + opened->channel.label.size() + opened->channel.protocol.size();
  return std::holds_alternative<ChannelClosed>(event) ? 256 : 0;
}

// Messages that came from a peer, and that were handed to its association; their bytes.
struct MessageCounts {
  uint64_t messages_in = 0, messages_out = 0;
  uint64_t bytes_in = 0, bytes_out = 0;

  void count_in(size_t bytes) { ++messages_in, bytes_in += bytes; }
  void count_out(size_t bytes) { ++messages_out, bytes_out += bytes; }
};

// Of the whole data thread, since it began.
struct DataStats : MessageCounts {
  uint32_t associations = 0;
  uint64_t packets_in = 0, packets_out = 0;
  uint64_t checksum_errors = 0;  // of the bad packets
  uint64_t failures = 0;         // exceptions: each has ended what was being done, mostly an association
  DataDrops drops;
};

// Of one channel that is open.
struct ChannelStats : MessageCounts {
  uint16_t stream = 0;
  DataChannel channel;
  bool negotiated = false;  // without DCEP
};

// Of one peer, since its association was first begun; a channel that was closed still counts in the sum.
struct PeerDataStats : MessageCounts {
  PeerId peer;
  bool up = false;
  uint16_t streams = 0;  // each way
  size_t waiting = 0;    // weight of what is to be sent
  size_t untaken = 0;    // weight of what was told and not taken yet
  DataDrops drops;
  std::vector<ChannelStats> channels;
};

// What associations want done: packets and events are taken out once a turn, statistics count on.
struct Output {
  explicit Output(uint16_t max_packet) : packets(max_packet) {}

  Outgoing packets;
  std::vector<DataEvent> events;
  DataStats stats;
};

}  // namespace cardea::data
