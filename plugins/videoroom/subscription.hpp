// A client that watches: one peer connection of ours to it, with m-lines fed by streams of any publishers of a room.
// Its destructor leaves the room.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cardea/layers.hpp"
#include "cardea/offer_turn.hpp"
#include "cardea/plugin.hpp"
#include "cardea/room_registry.hpp"
#include "requests.hpp"
#include "stream.hpp"

namespace cardea::videoroom {

class Publisher;
class Rooms;

// Where an m-line's media comes from.
struct Source {
  PublicId feed;
  std::string mid;
  bool operator==(const Source&) const = default;
};

// One m-line. It is never removed, and reused when its kind and codec fit.
struct Line {
  MediaKind kind = MediaKind::audio;
  size_t mindex = 0;
  std::string mid;  // the index as text
  std::string crossrefid;
  std::optional<Codec> codec;
  Extensions extensions;
  LayerKind has;
  // state
  std::optional<Source> source;     // audio and video; none: inactive
  std::set<PublicId> data_sources;  // data: all publishers share one line
  std::string msid;
  bool ready = false;  // the client has agreed to receive it
  bool send = true;
  Layers layers;
  CurrentLayers current;
  std::optional<PlayoutDelay> delay;
  std::optional<std::pair<ReceiverId, SenderId>> route;  // declared to the core

  bool active() const { return source.has_value() || !data_sources.empty(); }
};

class Subscription {
public:
  Subscription(Rooms& rooms, Room& room, Handle& client, const SubscriberJoin& wanted);
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();

  Room* room() const;  // none after leaving, and when the room is gone
  const PublicId& room_id() const { return room_id_; }
  std::optional<uint32_t> private_id() const { return private_id_; }
  bool kicked() const { return kicked_; }
  const std::vector<Line>& lines() const { return lines_; }

  // Are all of these there to be watched? 428 and 438.
  Status check(const std::vector<StreamChoice>& choices) const;
  // Both tell whether the session description changes by it.
  bool add(const StreamChoice& choice);  // after check()
  bool drop(const StreamDrop& choice);

  // What to answer to a change: "updated" with an offer, "updating" while another is out, or that nothing changed.
  Event changed(bool description_changed);
  // The event's offer; from here on an answer is awaited.
  void offer_in(Event& event, bool ice_restart = false);
  OfferTurn& offers() { return offers_; }
  void on_answer(const Answer& answer);

  void resume();
  void pause();
  // 428: no such mid.
  Status control(const LineControl& wanted);
  void switch_all(MediaKind kind, bool send);
  // Feeds an m-line from elsewhere. Nothing: it does not fit, or is so already; else whether the line was inactive.
  std::optional<bool> switch_to(const StreamSwitch& wanted);

  void on_negotiated();
  void on_media_up();
  void on_media_down();
  void on_layers(SenderId sender, const CurrentLayers& now);

  // The room's news.
  bool watches(const PublicId& feed) const;
  bool watches(const PublicId& feed, const std::string& mid) const;
  void lose(const PublicId& feed, const std::optional<std::string>& mid);
  void connect();  // declares the routes that are possible now
  void relay(const PublicId& from, const DataMessage& message);
  void close();  // the room is gone
  void kick();   // the one whose private id this subscription has was thrown out
  void leave();

  Json streams() const;           // as in "attached"
  void describe(Json& to) const;  // for the admin API

private:
  Line* line_for(const Stream& stream);
  void describe_source(const Line& line, Json& to) const;
  Line* find(std::string_view mid);
  void attach(Line& line, const Publisher& publisher, const Stream& stream);
  void apply(const Wishes& wanted, Line& line);
  void clear(Line& line);
  void connect(Line& line);
  void push_offer();  // the wanted one, when it is its turn
  void notify(const Line& line, const char* layer, int value);
  const Publisher* publisher(const PublicId& feed) const;
  std::optional<bool> e2ee() const;  // of what is watched; none: nothing is
  OfferPlan plan() const;

  // given
  Rooms& rooms_;
  Handle& client_;
  const RoomKey room_;
  const PublicId room_id_;
  const std::optional<uint32_t> private_id_;
  const bool use_msid_;
  const bool autoupdate_;
  // state
  std::vector<Line> lines_;
  bool present_ = true;
  bool kicked_ = false;
  bool paused_ = false;
  uint64_t lost_messages_ = 0;  // of data, that the client could not take
  bool answered_ = false;
  OfferTurn offers_;
};

}  // namespace cardea::videoroom
