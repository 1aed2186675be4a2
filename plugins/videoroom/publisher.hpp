// A participant of a room: who it is, what it publishes. Its destructor leaves the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/plugin.hpp"
#include "cardea/room_registry.hpp"
#include "cardea/timer.hpp"
#include "requests.hpp"
#include "stream.hpp"

namespace cardea::videoroom {

class Rooms;

struct Person {
  PublicId id;
  uint32_t private_id = 0;  // proves that a subscription is this person's
  std::optional<std::string> display;
  Json metadata;  // an object, or nothing
  TalkDetection talk_detection;
  bool dummy = false;  // no client behind it; sends nothing

  // {"id": ..., "display": ..., "metadata": ...}
  Json json() const;
};

class Publisher {
public:
  // `client` is none for a dummy. Not in the room before enter().
  Publisher(Rooms& rooms, Room& room, Handle* client, Person person);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  void enter();
  Room* room() const;  // none before enter(), after leaving, and when the room is gone
  const PublicId& room_id() const { return room_id_; }
  Person& person() { return person_; }
  const Person& person() const { return person_; }

  // Agrees on streams. They are shown to others once the peer connection is up.
  Result<AnswerPlan> answer(const Offer& offer, const Publish& wanted);
  void on_negotiated();
  void on_media_up();
  void on_media_down();
  bool active() const { return active_; }  // publishing
  bool e2ee() const { return e2ee_; }

  const std::vector<Stream>& streams() const { return streams_; }
  const Stream* stream(std::string_view mid) const;
  std::optional<ReceiverId> receiver(std::string_view mid) const;

  // Changes without a negotiation; 428: no such mid.
  Status control(const StreamControl& wanted);
  void switch_all(MediaKind kind, bool send);
  void describe_streams(const std::vector<Description>& descriptions);
  void set_bitrate(uint32_t bitrate_bps);
  uint32_t bitrate_bps() const { return bitrate_bps_; }
  void detect_talking();
  Status moderate(std::string_view mid, bool mute);
  void on_talking(ReceiverId from, bool talking, double level);
  void ask_for_keyframes();

  // Ceases to publish; the others are told. Does nothing if not active.
  void unpublish();
  void leave();
  // The room throws it out: it is told, and its peer connection closed.
  void kick();
  // The room is gone.
  void expel();

  void tell(const Json& data) const;
  // "publishers" with this one, as others see it; `joining`: to one who joins.
  Json shown(bool joining) const;
  // The members "audio_codec", "video_codec" and "streams" of a publish result.
  void show_result(Json& to) const;

private:
  Status admit(const Offer& offer, const Publish& wanted) const;
  void show_codecs(Json& to) const;
  void announce_changes(const std::vector<Stream>& before);
  void go_live();
  void tell_talking();
  void apply_mute(const Stream& stream);
  Stream* find(std::string_view mid);

  // given
  Rooms& rooms_;
  Handle* client_;
  const RoomKey room_;
  const PublicId room_id_;
  // state
  Person person_;
  std::vector<Stream> streams_;
  bool present_ = false;
  bool active_ = false;
  bool e2ee_ = false;
  uint32_t bitrate_bps_ = 0;
  bool renegotiated_ = false;  // the others learn of it once the core knows the new streams
  Time next_talking_{};        // when the room may be told again who talks
  Timer talking_later_;
};

}  // namespace cardea::videoroom
