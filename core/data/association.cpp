#include "data/association.hpp"

#include <algorithm>
#include <utility>

#include "data/crc32c.hpp"

namespace cardea::data {

Association::Association(PeerId peer, uint64_t number, AssociationPlan plan, SctpStack& stack)
    : peer_(peer), number_(number), plan_(plan), stack_(stack), socket_(stack.open(number, plan.peer_port)) {
  if (!socket_) restart_at_ = Time{};
}

Association::~Association() { stack_.close(socket_); }

void Association::receive(Bytes packet, Time now, Output& out) {
  ++out.stats.packets_in;
  const bool intact = checksum_is_right(packet);
  if (!intact) ++out.stats.checksum_errors;
  if (!intact || !stack_.receive(socket_, packet)) return drop(DataDrop::bad_packet, out);
  if (stack_.take_stirred(socket_)) advance(now, out);
}

void Association::tick(Time now, Output& out) {
  if (std::exchange(held_, false)) advance(now, out);
  if (now < restart_at_) return;
  restart_at_ = never;
  socket_ = stack_.open(number_, plan_.peer_port);
  if (!socket_) restart_at_ = now + restart_gap;
  advance(now, out);
}

void Association::advance(Time now, Output& out) {
  read(now, out);
  if (!up_ || held_) return;
  flush(now, out);
  request_resets();
}

// What comes in

void Association::read(Time now, Output& out) {
  while (untaken_ < read_limit) {
    std::optional<SctpInput> input = stack_.read(socket_);
    if (!input) return;
    switch (input->kind) {
    case SctpInput::Kind::piece: on_piece(*input, now, out); break;
    case SctpInput::Kind::up: on_up(*input, out); break;
    case SctpInput::Kind::lost: return on_lost(now, out);
    case SctpInput::Kind::reset: on_reset(*input, out); break;
    case SctpInput::Kind::streams: on_streams(*input); break;
    // Their ids stay taken, and that is all.
    case SctpInput::Kind::refused: resetting_.clear(); break;
    case SctpInput::Kind::discarded: incoming_any_ = false; break;
    }
  }
}

void Association::on_piece(const SctpInput& piece, Time, Output& out) {
  if (!incoming_any_ || incoming_stream_ != piece.stream) {
    incoming_.clear();
    incoming_too_large_ = false;
  }
  incoming_any_ = !piece.end;
  incoming_stream_ = piece.stream;
  if (incoming_too_large_ || incoming_.size() + piece.bytes.size() > stack_.settings().max_message_size) {
    incoming_too_large_ = true;
    incoming_.clear();
    if (piece.end) drop(DataDrop::too_large, out);
    return;
  }
  incoming_ += text_of(piece.bytes);
  if (!piece.end) return;
  on_message(piece.stream, piece.ppid, out);
  incoming_.clear();
}

void Association::on_message(uint16_t stream, uint32_t ppid, Output& out) {
  switch (const auto kind = static_cast<Ppid>(ppid)) {
  case Ppid::dcep: return on_dcep(stream, out);
  case Ppid::text:
  case Ppid::binary:
  case Ppid::text_partial:
  case Ppid::binary_partial:
  case Ppid::text_empty:
  case Ppid::binary_empty:
    if (Channel* channel = find_or_agree(stream, out)) return on_data(stream, *channel, kind, out);
    return drop(DataDrop::no_channel, out);
  }
  drop(DataDrop::bad_message, out);
}

// A message where no open came: the applications agreed on the channel beforehand, and ours learns of it now.
Association::Channel* Association::find_or_agree(uint16_t stream, Output& out) {
  if (Channel* channel = find(stream)) return channel->theirs_reset ? nullptr : channel;
  if (stream >= streams_) return nullptr;
  Channel& agreed = channels_[stream] = {.negotiated = true, .acknowledged = true, .told_open = true};
  labels_.try_emplace(agreed.what.label, stream);
  tell(ChannelOpened{peer_, agreed.what}, out);
  return &agreed;
}

void Association::on_data(uint16_t stream, Channel& channel, Ppid ppid, Output& out) {
  if (ppid == Ppid::text_partial || ppid == Ppid::binary_partial) {
    if (channel.partial.size() + incoming_.size() > stack_.settings().max_message_size ||
        partial_ + incoming_.size() > max_partial) {
      (void)take_partial(channel);
      return drop(DataDrop::too_large, out);
    }
    partial_ += incoming_.size();
    channel.partial += incoming_;
    return;
  }
  DataMessage message{.label = channel.what.label, .protocol = channel.what.protocol, .stream = stream};
  message.binary = ppid == Ppid::binary || ppid == Ppid::binary_empty;
  const bool empty = ppid == Ppid::text_empty || ppid == Ppid::binary_empty;
  std::string text = take_partial(channel);
  if (text.size() + incoming_.size() > stack_.settings().max_message_size) return drop(DataDrop::too_large, out);
  // An empty message is one byte, because SCTP has no empty ones (RFC 8831 section 6.6).
  if (!empty) text = text.empty() ? std::exchange(incoming_, {}) : std::move(text) + incoming_;
  for (MessageCounts* counts : {&channel.counts, &counts_, static_cast<MessageCounts*>(&out.stats)})
    counts->count_in(text.size());
  changed_ = true;
  if (channel.closing) return;  // ours to close: nobody listens any more
  message.payload = std::move(text);
  tell(MessageReceived{peer_, std::move(message)}, out);
}

void Association::on_dcep(uint16_t stream, Output& out) {
  std::optional<Dcep> dcep = parse_dcep(bytes_of(incoming_));
  Channel* channel = find(stream);
  if (!dcep || stream >= streams_) return drop(DataDrop::bad_dcep, out);
  if (dcep->kind == DcepKind::ack) {
    if (channel == nullptr) return drop(DataDrop::bad_dcep, out);
    channel->acknowledged = true;
    if (channel->closing || std::exchange(channel->told_open, true)) return;
    return tell(ChannelOpened{peer_, channel->what}, out);
  }
  if (channel != nullptr && !channel->negotiated) return drop(DataDrop::bad_dcep, out);
  // Messages came before the open that names their channel: it was lost, and they are unordered.
  if (auto early = channels_.extract(stream)) forget_label(stream, early.mapped());
  DataChannel& what = dcep->open.channel;
  if (names() + what.label.size() + what.protocol.size() > max_names) return drop(DataDrop::too_many_channels, out);
  labels_.try_emplace(what.label, stream);
  channels_[stream] = {.what = what, .acknowledged = true, .told_open = true};
  queue_.push_back(
      {.kind = Item::Kind::dcep, .stream = stream, .bytes = {std::begin(ack_message), std::end(ack_message)}});
  tell(ChannelOpened{peer_, std::move(what)}, out);
}

void Association::on_up(const SctpInput& up, Output& out) {
  if (up.restarted || up_) drop_channels(out);
  up_ = true;
  on_streams(up);
  out.events.push_back(DataUp{peer_});
}

void Association::on_streams(const SctpInput& told) {
  streams_ = std::min(told.streams_in, told.streams_out);
  changed_ = true;
}

void Association::on_lost(Time now, Output& out) {
  end(out);
  restart_at_ = now + restart_gap;
}

void Association::end(Output& out) {
  stack_.close(std::exchange(socket_, {}));
  drop_channels(out);
  if (std::exchange(up_, false)) out.events.push_back(DataDown{peer_});
}

void Association::on_reset(const SctpInput& reset, Output& out) {
  std::vector<uint16_t> streams(reset.streams.begin(), reset.streams.end());
  if (streams.empty())
    for (const auto& [stream, channel] : channels_) streams.push_back(stream);
  if (!reset.incoming) resetting_.clear();
  for (uint16_t stream : streams) {
    Channel* channel = find(stream);
    if (channel == nullptr) continue;
    (reset.incoming ? channel->theirs_reset : channel->ours_reset) = true;
    if (reset.incoming && !channel->closing) {
      std::string label = channel->what.label;
      begin_close(stream);
      tell(ChannelClosed{peer_, std::move(label)}, out);
    }
    if (channel->ours_reset && channel->theirs_reset) channels_.erase(stream);
  }
}

void Association::drop(DataDrop why, Output& out) {
  drops_.count(why);
  out.stats.drops.count(why);
  changed_ = true;
}

void Association::tell(DataEvent event, Output& out) {
  changed_ = true;
  untaken_ += weight(event);
  out.events.push_back(std::move(event));
}

std::optional<PeerDataStats> Association::news() {
  if (!std::exchange(changed_, false)) return {};
  PeerDataStats now{counts_, peer_, up_, streams_, waiting_, untaken_, drops_, {}};
  for (const auto& [stream, channel] : channels_)
    if (!channel.closing) now.channels.push_back({channel.counts, stream, channel.what, channel.negotiated});
  return now;
}

void Association::taken(size_t weight, Time now, Output& out) {
  untaken_ -= std::min(weight, untaken_);
  advance(now, out);
}

// Channels

Association::Channel* Association::find(uint16_t stream) {
  auto found = channels_.find(stream);
  return found == channels_.end() ? nullptr : &found->second;
}

// Without a label the default one is meant, or one without a label if only that is there.
std::optional<uint16_t> Association::stream_of(std::string_view label) const {
  auto found = labels_.find(label.empty() ? default_label : label);
  if (found == labels_.end() && label.empty()) found = labels_.find(label);
  return found == labels_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<uint16_t> Association::open_channel(DataChannel what, Output& out) {
  if (what.label.empty()) what.label = default_label;
  what.label.resize(std::min(what.label.size(), max_label_size));
  what.protocol.resize(std::min(what.protocol.size(), max_protocol_size));
  uint32_t stream = plan_.dtls_client ? 0 : 1;
  while (channels_.contains(static_cast<uint16_t>(stream)) && stream < streams_) stream += 2;
  if (stream >= streams_) {
    drop(DataDrop::too_many_channels, out);
    out.events.push_back(ChannelClosed{peer_, what.label});
    return {};
  }
  const auto number = static_cast<uint16_t>(stream);
  queue_.push_back({.kind = Item::Kind::dcep, .stream = number, .bytes = build_open({what, 256})});
  labels_[what.label] = number;
  channels_[number] = {.what = std::move(what)};
  return number;
}

void Association::open(const DataChannel& channel, Time now, Output& out) {
  if (!up_) return drop(DataDrop::not_up, out);
  if (!stream_of(channel.label)) open_channel(channel, out);
  advance(now, out);
}

void Association::close(std::string_view label, Time now, Output& out) {
  if (auto stream = stream_of(label)) begin_close(*stream);
  advance(now, out);
}

void Association::begin_close(uint16_t stream) {
  Channel& channel = channels_.at(stream);
  channel.closing = changed_ = true;
  (void)take_partial(channel);
  forget_label(stream, channel);
  queue_.push_back({.kind = Item::Kind::reset, .stream = stream});
}

void Association::forget_label(uint16_t stream, const Channel& channel) {
  auto named = labels_.find(channel.what.label);
  if (named == labels_.end() || named->second != stream) return;
  labels_.erase(named);
  for (const auto& [other, one] : channels_)
    if (!one.closing && one.what.label == channel.what.label) return void(labels_.emplace(one.what.label, other));
}

size_t Association::names() const {
  size_t bytes = 0;
  for (const auto& [stream, channel] : channels_) bytes += channel.what.label.size() + channel.what.protocol.size();
  return bytes;
}

std::string Association::take_partial(Channel& channel) {
  partial_ -= channel.partial.size();
  return std::exchange(channel.partial, {});
}

void Association::drop_channels(Output& out) {
  for (const auto& [stream, channel] : channels_)
    if (!channel.closing) out.events.push_back(ChannelClosed{peer_, channel.what.label});
  channels_.clear();
  labels_.clear();
  partial_ = 0;
  held_ = false;
  resets_.clear();
  resetting_.clear();
  incoming_any_ = false;
  incoming_.clear();
  give_up(out);
}

// What goes out

void Association::send(const DataMessage& message, Time now, Output& out, bool hold) {
  Item item{.stream = 0, .message = message};
  waiting_ += weight(message);
  auto refuse = [&](DataDrop why) {
    drop(why, out);
    left(item, out);
  };
  if (!up_) return refuse(DataDrop::not_up);
  if (message.payload.size() > std::min(plan_.max_message_size, stack_.settings().max_message_size))
    return refuse(DataDrop::too_large);
  // The sender keeps to its grant, so this is only the last door.
  if (waiting_ > 2 * send_limit) return refuse(DataDrop::backlog_full);
  const auto stream = stream_for(message, out);
  if (!stream) return left(item, out);
  item.stream = *stream;
  const Channel& channel = channels_.at(*stream);
  if (channel.what.max_lifetime_ms) item.expires = now + std::chrono::milliseconds(*channel.what.max_lifetime_ms);
  queue_.push_back(std::move(item));
  held_ = hold && waiting_ < max_held;
  advance(now, out);
}

// None: it is counted why.
std::optional<uint16_t> Association::stream_for(const DataMessage& message, Output& out) {
  if (!message.stream) {
    auto stream = stream_of(message.label);
    return stream ? stream : open_channel({.label = message.label, .protocol = message.protocol}, out);
  }
  const Channel* channel = find(*message.stream);
  if (channel != nullptr && !channel->closing) return message.stream;
  drop(DataDrop::closed, out);
  return {};
}

// A message waits no longer.
void Association::left(const Item& item, Output& out) {
  if (item.kind != Item::Kind::message) return;
  const size_t weighs = weight(item.message);
  waiting_ -= weighs;
  left_ += weighs;
  if (left_ >= left_step) out.events.push_back(MessagesLeft{peer_, std::exchange(left_, 0)});
}

void Association::give_up(Output& out) {
  for (const Item& item : queue_) {
    if (item.kind == Item::Kind::message) drop(DataDrop::closed, out);
    left(item, out);
  }
  queue_.clear();
  if (left_ > 0) out.events.push_back(MessagesLeft{peer_, std::exchange(left_, 0)});
}

void Association::flush(Time now, Output& out) {
  while (!queue_.empty() && flush_one(queue_.front(), now, out)) {
    left(queue_.front(), out);
    queue_.pop_front();
  }
}

// False: the association takes nothing more for now.
bool Association::flush_one(Item& item, Time now, Output& out) {
  Channel* channel = find(item.stream);
  if (item.kind == Item::Kind::reset) {
    if (channel != nullptr) resets_.push_back(item.stream);
    return true;
  }
  if (channel == nullptr || channel->theirs_reset) {
    if (item.kind == Item::Kind::message) drop(DataDrop::closed, out);
    return true;
  }
  if (item.kind == Item::Kind::dcep)
    return stack_.send(socket_, item.stream, Ppid::dcep, item.bytes, {}) != SctpStack::Sent::full;
  if (now >= item.expires) {
    drop(DataDrop::expired, out);
    return true;
  }
  static constexpr uint8_t nothing[] = {0};
  const Bytes payload = bytes_of(item.message.payload.text());
  const bool binary = item.message.binary;
  const Ppid ppid =
      payload.empty() ? (binary ? Ppid::binary_empty : Ppid::text_empty) : (binary ? Ppid::binary : Ppid::text);
  const Delivery how{channel->what.ordered || !channel->acknowledged, channel->what.max_retransmits,
                     channel->what.max_lifetime_ms};
  switch (stack_.send(socket_, item.stream, ppid, payload.empty() ? Bytes(nothing) : payload, how)) {
  case SctpStack::Sent::full: return false;
  case SctpStack::Sent::failed: drop(DataDrop::closed, out); break;
  case SctpStack::Sent::done:
    for (MessageCounts* counts : {&channel->counts, &counts_, static_cast<MessageCounts*>(&out.stats)})
      counts->count_out(payload.size());
    changed_ = true;
    break;
  }
  return true;
}

// The library resets a stream when all on it is sent, and knows one request at a time.
void Association::request_resets() {
  if (resets_.empty() || !resetting_.empty()) return;
  const auto count = static_cast<ptrdiff_t>(std::min(resets_.size(), max_resets));
  resetting_.assign(resets_.begin(), resets_.begin() + count);
  if (stack_.reset(socket_, resetting_))
    resets_.erase(resets_.begin(), resets_.begin() + count);
  else
    resetting_.clear();  // another time
}

}  // namespace cardea::data
