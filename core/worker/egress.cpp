#include "worker/egress.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/prefetch.hpp"
#include "media/rtx.hpp"
#include "rtp/opus.hpp"
#include "rtp/vp8.hpp"

namespace cardea::worker {
namespace {

// The numbers that differ from subscriber to subscriber. They are always written: the subscriber before left its own.
void renumber(MutableBytes payload, const peer::Outgoing& outgoing) {
  const rtp::Packet& packet = *outgoing.packet;
  const rtp::VideoInfo& video = packet.video;
  if (packet.codec == CodecType::vp8) {
    if (video.picture_id < 0 && video.tl0_pic_idx < 0 && video.key_idx < 0) return;
    const media::Rewritten& fields = outgoing.fields;
    rtp::write_vp8_numbers(
        payload, video,
        static_cast<uint16_t>(fields.picture_id >= 0 ? fields.picture_id : std::max(video.picture_id, 0)),
        static_cast<uint8_t>(fields.tl0_pic_idx >= 0 ? fields.tl0_pic_idx : std::max<int>(video.tl0_pic_idx, 0)),
        static_cast<uint8_t>(fields.key_idx >= 0 ? fields.key_idx : std::max<int>(video.key_idx, 0)));
  } else if (packet.red && outgoing.payload_from == 0) {
    rtp::renumber_red(payload, outgoing.sender->payload_type(packet.codec));
  }
}

// RFC 3550 section 5.1: zeros, and in the last byte how many.
void write_padding(uint8_t* at, uint8_t padding) {
  if (padding == 0) return;
  std::memset(at, 0, padding - size_t{1});
  at[padding - 1] = padding;
}

}  // namespace

Egress::Egress(secure::CipherEngine& engine, std::span<UdpSocket> sockets, double padding_waste,
               std::unique_ptr<FrameSender> frames)
    : engine_(engine), sockets_(sockets), frames_(std::move(frames)), arena_(arena_size),
      planner_(padding_waste, frames_ ? FrameSender::max_run : UdpSocket::max_message) {
  jobs_.reserve(max_jobs);
  messages_.reserve(UdpSocket::batch);
}

void Egress::send(const Address& to, Bytes datagram) {
  if (to.socket < sockets_.size()) sockets_[to.socket].queue(to, datagram);
}

// Each peer's queue and key were last touched ten milliseconds and a thousand other peers ago.
void Egress::send_all(std::vector<peer::PeerConnection*>& waiting) {
  constexpr size_t ahead = 2;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (i + ahead < waiting.size()) {
      peer::PeerConnection& later = *waiting[i + ahead];
      prefetch(later.queue().data(), later.queue().size() * sizeof(peer::Outgoing));
      if (frames_) frames_->fetch(later.id().slot);
      if (const secure::SendKey* key = later.send_key()) engine_.fetch(*key, longest_);
    }
    send(*waiting[i]);
  }
  waiting.clear();
}

void Egress::send(peer::PeerConnection& peer) {
  peer::SendQueue& queue = peer.queue();
  if (peer.path() && peer.send_key() != nullptr && peer.path()->socket < sockets_.size())
    for (size_t at = 0; at < queue.size(); at += RunPlanner::max_packets)
      send_some(peer, std::span(queue).subspan(at, std::min(queue.size() - at, RunPlanner::max_packets)));
  queue.clear();
}

void Egress::send_some(peer::PeerConnection& peer, std::span<peer::Outgoing> queued) {
  const size_t tag = peer.send_key()->tag_size();
  size_t count = 0;
  for (peer::Outgoing& outgoing : queued) {
    if (outgoing.sender == nullptr) {
      outgoing_[count] = &outgoing;
      items_[count++] = {outgoing.packet->size, 0, false, &peer};
      continue;
    }
    const size_t header = outgoing.sender->write_header(outgoing, headers_[count]);
    if (header == 0) continue;  // cannot be: the longest header has room
    const size_t payload =
        outgoing.packet->payload_size() - outgoing.payload_from + (outgoing.rtx ? media::rtx_overhead : 0);
    outgoing_[count] = &outgoing;
    header_sizes_[count] = static_cast<uint16_t>(header);
    // The RTX stream has an order of its own.
    const void* stream = outgoing.rtx ? static_cast<const void*>(&outgoing.sender->stats()) : outgoing.sender;
    items_[count++] = {static_cast<uint16_t>(header + payload + tag), 0, outgoing.sender->pads(), stream};
  }
  longest_ = 0;
  for (const RunPlanner::Item& item : std::span(items_).first(count)) longest_ = std::max<size_t>(longest_, item.size);
  planner_.plan(std::span(items_).first(count));
  for (const RunPlanner::Run& run : planner_.runs()) write_run(peer, run);
}

