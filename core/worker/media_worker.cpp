#include "worker/media_worker.hpp"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>
#include <variant>

#include "base/clock.hpp"
#include "cardea/log.hpp"
#include "rtp/parse.hpp"

namespace cardea::worker {
namespace {

peer::PeerSettings peer_settings(const WorkerSettings& settings) {
  return {settings.ice_timeout,        settings.ice_grace,   settings.connect_timeout, settings.no_media_timer,
          settings.slowlink_threshold, settings.twcc_period, settings.min_nack_queue};
}

secure::DtlsSettings dtls_settings(const WorkerSettings& settings) {
  secure::DtlsSettings dtls;
  dtls.mtu = settings.dtls_mtu;
  dtls.timeout = settings.connect_timeout;
  return dtls;
}

int make_wake_fd() {
  int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

void wake(int fd) {
  const uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(fd, &one, sizeof one);  // fails only when it is readable already
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::make(uint16_t index, WorkerSettings settings, secure::DtlsContext& dtls,
                                             Mailbox<WorkerEvent>& events, DataDoor* data) {
  Result<secure::CipherChoice> choice = secure::parse_cipher_choice(settings.cipher_engine);
  if (!choice) return std::move(choice.error());
  Result<std::unique_ptr<secure::CipherEngine>> engine = secure::make_cipher_engine(*choice);
  if (!engine) return std::move(engine.error());
  if (Status ready = secure::init_srtp(*choice); !ready) return std::move(ready.error());
  std::vector<UdpSocket> sockets;
  SocketOptions options{settings.receive_buffer, settings.send_buffer, settings.gso, settings.gro, settings.dscp};
  for (Address address : settings.addresses) {
    if (sockets.size() > UINT8_MAX) return Error{0, "more local addresses than a worker can have"};
    // Where the system chooses the port, all addresses get the one that the first got.
    if (address.port == 0 && !sockets.empty()) address.port = sockets.front().local().port;
    Result<UdpSocket> socket = UdpSocket::bind(address, static_cast<uint8_t>(sockets.size()), options);
    if (!socket) return std::move(socket.error());
    sockets.push_back(std::move(*socket));
  }
  if (sockets.empty()) return Error{0, "a media worker needs an address to listen on"};
  std::unique_ptr<FrameSender> frames;
  if (settings.frames) {
    Result<std::unique_ptr<FrameSender>> made = FrameSender::make(settings.send_buffer, settings.dscp);
    if (!made) return std::move(made.error());
    frames = std::move(*made);
  }
  return std::unique_ptr<Worker>(std::make_unique<MediaWorker>(
      index, std::move(settings), dtls, events, data, std::move(sockets), std::move(*engine), std::move(frames)));
}

MediaWorker::MediaWorker(uint16_t index, WorkerSettings settings, secure::DtlsContext& dtls,
                         Mailbox<WorkerEvent>& events, DataDoor* data, std::vector<UdpSocket> sockets,
                         std::unique_ptr<secure::CipherEngine> engine, std::unique_ptr<FrameSender> frames)
    : index_(index), settings_(std::move(settings)), events_(events), data_(data),
      peer_settings_(peer_settings(settings_)), dtls_settings_(dtls_settings(settings_)), sockets_(std::move(sockets)),
      engine_(std::move(engine)),
      wake_fd_(make_wake_fd()), context_{peer_settings_, dtls_settings_, dtls, stun_, *engine_, packets_, random_, {}},
      router_(peers_, index, peer_settings_.min_nack_queue),
      egress_(*engine_, sockets_, settings_.padding_waste, std::move(frames)), timers_(Clock::now()),
      reports_(Clock::now()), pace_(settings_.tick, settings_.tick_above_pps) {
  stats_.worker = index_;
  stats_.cipher_engine = std::string(engine_->name());
  loop_.add(mailbox_.fd());
  loop_.add(wake_fd_);
  for (const UdpSocket& socket : sockets_) loop_.add(socket.fd());
}

MediaWorker::~MediaWorker() {
  stop();
  if (trimmer_.joinable()) trimmer_.join();
  ::close(wake_fd_);
}

uint16_t MediaWorker::port() const { return sockets_.front().local().port; }

void MediaWorker::start(const std::vector<Worker*>& all) {
  all_ = all;
  rings_.resize(all_.size());
  copied_to_.resize(all_.size());
  for (size_t i = 0; i < rings_.size(); ++i)
    if (i != index_) rings_[i] = std::make_unique<PacketRing>();
  thread_ = std::thread([this] { run(); });
}

void MediaWorker::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake(wake_fd_);
  thread_.join();
}

void MediaWorker::run() {
  pthread_setname_np(pthread_self(), ("media-" + std::to_string(index_)).c_str());
  if (settings_.cpu >= 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(settings_.cpu), &cpus);
    if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) != 0)
      log::warn("worker", "media worker ", index_, " could not be pinned to CPU ", settings_.cpu);
  }
  now_ = Clock::now();
  stats_at_ = now_ + stats_interval;
  while (!stopping_.load(std::memory_order_relaxed)) {
    sleep();
    now_ = Clock::now();
    const Time woke = now_;
    guarded({}, [this] { turn(); });
    busy_ += Clock::now() - woke;
  }
  run_commands();
  peers_.for_each([&](peer::PeerConnection& peer) { peer.close(output_); });
  flush();
  peers_.for_each([&](peer::PeerConnection& peer) { remove(peer); });
}

