// A room: who is here, and whom to tell. It owns its dummies; the others belong to their clients' handles and come and
// go by themselves.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cardea/plugin.hpp"
#include "cardea/room_registry.hpp"
#include "cardea/timer.hpp"
#include "publisher.hpp"
#include "settings.hpp"

namespace cardea::videoroom {

class Subscription;

class Room {
public:
  // `settings` are right (wrong_setting).
  Room(RoomKey key, PublicId id, RoomSettings settings, Services& services);
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  RoomKey key() const { return key_; }
  const PublicId& id() const { return id_; }
  uint64_t affinity() const { return affinity_; }  // a room's peers share a worker
  const RoomSettings& settings() const { return settings_; }
  void change(RoomSettings settings);
  const std::vector<CodecType>& audio_codecs() const { return audio_codecs_; }
  const std::vector<CodecType>& video_codecs() const { return video_codecs_; }

  // May someone with this token publish (or join at all, where tokens are signed)?
  bool welcomes(const std::optional<std::string>& token, bool as_publisher, const std::string& realm) const;

  // Participants.
  void enter(Publisher& who);                    // the others learn of it if the room says so
  void left(Publisher& who, const char* how);    // "leaving" or "kicked"
  void published(const Publisher& who) const;    // the others learn what there is to see
  void unpublished(const Publisher& who) const;  // the others learn, and lose it
  Publisher* find(const PublicId& user) const;
  bool kicked(const PublicId& user) const;  // lately, and not here again
  Publisher* find(uint32_t private_id) const;
  const std::map<PublicId, Publisher*>& people() const { return people_; }
  size_t active_publishers() const;  // dummies do not count
  void tell_all(const Json& data, const Publisher* but = nullptr) const;

  // Subscriptions.
  void add(Subscription& subscription) { subscriptions_.push_back(&subscription); }
  void remove(const Subscription& subscription);
  void lose(const PublicId& feed, const std::string& mid) const;  // one stream is gone
  void connect(const PublicId& feed) const;                       // its routes may have changed
  void relay(const Publisher& from, const DataMessage& message) const;
  uint64_t watchers(const PublicId& feed, const std::string& mid) const;

  // A dummy's streams; added to the room where the settings ask for it.
  std::vector<Stream> dummy_streams() const;
  void add_dummy(std::unique_ptr<Publisher> dummy);

  // The room goes: everybody is told, and nothing is relayed any more.
  void close();

  // An entry of "list".
  Json listed() const;

private:
  void ask_for_keyframes_regularly();

  // given
  Services& services_;
  const RoomKey key_;
  const PublicId id_;
  const uint64_t affinity_;
  // owned
  std::vector<std::unique_ptr<Publisher>> dummies_;
  // state
  RoomSettings settings_;
  std::vector<CodecType> audio_codecs_, video_codecs_;
  std::map<PublicId, Publisher*> people_;
  std::deque<PublicId> kicked_;
  std::vector<Subscription*> subscriptions_;
  Timer keyframes_;
};

}  // namespace cardea::videoroom
