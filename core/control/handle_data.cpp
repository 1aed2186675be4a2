// The data channels of a handle: a plugin's messages to the data thread, and its events to the plugin.
#include <algorithm>

#include "control/handle.hpp"

namespace cardea::control {
namespace {

constexpr size_t max_to_open = 64;  // channels asked for before there is an association

}  // namespace

// What the data thread has not sent yet is counted here, so that a plugin is told at once that there is no room.
bool ClientHandle::send_data(const DataMessage& message) {
  if (!data_.up || data_.waiting >= data::send_limit) {
    data_.refused = true;
    return false;
  }
  data_.waiting += data::weight(message);
  house_.peers.tell_data(worker::SendMessage{peer_, message});
  return true;
}

void ClientHandle::open_data(const DataChannel& channel) {
  if (data_.up)
    house_.peers.tell_data(worker::OpenChannel{peer_, channel});
  else if (data_.to_open.size() < max_to_open)
    data_.to_open.push_back(channel);
}

void ClientHandle::close_data(std::string_view label) {
  std::erase_if(data_.to_open, [&](const DataChannel& channel) { return channel.label == label; });
  if (data_.up) house_.peers.tell_data(worker::CloseChannel{peer_, std::string(label)});
}

void ClientHandle::on_data(const data::DataEvent& event) {
  std::visit([this](const auto& one) { on(one); }, event);
}

void ClientHandle::on(const data::DataUp&) {
  data_.up = true;
  data_.refused = false;
  for (const DataChannel& channel : std::exchange(data_.to_open, {})) open_data(channel);
  guarded(names_.plugin, [this] { attachment_->on_data_ready(); });
}

void ClientHandle::on(const data::DataDown&) { data_.up = false; }

void ClientHandle::on(const data::ChannelOpened& event) {
  guarded(names_.plugin, [&] { attachment_->on_data_open(event.channel); });
}

void ClientHandle::on(const data::ChannelClosed& event) {
  guarded(names_.plugin, [&] { attachment_->on_data_closed(event.label); });
}

void ClientHandle::on(const data::MessageReceived& event) {
  guarded(names_.plugin, [&] { attachment_->on_data(event.message); });
}

void ClientHandle::on(const data::MessagesLeft& event) {
  data_.waiting -= std::min(event.weight, data_.waiting);
  if (!data_.refused || !data_.up || data_.waiting > data::send_limit / 2) return;
  data_.refused = false;
  guarded(names_.plugin, [this] { attachment_->on_data_ready(); });
}

}  // namespace cardea::control
