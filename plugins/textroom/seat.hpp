// One client's place at the text room: its data channel with what waits to go out on it, and the rooms it is in.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cardea/plugin.hpp"
#include "cardea/rate.hpp"
#include "cardea/requests.hpp"
#include "member.hpp"
#include "outgoing.hpp"
#include "requests.hpp"

namespace cardea::textroom {

class Room;
class Rooms;

class Seat final : public Attachment {
public:
  Seat(Handle& client, Rooms& rooms);
  ~Seat() override;

  Reply handle(Message message) override;
  void on_media_down(std::string_view reason) override;
  void on_data(DataMessage message) override;
  void on_data_ready() override;
  void on_data_open(const DataChannel& channel) override;
  void on_data_closed(std::string_view label) override;
  Json describe() const override;

  // An event, after all that were told before. A client that does not read its channel loses its peer connection.
  void tell(Via via, const Outgoing& event);
  // States of others, now or not at all: false if the channel is full. `lossy`: over the unreliable channel if there is
  // one.
  bool show(Via via, const Outgoing& states, bool lossy);
  // May shown states get lost on their way?
  bool loses(Via via) const { return via == Via::channel && has_lossy_channel_; }
  // On the data channel, if it is there, whether or not the client is in any room.
  bool has_channel() const { return has_channel_; }

  // For rooms: the client is in, or out again.
  void entered(const PublicId& room, const std::string& username) { names_[room] = username; }
  void left(const PublicId& room) { names_.erase(room); }
  // For the handlers: the client as a member; null if it is not in the room.
  Member* in(Room& room) const;
  // For so many requests, or what costs as much. 429
  Status take_turn(uint32_t count = 1);

private:
  Result<Event> setup(const Nothing&, const Message&);
  Result<Event> acknowledge(const Nothing&, const Message&);
  Result<Event> restart(const Nothing&, const Message&);
  static const Verbs<Seat> peer_verbs;

  Json run_from_channel(Json body, const Envelope& envelope);
  void update_quietly(Json body);
  void reply(Json data, const std::string& transaction);
  void send(const Payload& text);
  void leave_all(Via via);

  // given
  Handle& client_;
  Rooms& rooms_;
  // state
  std::map<PublicId, std::string> names_;  // room -> who the client is there
  Rate rate_;
  bool set_up_ = false;
  bool has_channel_ = false, has_lossy_channel_ = false;
  bool full_ = false;     // the channel takes no more until on_data_ready()
  bool dropped_ = false;  // did not read: its peer connection is about to close
  std::deque<Payload> waiting_;
  size_t waiting_bytes_ = 0;
  struct {
    uint64_t received = 0, sent = 0, malformed = 0, binary = 0, too_fast = 0, refused_states = 0;
  } counters_;
};

}  // namespace cardea::textroom
