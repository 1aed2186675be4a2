#include "worker/processor_thread.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>
#include <variant>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "cardea/log.hpp"
#include "rtp/parse.hpp"

namespace cardea::worker {
namespace {

// Where all processors are wanted at once, media workers come first.
constexpr int niceness = 5;

// RFC 3551 and the numbers that browsers use; senders write their peer's own.
uint8_t usual_payload_type(CodecType codec) {
  switch (codec) {
  case CodecType::pcmu: return 0;
  case CodecType::pcma: return 8;
  case CodecType::g722: return 9;
  case CodecType::opus: return 111;
  default: return 96;
  }
}

uint32_t clock_of(CodecType codec) {
  if (kind_of(codec) == MediaKind::video) return 90'000;
  return codec == CodecType::opus || codec == CodecType::multiopus ? 48'000 : 8'000;
}

PacketView view_of(const rtp::Packet& packet) {
  return {.codec = packet.codec,
          .red = packet.red,
          .substream = packet.substream,
          .payload_type = packet.payload_type,
          .marker = packet.marker,
          .restarted = false,
          .seq = packet.seq,
          .timestamp = packet.timestamp,
          .clock_hz = packet.clock_hz,
          .ssrc = packet.ssrc,
          .arrival = packet.arrival,
          .audio_level = packet.extensions.audio_level,
          .keyframe = packet.video.keyframe,
          .payload = packet.payload(),
          .rtp = Bytes(packet.bytes).first(packet.size)};
}

}  // namespace

// Machine

template <class Call>
void ProcessorThread::Machine::guarded(Call&& call) {
  if (failed) return;
  try {
    call();
    deadline_ = made_->next_deadline();
  } catch (const std::exception& error) {
    failed = true;
    log::error("processor", "a processor threw, and is ended: ", error.what());
  } catch (...) {
    failed = true;
    log::error("processor", "a processor threw, and is ended");
  }
}

void ProcessorThread::Machine::send(const MediaPacket& packet) {
  if (packet.output >= outputs.size()) return;
  Output& output = outputs[packet.output];
  if (output.to.empty()) return;
  if (packet.payload.size() > max_media_payload || packet.payload.empty())
    return thread_.stats_.drops.count(Drop::too_large);
  rtp::Packet& out = thread_.outgoing_;
  out.arrival = thread_.now_;
  out.mline = packet.output;
  out.stream = 1;  // the only one an output ever has
  out.seq = output.seq++;
  out.timestamp = packet.timestamp;
  out.ssrc = output.ssrc;
  out.payload_type = usual_payload_type(packet.codec);
  out.marker = packet.marker;
  out.extensions.audio_level = packet.audio_level;
  out.codec = packet.codec;
  out.red = packet.red;
  out.clock_hz = clock_of(packet.codec);
  out.payload_at = rtp::fixed_header_size;
  out.size = static_cast<uint16_t>(out.payload_at + packet.payload.size());
  uint8_t* header = out.bytes.data();
  header[0] = 0x80;  // RFC 3550 section 5.1: version 2
  header[1] = static_cast<uint8_t>((packet.marker ? 0x80 : 0) | out.payload_type);
  store_u16(header + 2, static_cast<uint16_t>(out.seq));
  store_u32(header + 4, out.timestamp);
  store_u32(header + 8, out.ssrc);
  std::memcpy(header + out.payload_at, packet.payload.data(), packet.payload.size());
  ++thread_.stats_.packets_out;
  thread_.stats_.bytes_out += out.size;
  for (uint16_t worker : output.to) {
    PacketRing* ring = worker < thread_.all_.size() ? thread_.all_[worker]->ring_from(thread_.index_) : nullptr;
    if (ring != nullptr && ring->push(out, {id_, packet.output}, std::nullopt))
      thread_.sent_to_[worker] = true;
    else
      thread_.stats_.drops.count(Drop::ring_full);
  }
}

void ProcessorThread::Machine::request_keyframe(uint16_t number) {
  auto input = inputs.find(number);
  if (input == inputs.end() || input->second.from.peer.worker >= thread_.all_.size()) return;
  Input& asks = input->second;
  if (asks.asked != Time{} && thread_.now_ < asks.asked + keyframe_gap) return;
  asks.asked = thread_.now_;
  thread_.all_[asks.from.peer.worker]->post(RequestKeyframe{asks.from, -1});
}

void ProcessorThread::Machine::post(std::function<void()> call) {
  if (!thread_.events_.post_below(max_events, ProcessorCall{id_, std::move(call)}))
    thread_.stats_.drops.count(Drop::queue_full);
}

// The thread

ProcessorThread::ProcessorThread(uint16_t index, Mailbox<WorkerEvent>& events) : index_(index), events_(events) {
  stats_.worker = index_;
  loop_.add(mailbox_.fd());
}

ProcessorThread::~ProcessorThread() { stop(); }

void ProcessorThread::start(const std::vector<Worker*>& all) {
  all_ = all;
  rings_.resize(all_.size());
  sent_to_.resize(all_.size());
  for (auto& ring : rings_) ring = std::make_unique<PacketRing>();
  thread_ = std::thread([this] { run(); });
}

void ProcessorThread::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  mailbox_.alarm();
  thread_.join();
}