// Whatever comes first ends the sleep, or under a steady load the tick.
void MediaWorker::sleep() {
  const Time before = Clock::now();
  if (handshakes_.next() <= before) return;
  if (pace_.load() != Pace::Load::steady || !came_now_) return wait();
  const Duration rest = now_ + pace_.tick() - before;
  if (rest > worth_a_sleep) std::this_thread::sleep_for(rest);
}

void MediaWorker::wait() {
  // Both sides exchange, so that one of them sees the other: no packet is left in a ring that nobody looks at.
  asleep_.exchange(true);
  const bool waiting =
      std::any_of(rings_.begin(), rings_.end(), [](const auto& ring) { return ring && !ring->empty(); });
  const Time timers = std::max(std::min(timers_.next(), reports_due()), now_ + timer_gap);
  const Time until = waiting ? now_ : std::min({timers, stats_at_, handshakes_.next()});
  for (int fd : loop_.wait(Clock::now(), until)) {
    uint64_t count = 0;
    if (fd == wake_fd_) [[maybe_unused]]
      auto got = ::read(wake_fd_, &count, sizeof count);
  }
  asleep_.store(false, std::memory_order_relaxed);
}

Time MediaWorker::reports_due() const { return reports_.next() == never ? never : reports_.next() + report_slack; }

void MediaWorker::packets_came() {
  if (asleep_.exchange(false)) wake(wake_fd_);
}

void MediaWorker::turn() {
  ++stats_.ticks;
  const uint64_t before = came_;
  picture_open_ = false;
  take_all();
  if (picture_open_ && pace_.load() == Pace::Load::bursts) wait_for_picture();
  came_now_ = came_ != before;
  schedule_hurried();
  run_timers();
  schedule_hurried();
  flush();
  run_handshakes();
  pace_.turned(came_, egress_.counters().packets, now_);
  if (now_ >= stats_at_) tell_stats();
}

void MediaWorker::take_all() {
  run_commands();  // first: a peer's first check may be here already, behind the command that makes the peer
  receive_all();
  take_mirrored();
}

void MediaWorker::wait_for_picture() {
  const Time before = Clock::now();
  std::this_thread::sleep_for(pace_.picture_wait());
  now_ = Clock::now();
  busy_ -= now_ - before;
  take_all();
}

void MediaWorker::receive_all() {
  for (UdpSocket& socket : sockets_) {
    for (size_t batches = 0; batches < max_batches; ++batches)
      if (socket.receive([&](Datagram& datagram) { deliver(datagram); }) < UdpSocket::batch) break;
  }
}

peer::PeerConnection* MediaWorker::find(const Datagram& datagram) {
  if (rtp::wire_of(datagram.bytes) == rtp::Wire::stun) {
    auto ufrag = ice::StunCodec::local_ufrag(datagram.bytes);
    if (!ufrag) {
      // By what it answers, not by its address: somebody else may claim that.
      auto asker = ice::StunCodec::asker(datagram.bytes);
      return asker ? peers_.at(*asker) : nullptr;
    }
    auto found = ufrags_.find(*ufrag);
    return found == ufrags_.end() ? nullptr : peers_.find(found->second);
  }
  auto found = addresses_.find(datagram.from);
  return found == addresses_.end() ? nullptr : peers_.find(found->second);
}

void MediaWorker::deliver(Datagram& datagram) {
  peer::PeerConnection* peer = find(datagram);
  if (peer == nullptr) return output_.drops.count(Drop::unknown_source);
  const bool handshake =
      peer->dtls().state() == secure::Dtls::State::handshaking && rtp::wire_of(datagram.bytes) == rtp::Wire::dtls;
  if (!handshake) return take(*peer, datagram);
  if (auto drop = handshakes_.push(peer->id(), peer->dtls().started(), datagram)) output_.drops.count(*drop);
}

