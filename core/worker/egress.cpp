#include "worker/egress.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/prefetch.hpp"

namespace cardea::worker {
namespace {

constexpr uint32_t report_stream = ~uint32_t{0};  // no media has it

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
  const rtp::SharedPacket report = peer.take_report();
  if (peer.path() && peer.send_key() != nullptr && peer.path()->socket < sockets_.size())
    for (size_t at = 0; at < queue.size(); at += max_media)
      send_some(peer, std::span(queue).subspan(at, std::min(queue.size() - at, max_media)),
                at + max_media < queue.size() ? nullptr : report.get());
  queue.clear();
}

// report: what leaves with these packets, or none.
void Egress::send_some(peer::PeerConnection& peer, std::span<const peer::Outgoing> queued, const rtp::Packet* report) {
  const size_t tag = peer.send_key()->tag_size();
  size_t count = 0;
  longest_ = 0;
  for (const peer::Outgoing& outgoing : queued) {
    peer::Assembly& assembly = media_[count];
    if (!assembly.begin(outgoing)) continue;
    const size_t size = assembly.size() + tag;
    longest_ = std::max(longest_, size);
    items_[count++] = {static_cast<uint16_t>(size), 0, assembly.may_pad(), assembly.stream()};
  }
  media_count_ = count;
  report_ = report == nullptr ? Bytes() : report->payload();
  if (report != nullptr) items_[count++] = {static_cast<uint16_t>(report_.size()), 0, false, report_stream};
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
  if (item < media_count_) return seal(key, media_[item], items_[item].padding, out);
  std::memcpy(out, report_.data(), report_.size());
  return report_.size();
}

// Where jobs wait for others, and where the payload is not what came in, it is copied; else encrypted from where it is.
size_t Egress::seal(const secure::SendKey& key, const peer::Assembly& assembly, uint8_t padding, uint8_t* out) {
  const bool at_once = secure::is_gcm(key.profile());
  const Bytes header = assembly.header();
  secure::SealJob job{};
  job.key = &key;
  job.index = assembly.index();
  job.ssrc = assembly.ssrc();
  job.header_size = static_cast<uint16_t>(header.size());
  job.payload_size = static_cast<uint16_t>(assembly.size() - header.size() + padding);
  job.out = out;
  if (at_once && assembly.as_it_came(padding)) {
    job.header = header.data();
    job.payload = assembly.payload().data();
  } else {
    assembly.write(out, padding);
    job.header = out;
    job.payload = out + header.size();
  }
  if (at_once) {
    engine_.seal(std::span(&job, 1));
  } else {
    jobs_.push_back(job);
    if (jobs_.size() == max_jobs) seal_pending();
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