void ProcessorThread::run() {
  pthread_setname_np(pthread_self(), ("processor-" + std::to_string(index_)).c_str());
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), niceness);
  now_ = Clock::now();
  stats_at_ = now_ + stats_interval;
  while (!stopping_.load(std::memory_order_relaxed)) {
    loop_.wait(Clock::now(), wake_at());
    now_ = Clock::now();
    const Time woke = now_;
    turn();
    busy_ += Clock::now() - woke;
  }
  machines_.clear();
}

Time ProcessorThread::wake_at() const {
  if (machines_.empty()) return never;
  Time at = stats_at_;
  if (!sinks_.empty()) at = std::min(at, now_ + longest_wait);
  for (const auto& [id, machine] : machines_) at = std::min(at, machine->next_deadline());
  return at;
}

void ProcessorThread::turn() {
  ++stats_.ticks;
  run_commands();
  take_packets();
  tick();
  forget_failed();
  for (size_t worker = 0; worker < sent_to_.size(); ++worker)
    if (sent_to_[worker]) all_[worker]->packets_came();
  sent_to_.assign(sent_to_.size(), false);
  if (now_ >= stats_at_) tell_stats();
}

void ProcessorThread::run_commands() {
  mailbox_.take(commands_);
  for (Command& command : commands_) std::visit([&](auto& one) { handle(one); }, command);
  commands_.clear();
}

void ProcessorThread::take_packets() {
  for (const auto& ring : rings_) {
    for (size_t taken = 0; taken < max_packets; ++taken) {
      const MirroredPacket* packet = ring->front();
      if (packet == nullptr) break;
      deliver(*packet);
      ring->pop();
    }
  }
}

void ProcessorThread::deliver(const MirroredPacket& packet) {
  ++stats_.packets_in;
  stats_.bytes_in += packet.packet.size;
  auto all = sinks_.find(packet.from);
  if (all == sinks_.end()) return stats_.drops.count(Drop::no_route);
  PacketView view = view_of(packet.packet);
  for (Sink& sink : all->second) {
    uint32_t& stream = sink.streams[view.substream % sink.streams.size()];
    view.restarted = std::exchange(stream, packet.packet.stream) != packet.packet.stream;
    sink.machine->guarded([&] { sink.machine->made().on_packet(sink.input, view, now_, *sink.machine); });
  }
}

void ProcessorThread::tick() {
  for (auto& [id, machine] : machines_)
    if (machine->next_deadline() <= now_) machine->guarded([&] { machine->made().on_tick(now_, *machine); });
}

void ProcessorThread::forget_failed() {
  for (auto at = machines_.begin(); at != machines_.end();) {
    const PeerId id = at->first;
    const bool failed = at->second->failed;
    ++at;
    if (failed) remove(id);
  }
}