// Nothing of ours throws after start-up, but the system's allocator does.
void MediaWorker::fail(PeerId id, const char* what) {
  ++stats_.failures;
  peer::PeerConnection* peer = peers_.find(id);
  try {
    log::error("worker", "media worker ", index_, ": ", what, id == PeerId{} ? "" : ", a peer is given up");
    if (id != PeerId{}) output_.events.push_back(peer::PeerDown{id, "Internal error"});
    if (peer != nullptr) remove(*peer);
  } catch (const std::exception&) {
    peers_.remove(id);  // what is left of it names a peer that is gone
  }
}

void MediaWorker::take(peer::PeerConnection& peer, Datagram& datagram) {
  guarded(peer.id(), [&] { take_whole(peer, datagram); });
}

void MediaWorker::take_whole(peer::PeerConnection& peer, Datagram& datagram) {
  const size_t size = datagram.bytes.size();
  peer::Received received = peer.receive(datagram, now_, output_);
  if (received.removed) shut_door(peer, *received.removed);
  if (received.heard) {
    open_door(peer, *received.heard);
    queue_start(peer);
  }
  if (doors_[peer.id().slot].ufrags.size() != peer.local_credentials().size()) renew_ufrags(peer);
  if (received.packet) {
    ++stats_.packets_in;
    ++came_;
    stats_.bytes_in += size;
    picture_open_ = kind_of(received.packet->codec) == MediaKind::video && !received.packet->marker;
    forward(peer, received);
  }
  for (const peer::Feedback& feedback : received.feedback) router_.answer(peer, feedback, now_, output_);
  if (!received.records.empty()) take_records(peer, received.records);
  if (peer.over()) remove(peer);
}

void MediaWorker::queue_start(const peer::PeerConnection& peer) {
  if (peer.wants_start()) handshakes_.push(peer.id());
}

// A handshake takes as long as a thousand packets. What came of media is out by now; of a rush of joins a turn does as
// much as the next packets may wait.
void MediaWorker::run_handshakes() {
  if (handshakes_.empty()) return;
  handshakes_most_ = std::max(handshakes_most_, handshakes_.size());
  const Time until = Clock::now() + handshake_budget;
  do {
    std::optional<HandshakeQueue::Waiting> next = handshakes_.pop(now_);
    if (!next) break;
    handshakes_taken_ += 1 + next->datagrams.size();
    if (peer::PeerConnection* peer = peers_.find(next->peer))
      guarded(next->peer, [&] { peer->start_dtls(now_, output_); });
    for (HandshakeQueue::Kept& kept : next->datagrams) {
      Datagram datagram{kept.from, kept.bytes};
      if (peer::PeerConnection* peer = peers_.find(next->peer))
        take(*peer, datagram);
      else
        output_.drops.count(Drop::stale_peer);
    }
    const peer::PeerConnection* peer = peers_.find(next->peer);
    if (peer == nullptr || peer->dtls().state() != secure::Dtls::State::handshaking) handshakes_.over(next->peer);
  } while (Clock::now() < until);
  schedule_hurried();
  flush();
}

void MediaWorker::forward(peer::PeerConnection& peer, peer::Received& received) {
  const peer::Router::Copies copies = router_.deliver(received.packet, peer, now_, output_);
  for (uint16_t worker : copies.workers) {
    if (worker >= all_.size() || worker == index_) continue;
    PacketRing* ring = all_[worker]->ring_from(index_);
    if (ring == nullptr || !ring->push(*received.packet, {peer.id(), received.packet->mline}, copies.common_offset)) {
      output_.drops.count(Drop::ring_full);
      continue;
    }
    copied_to_[worker] = true;
  }
}

void MediaWorker::take_mirrored() {
  for (const auto& ring : rings_) {
    if (!ring) continue;
    for (size_t taken = 0; taken < max_mirrored; ++taken) {
      const MirroredPacket* mirrored = ring->front();
      if (mirrored == nullptr) break;
      ++came_;
      rtp::PacketRef packet = packets_.get();
      copy_packet(mirrored->packet, *packet);
      packet->arrival = now_;
      router_.deliver_mirrored(std::move(packet), mirrored->from, mirrored->common_offset, now_, output_);
      ring->pop();
    }
  }
}

void MediaWorker::schedule_hurried() {
  for (PeerId id : context_.hurried) {
    peer::PeerConnection* peer = peers_.find(id);
    if (peer == nullptr) continue;
    peer->seen_hurried();
    schedule(*peer);
  }
  context_.hurried.clear();
}

