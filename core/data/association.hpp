// The data channels of one peer: an SCTP association, the channels on it (RFC 8831, 8832), and what waits to be sent.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "cardea/ids.hpp"
#include "cardea/media.hpp"
#include "cardea/time.hpp"
#include "data/events.hpp"
#include "data/sctp_stack.hpp"

namespace cardea::data {

inline constexpr std::string_view default_label = "JanusDataChannel";

class Association {
public:
  // What may be told without being taken, by weight.
  static constexpr size_t read_limit = 256 * 1024;

  // `number` names it at the stack, which outlives it.
  Association(PeerId peer, uint64_t number, AssociationPlan plan, SctpStack& stack);
  ~Association();
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;

  void receive(Bytes packet, Time now, Output& out);
  // The stack said that there is news.
  void stirred(Time now, Output& out) { advance(now, out); }
  void tick(Time now, Output& out);
  Time next_deadline() const { return held_ ? Time{} : restart_at_; }

  // `hold`: small messages may wait for the next tick(), so that they share packets.
  void send(const DataMessage& message, Time now, Output& out, bool hold = false);
  void open(const DataChannel& channel, Time now, Output& out);
  void close(std::string_view label, Time now, Output& out);
  // So much of what was told is taken: while too much is not, nothing more is read from the peer.
  void taken(size_t weight, Time now, Output& out);
  // Tells the end of its channels. The association is about to go.
  void end(Output& out);

  bool up() const { return up_; }
  PeerId peer() const { return peer_; }
  uint64_t number() const { return number_; }
  size_t channels() const { return channels_.size(); }
  // Weights of what is to be sent, and of what was and is still to be told (MessagesLeft).
  size_t waiting() const { return waiting_; }
  size_t left_untold() const { return left_; }
  // What changed since this was last asked; none if nothing did.
  std::optional<PeerDataStats> news();

private:
  static constexpr Duration restart_gap = 1s;
  static constexpr size_t max_held = 16 * 1024;   // by weight
  static constexpr size_t max_resets = 100;       // streams in one request
  static constexpr size_t max_partial = 1 << 18;  // bytes of unfinished messages, of all channels
  static constexpr size_t max_names = 16 * 1024;  // bytes of labels and protocols that the peer gave its channels

  struct Channel {
    DataChannel what{};
    bool negotiated = false;    // without DCEP: both applications agreed on the stream (RFC 8831 section 6.4)
    bool acknowledged = false;  // until then all is sent in order, behind the open (RFC 8832 section 6)
    bool told_open = false;
    bool closing = false;  // by us or the peer: only waits for both directions to be reset
    bool ours_reset = false, theirs_reset = false;
    std::string partial{};  // by the deprecated payload protocols
    MessageCounts counts{};
  };
  struct Item {
    enum class Kind : uint8_t { message, dcep, reset } kind = Kind::message;
    uint16_t stream = 0;
    DataMessage message{};         // message
    std::vector<uint8_t> bytes{};  // dcep
    Time expires = never;
  };

  void advance(Time now, Output& out);
  void read(Time now, Output& out);
  void on_piece(const SctpInput& piece, Time now, Output& out);
  void on_message(uint16_t stream, uint32_t ppid, Output& out);
  Channel* find_or_agree(uint16_t stream, Output& out);
  void on_data(uint16_t stream, Channel& channel, Ppid ppid, Output& out);
  void on_dcep(uint16_t stream, Output& out);
  void on_up(const SctpInput& up, Output& out);
  void on_streams(const SctpInput& told);
  void on_lost(Time now, Output& out);
  void on_reset(const SctpInput& reset, Output& out);
  void tell(DataEvent event, Output& out);
  void drop(DataDrop why, Output& out);

  Channel* find(uint16_t stream);
  std::optional<uint16_t> stream_of(std::string_view label) const;
  std::optional<uint16_t> stream_for(const DataMessage& message, Output& out);
  std::optional<uint16_t> open_channel(DataChannel what, Output& out);
  void begin_close(uint16_t stream);
  void forget_label(uint16_t stream, const Channel& channel);
  size_t names() const;
  std::string take_partial(Channel& channel);
  void drop_channels(Output& out);
  void give_up(Output& out);
  void flush(Time now, Output& out);
  bool flush_one(Item& item, Time now, Output& out);
  void left(const Item& item, Output& out);
  void request_resets();

  // given
  const PeerId peer_;
  const uint64_t number_;
  const AssociationPlan plan_;
  SctpStack& stack_;
  // owned
  SocketId socket_;
  // state
  bool up_ = false;
  Time restart_at_ = never;
  uint16_t streams_ = 0;                                 // that both directions have
  std::map<uint16_t, Channel> channels_;                 // by stream
  std::map<std::string, uint16_t, std::less<>> labels_;  // the first open channel of each label
  std::deque<Item> queue_;
  bool held_ = false;   // until the next tick
  size_t waiting_ = 0;  // weight of the messages in it
  size_t left_ = 0;     // weight of those that left it, not told yet
  size_t untaken_ = 0;  // weight of what was told
  size_t partial_ = 0;  // bytes in the channels' unfinished messages
  std::vector<uint16_t> resets_, resetting_;
  // The message that is coming in.
  std::string incoming_;
  uint16_t incoming_stream_ = 0;
  bool incoming_any_ = false, incoming_too_large_ = false;
  // Statistics.
  MessageCounts counts_;
  DataDrops drops_;
  bool changed_ = true;
};

}  // namespace cardea::data