void ProcessorThread::tell_stats() {
  const Duration since = now_ - stats_at_ + stats_interval;
  stats_at_ = now_ + stats_interval;
  stats_.peers = static_cast<uint32_t>(machines_.size());
  stats_.tick_occupancy = static_cast<double>(std::exchange(busy_, {}).count()) / static_cast<double>(since.count());
  stats_.lost_events += !events_.post_below(max_events, stats_);
}

// Commands

template <class Other>
void ProcessorThread::handle(Other& /*command*/) {
  ++stats_.stale_commands;
}

void ProcessorThread::handle(StartProcessor& command) {
  if (!command.machine) return;
  auto machine = std::make_unique<Machine>(*this, command.processor, std::move(command.machine));
  machine->guarded([] {});  // asks for its deadline
  machines_[command.processor] = std::move(machine);
}

void ProcessorThread::handle(CallProcessor& command) {
  if (Machine* machine = find(command.processor))
    machine->guarded([&] { command.call(machine->made(), now_, *machine); });
}

void ProcessorThread::handle(ClosePeer& command) {
  if (find(command.peer) != nullptr) remove(command.peer);
}

void ProcessorThread::handle(Forward& command) {
  Machine* machine = find(command.to.peer);
  if (machine == nullptr) return;
  // Both ends here: the packets go by this thread's own ring, so no machine is called from within another.
  if (command.from.peer.worker == index_) {
    Mirror own{command.from, index_, true};
    handle(own);
  }
  listen(*machine, command.to.mline, command.from);
}

void ProcessorThread::handle(StopForward& command) {
  if (Machine* machine = find(command.to.peer)) ignore(*machine, command.to.mline);
}

void ProcessorThread::handle(Mirror& command) {
  Machine::Output* from = output(command.from);
  if (from == nullptr) return;
  std::erase(from->to, command.to_worker);
  if (command.on) from->to.push_back(command.to_worker);
}

void ProcessorThread::handle(RequestKeyframe& command) {
  if (Machine* machine = find(command.from.peer))
    machine->guarded([&] { machine->made().on_keyframe_request(command.from.mline, now_, *machine); });
}

ProcessorThread::Machine* ProcessorThread::find(PeerId id) {
  auto found = machines_.find(id);
  if (found != machines_.end()) return found->second.get();
  ++stats_.stale_commands;
  return nullptr;
}

ProcessorThread::Machine::Output* ProcessorThread::output(ReceiverId id) {
  Machine* machine = find(id.peer);
  if (machine == nullptr || id.mline >= max_outputs) return nullptr;
  std::vector<Machine::Output>& all = machine->outputs;
  while (all.size() <= id.mline)
    all.push_back({.seq = static_cast<rtp::SeqNo>(random_.below(0x8000)), .ssrc = random_.u32(), .to = {}});
  return &all[id.mline];
}

void ProcessorThread::listen(Machine& machine, uint16_t input, ReceiverId from) {
  auto known = machine.inputs.find(input);
  if (known != machine.inputs.end() && known->second.from == from) return;
  ignore(machine, input);
  machine.inputs[input] = {from};
  sinks_[from].push_back({&machine, input, {}});
}

void ProcessorThread::ignore(Machine& machine, uint16_t input) {
  auto known = machine.inputs.find(input);
  if (known == machine.inputs.end()) return;
  auto all = sinks_.find(known->second.from);
  if (all != sinks_.end()) {
    std::erase_if(all->second, [&](const Sink& sink) { return sink.machine == &machine && sink.input == input; });
    if (all->second.empty()) sinks_.erase(all);
  }
  machine.inputs.erase(known);
}

void ProcessorThread::remove(PeerId id) {
  auto found = machines_.find(id);
  while (!found->second->inputs.empty()) ignore(*found->second, found->second->inputs.begin()->first);
  machines_.erase(found);
}

}  // namespace cardea::worker