void MediaWorker::run_timers() {
  const auto tick = [&](uint32_t slot) {
    peer::PeerConnection* peer = peers_.at(slot);
    if (peer == nullptr) return;
    // The answer to its last flight waits here: it must not be sent again.
    if (handshakes_.waits(peer->id())) return timers_.set(slot, now_ + timer_gap);
    guarded(peer->id(), [&] {
      peer->tick(now_, output_);
      if (peer->over()) return remove(*peer);
      schedule(*peer);
    });
  };
  timers_.expire(now_, tick);
  // With media, in whose messages they leave, or when they have waited for it long enough.
  if (came_now_ || reports_due() <= now_) reports_.expire(now_, tick);
}

void MediaWorker::schedule(const peer::PeerConnection& peer) {
  timers_.set(peer.id().slot, peer.urgent_deadline());
  reports_.set(peer.id().slot, peer.report_at());
}

void MediaWorker::take_records(const peer::PeerConnection& peer, std::span<const Bytes> records) {
  if (data_ == nullptr || !peer.has_data()) return;
  for (Bytes record : records) records_.add(peer.id(), record);
}

// The data thread learns of a peer before it gets its packets.
void MediaWorker::flush_data() {
  if (data_ == nullptr) return;
  for (const peer::DataChange& change : output_.data)
    if (change.plan) data_->post(StartData{change.peer, *change.plan});
  if (!records_.empty()) data_->post(std::exchange(records_, {}));
  for (const peer::DataChange& change : output_.data)
    if (!change.plan) data_->post(StopData{change.peer});
}

// The end of the turn: whatever it caused goes out.
void MediaWorker::flush() {
  for (size_t i = 0; i < output_.datagrams.size(); ++i)
    egress_.send(output_.datagrams[i].to, output_.datagrams[i].bytes);
  egress_.send_all(router_.waiting());
  egress_.flush();
  for (peer::PeerEvent& event : output_.events) tell(std::move(event));
  flush_data();
  output_.clear();
  for (const peer::UpstreamRequest& request : router_.upstream())
    if (request.from.peer.worker < all_.size())
      all_[request.from.peer.worker]->post(RequestKeyframe{request.from, request.substream});
  router_.upstream().clear();
  for (size_t worker = 0; worker < copied_to_.size(); ++worker) {
    if (!copied_to_[worker]) continue;
    copied_to_[worker] = false;
    all_[worker]->packets_came();
  }
}

// What says how things are now and is said again when they change may be lost when control does not keep up; who is
// there and who is not may not.
void MediaWorker::tell(peer::PeerEvent&& event) {
  const bool may_be_lost = std::holds_alternative<peer::Talking>(event) ||
                           std::holds_alternative<peer::LayersChanged>(event) ||
                           std::holds_alternative<peer::SlowLinkSeen>(event);
  const bool told = may_be_lost ? events_.post_below(max_events, std::move(event)) : events_.post(std::move(event));
  stats_.lost_events += !told;
}

void MediaWorker::tell_stats() {
  const Duration since = now_ - stats_at_ + stats_interval;
  stats_at_ = now_ + stats_interval;
  stats_.peers = static_cast<uint32_t>(peers_.size());
  const EgressCounters& sent = egress_.counters();
  stats_.packets_out = sent.packets;
  stats_.bytes_out = sent.bytes;
  stats_.runs_out = sent.runs;
  stats_.frames_out = egress_.frames();
  stats_.tick_occupancy = static_cast<double>(std::exchange(busy_, {}).count()) / static_cast<double>(since.count());
  stats_.gso = std::any_of(sockets_.begin(), sockets_.end(), [](const UdpSocket& socket) { return socket.gso(); });
  stats_.handshakes_waiting = static_cast<uint32_t>(std::exchange(handshakes_most_, 0));
  stats_.drops = output_.drops;
  for (const UdpSocket& socket : sockets_) {
    stats_.drops.count(Drop::unreachable, socket.unreachable());
    stats_.drops.count(Drop::queue_full, socket.queue_full());
  }
  stats_.drops.count(Drop::unreachable, egress_.unreachable());
  stats_.lost_events += !events_.post_below(max_events, stats_);
  router_.expire(now_);
  give_memory_back();
}

// A handshake takes 70 kB, and all but a little of it only for as long as it lasts. The allocator keeps what a rush of
// them has freed; a second after the rush it goes back to the system. That takes milliseconds, so a thread of its own
// does it, and media is held up only where it would allocate.
void MediaWorker::give_memory_back() {
  const bool quiet = std::exchange(handshakes_taken_before_, handshakes_taken_) == handshakes_taken_;
  if (!quiet || handshakes_taken_ < worth_a_trim) return;
  if (trimmer_.joinable()) trimmer_.join();  // of another rush: it has ended long ago
  trimmer_ = std::thread([] { malloc_trim(0); });
  handshakes_taken_ = handshakes_taken_before_ = 0;
}

}  // namespace cardea::worker
