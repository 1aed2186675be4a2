#include "worker/data_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/clock.hpp"

namespace cardea::worker {

DataThread::DataThread(data::SctpSettings settings, Mailbox<WorkerEvent>& events)
    : settings_(settings), events_(events) {
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
  mailbox_.post(StopData{});  // wakes it
  thread_.join();
}

void DataThread::post(DataCommand command) {
  if (const auto* records = std::get_if<data::Records>(&command)) {
    const size_t size = records->bytes.size();
    if (waiting_bytes_.fetch_add(size, std::memory_order_relaxed) + size > max_waiting_bytes) {
      waiting_bytes_.fetch_sub(size, std::memory_order_relaxed);
      dropped_packets_.fetch_add(records->sizes.size(), std::memory_order_relaxed);
      return;
    }
  }
  mailbox_.post(std::move(command));
}

void DataThread::run() {
  pthread_setname_np(pthread_self(), "data");
  stack_ = std::make_unique<data::SctpStack>(settings_, [this](uint64_t number, Bytes packet) {
    if (auto owner = owners_.find(number); owner != owners_.end()) output_.send(owner->second, packet);
  });
  while (!stopping_.load(std::memory_order_relaxed)) {
    const Time until = associations_.empty() ? stack_->next_deadline() : std::min(stack_->next_deadline(), stats_at_);
    loop_.wait(Clock::now(), until);
    now_ = Clock::now();
    turn();
  }
  associations_.clear();
  stack_.reset();
}

void DataThread::turn() {
  mailbox_.take(commands_);
  for (DataCommand& command : commands_) std::visit([this](auto& one) { handle(one); }, command);
  commands_.clear();
  if (stack_->next_deadline() <= now_) {
    stack_->tick(now_);
    for (auto& [peer, association] : associations_)
      if (association->next_deadline() <= now_) association->tick(now_, output_);
  }
  // What one has read may let another one send.
  for (stack_->take_stirred(stirred_); !stirred_.empty(); stack_->take_stirred(stirred_))
    for (uint64_t number : stirred_)
      if (auto owner = owners_.find(number); owner != owners_.end())
        associations_.at(owner->second)->stirred(now_, output_);
  flush();
  if (now_ >= stats_at_) tell_stats();
}

void DataThread::flush() {
  for (data::Records& records : output_.packets)
    if (records.peer.worker < workers_.size()) workers_[records.peer.worker]->post(SendRecords{std::move(records)});
  for (data::DataEvent& event : output_.events) events_.post(std::move(event));
  output_.clear();
}

void DataThread::tell_stats() {
  stats_at_ = now_ + stats_interval;
  data::DataStats& stats = output_.stats;
  stats.associations = static_cast<uint32_t>(associations_.size());
  stats.checksum_errors = stack_->checksum_errors();
  stats.drops.count(data::DataDrop::queue_full, dropped_packets_.exchange(0, std::memory_order_relaxed));
  events_.post(stats);
  for (auto& [peer, association] : associations_)
    if (auto news = association->news()) news_.push_back(std::move(*news));
  if (!news_.empty()) events_.post(std::exchange(news_, {}));
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
  owners_[number] = command.peer;
  associations_[command.peer] = std::make_unique<data::Association>(command.peer, number, command.plan, *stack_);
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
  with(records.peer, [&](data::Association& association) {
    records.for_each([&](Bytes packet) { association.receive(packet, now_, output_); });
  });
}

void DataThread::handle(SendMessage& command) {
  if (associations_.contains(command.peer)) return associations_[command.peer]->send(command.message, now_, output_);
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