void Egress::write_run(peer::PeerConnection& peer, const RunPlanner::Run& run) {
  const Address& to = *peer.path();
  uint8_t* const frame = begin_frame(peer, run);
  if (frame == nullptr && (messages_.size() == UdpSocket::batch || used_ + run.count * max_datagram > arena_.size()))
    hand_over();
  uint8_t* const begin = frame != nullptr ? frame : arena_.data() + used_;
  size_t size = 0;
  for (size_t i = run.first; i < run.first + run.count; ++i)
    size += write_packet(*peer.send_key(), planner_.order()[i], begin + size);
  if (frame == nullptr) {
    messages_.push_back({to, used_, size, run.segment});
    used_ += size;
  }
  counters_.runs += frame != nullptr || sockets_[to.socket].gso() ? 1 : run.count;
}

// Where the run's bytes go if they go as a frame.
uint8_t* Egress::begin_frame(const peer::PeerConnection& peer, const RunPlanner::Run& run) {
  if (!frames_) return nullptr;
  const Address& to = *peer.path();
  size_t size = 0;
  for (size_t i = run.first; i < run.first + run.count; ++i) {
    const RunPlanner::Item& item = items_[planner_.order()[i]];
    size += item.size + item.padding;
  }
  const Address& from = sockets_[to.socket].local();
  uint8_t* frame = frames_->begin(peer.id().slot, from, to, size, run.segment);
  if (frame != nullptr || !frames_->full()) return frame;
  flush();
  return frames_->begin(peer.id().slot, from, to, size, run.segment);
}

size_t Egress::write_packet(const secure::SendKey& key, size_t item, uint8_t* out) {
  const peer::Outgoing& outgoing = *outgoing_[item];
  rtp::Packet& packet = *outgoing.packet;
  if (outgoing.sender == nullptr) {
    std::memcpy(out, packet.bytes.data(), packet.size);
    return packet.size;
  }
  const uint8_t padding = items_[item].padding;
  uint8_t* header = headers_[item].data();
  if (padding > 0) header[0] |= 0x20;
  secure::SealJob job{};
  job.key = &key;
  job.index = static_cast<uint64_t>(outgoing.seq);
  job.ssrc = load_u32(header + 8);
  job.header = header;
  job.header_size = header_sizes_[item];
  job.out = out;
  const MutableBytes payload = packet.payload().subspan(outgoing.payload_from);
  // Where jobs wait for others, and where the payload changes its shape, it is copied; else encrypted from where it is.
  if (outgoing.rtx || !secure::is_gcm(key.profile())) {
    std::memcpy(out, header, job.header_size);
    uint8_t* at = out + job.header_size;
    job.header = out;
    job.payload = at;
    if (outgoing.rtx) {
      store_u16(at, static_cast<uint16_t>(outgoing.fields.seq));  // RFC 4588 section 4: the original number
      at += media::rtx_overhead;
    }
    std::memcpy(at, payload.data(), payload.size());
    renumber(MutableBytes(at, payload.size()), outgoing);
    write_padding(at + payload.size(), padding);
    job.payload_size = static_cast<uint16_t>(at + payload.size() + padding - job.payload);
    jobs_.push_back(job);
    if (jobs_.size() == max_jobs) seal_pending();
  } else {
    renumber(payload, outgoing);
    write_padding(payload.data() + payload.size(), padding);
    job.payload = payload.data();
    job.payload_size = static_cast<uint16_t>(payload.size() + padding);
    engine_.seal(std::span(&job, 1));
  }
  ++counters_.packets;
  counters_.bytes += job.sealed_size();
  return job.sealed_size();
}

void Egress::seal_pending() {
  if (jobs_.empty()) return;
  engine_.seal(jobs_);
  jobs_.clear();
}

void Egress::hand_over() {
  seal_pending();
  for (const Message& message : messages_)
    sockets_[message.to.socket].queue(message.to, Bytes(arena_).subspan(message.at, message.size), message.segment);
  for (UdpSocket& socket : sockets_) socket.flush();
  messages_.clear();
  used_ = 0;
}

void Egress::flush() {
  hand_over();
  if (frames_) frames_->flush();
}

}  // namespace cardea::worker
