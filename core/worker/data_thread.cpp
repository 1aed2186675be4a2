#include "worker/data_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/clock.hpp"
#include "cardea/log.hpp"

namespace cardea::worker {

DataThread::DataThread(data::SctpSettings settings, Mailbox<WorkerEvent>& events)
    : settings_(settings), events_(events), output_(settings.max_packet) {
  loop_.add(mailbox_.fd());
}

DataThread::~DataThread() { stop(); }

void DataThread::start(std::vector<Worker*> workers) {
  workers_ = std::move(workers);
  thread_ = std::thread([this] { run(); });
}

void DataThread::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  mailbox_.alarm();
  thread_.join();
}

void DataThread::post(DataCommand command) {
  if (const auto* records = std::get_if<data::Records>(&command)) {
    const size_t size = records->bytes.size();
    if (waiting_bytes_.fetch_add(size, std::memory_order_relaxed) + size > max_waiting_bytes) {
      waiting_bytes_.fetch_sub(size, std::memory_order_relaxed);
      dropped_packets_.fetch_add(records->entries.size(), std::memory_order_relaxed);
      return;
    }
  }
  (void)mailbox_.post(std::move(command));  // unbounded, but for records by their bytes
}

void DataThread::run() {
  pthread_setname_np(pthread_self(), "data");
  stack_ = std::make_unique<data::SctpStack>(settings_, [this](uint64_t number, Bytes packet) {
    if (auto owner = owners_.find(number); owner != owners_.end()) output_.packets.add(owner->second.peer, packet);
  });
  while (!stopping_.load(std::memory_order_relaxed)) {
    const Time until = associations_.empty() ? stack_->next_deadline() : std::min(stack_->next_deadline(), stats_at_);
    loop_.wait(Clock::now(), until);
    now_ = Clock::now();
    guarded({}, [this] { turn(); });
  }
  associations_.clear();
  stack_.reset();
}

// Nothing of ours throws after start-up, but the system's allocator does.
template <class Step>
void DataThread::guarded(PeerId peer, Step step) {
  try {
    step();
  } catch (const std::exception& error) {
    ++output_.stats.failures;
    log::error("data", "the data thread: ", error.what(), peer == PeerId{} ? "" : ", a peer's channels are given up");
    if (auto found = associations_.find(peer); found != associations_.end()) {
      owners_.erase(found->second->number());
      associations_.erase(found);
    }
  }
}

void DataThread::turn() {
  mailbox_.take(commands_);
  for (DataCommand& command : commands_) guarded({}, [&] { std::visit([this](auto& one) { handle(one); }, command); });
  commands_.clear();
  if (stack_->next_deadline() <= now_) tick();
  // What one has read may let another one send.
  for (stack_->take_stirred(stirred_); !stirred_.empty(); stack_->take_stirred(stirred_))
    for (uint64_t number : stirred_)
      if (auto owner = owners_.find(number); owner != owners_.end()) owner->second.association->stirred(now_, output_);
  flush();
  if (now_ >= stats_at_) tell_stats();
}

void DataThread::tick() {
  stack_->tick(now_);
  for (auto& [peer, association] : associations_)
    if (association->next_deadline() <= now_) association->tick(now_, output_);
  const uint64_t sent = output_.stats.messages_out;
  busy_ = sent - std::exchange(sent_before_, sent) > busy_above && stack_->next_deadline() <= now_ + longest_hold;
}

void DataThread::flush() {
  flush_packets();
  for (data::DataEvent& event : output_.events) told_.emplace_back(std::move(event));
  output_.events.clear();
  (void)events_.post_all(told_);  // unbounded
}

void DataThread::flush_packets() {
  if (output_.packets.empty()) return;
  data::Records packets = output_.packets.take();
  output_.stats.packets_out += packets.entries.size();
  if (workers_.size() == 1) return workers_.front()->post(SendRecords{std::move(packets)});
  std::vector<data::Records> of_worker(workers_.size());
  packets.for_each([&](PeerId peer, Bytes packet) {
    if (peer.worker < of_worker.size()) of_worker[peer.worker].add(peer, packet);
  });
  for (size_t i = 0; i < workers_.size(); ++i)
    if (!of_worker[i].empty()) workers_[i]->post(SendRecords{std::move(of_worker[i])});
}

void DataThread::tell_stats() {
  stats_at_ = now_ + stats_interval;
  data::DataStats& stats = output_.stats;
  stats.associations = static_cast<uint32_t>(associations_.size());
  stats.drops.count(data::DataDrop::queue_full, dropped_packets_.exchange(0, std::memory_order_relaxed));
  (void)events_.post(stats);  // unbounded
  for (auto& [peer, association] : associations_)
    if (auto news = association->news()) news_.push_back(std::move(*news));
  if (!news_.empty()) (void)events_.post(std::exchange(news_, {}));
}

template <class Function>
void DataThread::with(PeerId peer, Function&& function) {
  auto found = associations_.find(peer);
  if (found == associations_.end()) return output_.stats.drops.count(data::DataDrop::stale_peer);
  function(*found->second);
}

void DataThread::handle(StartData& command) {
  StopData before{command.peer};
  handle(before);
  const uint64_t number = ++next_number_;
  Owner& owner = owners_[number];
  owner.peer = command.peer;
  auto made = std::make_unique<data::Association>(command.peer, number, command.plan, *stack_);
  owner.association = made.get();
  associations_[command.peer] = std::move(made);
}

void DataThread::handle(StopData& command) {
  auto found = associations_.find(command.peer);
  if (found == associations_.end()) return;
  found->second->end(output_);
  if (auto news = found->second->news()) news_.push_back(std::move(*news));
  owners_.erase(found->second->number());
  associations_.erase(found);
}

void DataThread::handle(data::Records& records) {
  waiting_bytes_.fetch_sub(records.bytes.size(), std::memory_order_relaxed);
  records.for_each([&](PeerId peer, Bytes packet) {
    guarded(peer,
            [&] { with(peer, [&](data::Association& association) { association.receive(packet, now_, output_); }); });
  });
}

void DataThread::handle(SendMessage& command) {
  if (auto found = associations_.find(command.peer); found != associations_.end())
    return guarded(command.peer, [&] { found->second->send(command.message, now_, output_, busy_); });
  output_.stats.drops.count(data::DataDrop::stale_peer);
  output_.events.emplace_back(data::MessagesLeft{command.peer, data::weight(command.message)});
}

void DataThread::handle(OpenChannel& command) {
  with(command.peer, [&](data::Association& association) { association.open(command.channel, now_, output_); });
}

void DataThread::handle(CloseChannel& command) {
  with(command.peer, [&](data::Association& association) { association.close(command.label, now_, output_); });
}

void DataThread::handle(EventsTaken& command) {
  auto found = associations_.find(command.peer);
  if (found != associations_.end()) found->second->taken(command.weight, now_, output_);
}

}  // namespace cardea::worker
