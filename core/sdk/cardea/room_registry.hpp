// All rooms of a plugin: from its configuration, from the saved file, made by clients. It finds, makes and destroys
// them, asks for the words that guard them, and bounds how many there are and what one session has told to others.
//
//   struct RoomKind {
//     using Room = ...;      constructed by make(); has id(), settings(), change(Settings), close(), listed()
//     using Settings = ...;  a RoomBasics
//     using General = ...;   a RoomGeneral
//     static constexpr const auto& settings_fields = ...;
//     static constexpr const auto& general_fields = ...;
//     static constexpr RoomWords words{...};
//   };
//   class Rooms final : public RoomRegistry<RoomKind> { ... };
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cardea/log.hpp"
#include "cardea/plugin.hpp"
#include "cardea/rate.hpp"
#include "cardea/room_store.hpp"
#include "cardea/rooms.hpp"

namespace cardea {

// The name of one life of a room: a room made anew under an old id has another key.
using RoomKey = NumberId<struct RoomTag>;

template <class Kind>
class RoomRegistry {
public:
  using Room = typename Kind::Room;
  using Settings = typename Kind::Settings;
  using General = typename Kind::General;
  static constexpr const RoomWords& words = Kind::words;

  explicit RoomRegistry(Services& services)
      : services_(services), store_(words.key, services, [this](const Settings& one) { return wrong_setting(one); }) {}
  RoomRegistry(const RoomRegistry&) = delete;
  RoomRegistry& operator=(const RoomRegistry&) = delete;

  Configured configure(JsonView values) {
    if (auto wrong = read_section(values["general"], "general", general_, Kind::general_fields)) return wrong;
    if (auto wrong = wrong_general(general_)) return wrong;
    return store_.configure(values, general_.string_ids);
  }
  static void list_settings(std::vector<SettingInfo>& to) {
    list_section<General>("general", Kind::general_fields, to);
    list_section<Settings>("room-<id>", Kind::settings_fields, to);
  }
  // Makes the configured and saved rooms.
  void start() {
    store_.open(services_.state_folder(), general_.string_ids);
    if (general_.demo_room && store_.empty())
      store_.add(general_.string_ids ? PublicId("1234") : PublicId(1234), demo());
    for (const auto& [id, settings] : store_.at_start()) add(id, settings, nullptr).configured = store_.configured(id);
    log::info(words.key, rooms_.size(), " rooms");
  }
  void stop() { store_.flush(); }

  Services& services() { return services_; }
  const General& general() const { return general_; }

  Room* find(const PublicId& id) const {
    auto found = rooms_.find(id);
    return found == rooms_.end() ? nullptr : found->second.room.get();
  }
  Room* find(RoomKey key) const {
    auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : found->second;
  }
  std::vector<Room*> all() const {
    std::vector<Room*> all;
    for (const auto& [id, entry] : rooms_) all.push_back(entry.room.get());
    return all;
  }
  // visit(Room&) for those whose ids come after this one, in their order, while it returns true.
  template <class Visit>
  void each_after(const std::optional<PublicId>& after, Visit&& visit) const {
    for (auto it = after ? rooms_.upper_bound(*after) : rooms_.begin(); it != rooms_.end(); ++it)
      if (!visit(*it->second.room)) return;
  }

  Result<Room*> open(const PublicId& id) const {
    Room* room = find(id);
    if (room == nullptr) return no_such_room(id);
    return room;
  }
  static Error no_such_room(const PublicId& id) { return {words.no_such_room, "No such room (" + id.text() + ")"}; }
  // One whose secret the client knows, or that has none.
  Result<Room*> own(const PublicId& id, const std::optional<std::string>& secret, Handle* client) {
    auto room = open(id);
    if (!room) return room;
    if (auto checked = check_word("secret", (*room)->settings().secret, secret, client); !checked)
      return checked.error();
    return room;
  }
  // The same, to change what the room is: one of the configuration has to have a secret.
  Result<Room*> own_to_change(const PublicId& id, const std::optional<std::string>& secret, Handle* client) {
    auto room = own(id, secret, client);
    if (room && rooms_.find(id)->second.configured && (*room)->settings().secret.empty())
      return Error{words.unauthorized, "Unauthorized (this room is of the configuration and has no secret)"};
    return room;
  }

  // What a client may make of a room, new (`before` is none) or there.
  Status check(const Settings& wanted, const Settings* before) const {
    size_t size = write(wanted, Kind::settings_fields).text().size();
    for (const std::string& token : wanted.unused_tokens) size += token.size();
    if (size > general_.max_room_size)
      return Error{words.invalid,
                   text("Invalid element (a room should have at most ", general_.max_room_size, " bytes of settings)")};
    return check_settings(wanted, before);
  }

  // The id is chosen if empty. `client`: whose session it counts for; none: the operator's.
  Result<Room*> create(PublicId id, Settings settings, Handle* client) {
    if (id.empty()) id = new_id([this](const PublicId& candidate) { return find(candidate) != nullptr; });
    if (find(id) != nullptr) return Error{words.room_exists, "Room " + id.text() + " already exists"};
    if (auto bounded = check_number(client); !bounded) return bounded.error();
    return add(std::move(id), std::move(settings), client).room.get();
  }
  void destroy(Room& room) {
    const PublicId id = room.id();
    auto found = rooms_.find(id);
    room.close();
    if (auto made = made_.find(found->second.maker); made != made_.end() && --made->second == 0) made_.erase(made);
    by_key_.erase(found->second.key);
    rooms_.erase(found);
  }

  // May this room be kept over restarts, or forgotten, by who knows this key? `id`: none for a new one. Who knows the
  // secret of a room that is kept already may go on.
  Status check_permanent(const Room* room, const std::optional<std::string>& admin_key, Handle* client) {
    if (!store_.usable()) return Error{words.failed, "Permanent rooms cannot be saved here"};
    if (room == nullptr && store_.bytes() > general_.max_saved)
      return Error{words.too_many, text("Too many permanent rooms (at most ", general_.max_saved, " bytes)")};
    if (general_.permanent_without_key) return {};
    if (admin_key && !general_.admin_key.empty()) return check_word("admin_key", general_.admin_key, admin_key, client);
    if (room != nullptr && !room->settings().secret.empty() &&
        (store_.saved(room->id()) || store_.configured(room->id())))
      return {};
    return Error{words.unauthorized, "Unauthorized (permanent rooms need the admin_key)"};
  }
  // False: the file could not be written the last time. It is written a second later, with what else has changed.
  bool save(const Room& room) { return store_.save(room.id(), room.settings()); }
  bool forget(const PublicId& id) { return store_.forget(id); }

  // A secret, pin or key that has to be given, unless none is needed.
  Status check_word(const char* name, const std::string& needed, const std::optional<std::string>& given,
                    Handle* client) {
    if (needed.empty()) return {};
    if (!given) return Error{words.missing, text("Missing mandatory element (", name, ")")};
    return check_guess(name, same_word(*given, needed), client);
  }
  // The same for what was compared already. Who has guessed wrong too often is not told.
  Status check_guess(const char* name, bool right, Handle* client) {
    if (client != nullptr && !client->may_guess()) {
      ++refused_.guesses;
      return Error{words.unauthorized, text("Unauthorized (too many wrong guesses, try the ", name, " later)")};
    }
    if (right) return {};
    if (client != nullptr) client->guess_failed();
    ++refused_.wrong_words;
    return Error{words.unauthorized, text("Unauthorized (wrong ", name, ")")};
  }
  // Does the client know the admin_key? Without one there is nothing to know.
  Result<bool> is_admin(const std::optional<std::string>& admin_key, Handle* client) {
    if (!admin_key || general_.admin_key.empty()) return false;
    if (auto checked = check_word("admin_key", general_.admin_key, admin_key, client); !checked) return checked.error();
    return true;
  }

  // For so many bytes that others are told because of this client.
  Status may_tell(const Handle* client, size_t bytes) {
    if (client == nullptr) return {};
    const Time now = services_.now();
    auto found = told_.find(client->session_id());
    if (found == told_.end()) {
      if (told_.size() >= sweep_at_) {
        std::erase_if(told_, [now](auto& one) { return one.second.full(now); });
        sweep_at_ = std::max<size_t>(64, 2 * told_.size());
      }
      found = told_.emplace(client->session_id(), Rate(general_.told_rate, general_.told_burst)).first;
    }
    if (found->second.take(now, bytes)) return {};
    ++refused_.too_fast;
    return Error{words.too_fast, text("Too much at once (others may be told ", general_.told_rate, " bytes a second)")};
  }

  // A new id for a room or a person, as `string_ids` says, that `taken` does not know.
  template <class Taken>
  PublicId new_id(const Taken& taken) {
    for (;;)
      if (PublicId id = random_id(services_, general_.string_ids); !taken(id)) return id;
  }

  // For the admin API: how many rooms there are, and what was refused.
  Json describe() const {
    return Json::object("rooms", rooms_.size(), "too_many_rooms", refused_.too_many, "too_fast", refused_.too_fast,
                        "wrong_words", refused_.wrong_words, "guesses", refused_.guesses);
  }

protected:
  ~RoomRegistry() = default;  // after clear()

  virtual std::unique_ptr<Room> make(RoomKey key, const PublicId& id, Settings settings) = 0;
  virtual void made(Room& /*room*/) {}
  // The demo room's: what one meets who starts the gateway without any configuration.
  virtual Settings demo() const = 0;
  // What the tables cannot tell about settings: the name of the first wrong one, and why.
  virtual std::optional<SettingError> wrong_setting(const Settings& /*settings*/) const { return std::nullopt; }
  virtual std::optional<SettingError> wrong_general(General& /*general*/) { return std::nullopt; }
  virtual Status check_settings(const Settings& wanted, const Settings* /*before*/) const {
    if (auto wrong = wrong_setting(wanted))
      return Error{words.invalid, text("Invalid element (", wrong->path, "): ", wrong->reason)};
    return {};
  }
  // One by one, while they can still be found: in the destructor of what is built on this.
  void clear() {
    while (!rooms_.empty()) destroy(*rooms_.begin()->second.room);
  }

private:
  struct Entry {
    std::unique_ptr<Room> room;
    RoomKey key;
    SessionId maker{};  // whose session made it, if any
    bool configured = false;
  };

  Status check_number(const Handle* client) {
    const bool full = rooms_.size() >= general_.max_rooms;
    auto made = client == nullptr ? made_.end() : made_.find(client->session_id());
    const bool enough = made != made_.end() && made->second >= general_.max_session_rooms;
    if (!full && !enough) return {};
    ++refused_.too_many;
    return Error{words.too_many,
                 full ? text("Too many rooms (at most ", general_.max_rooms, ")")
                      : text("Too many rooms of this session (at most ", general_.max_session_rooms, ")")};
  }
  Entry& add(PublicId id, Settings settings, const Handle* client) {
    const RoomKey key{++last_key_};
    Entry entry{make(key, id, std::move(settings)), key};
    if (client != nullptr) {
      entry.maker = client->session_id();
      ++made_[entry.maker];
    }
    by_key_.emplace(key, entry.room.get());
    Entry& there = rooms_.emplace(std::move(id), std::move(entry)).first->second;
    made(*there.room);
    return there;
  }

  // given
  Services& services_;
  General general_;
  // owned
  RoomStore<Settings, Kind::settings_fields> store_;
  std::map<PublicId, Entry> rooms_;
  std::unordered_map<RoomKey, Room*> by_key_;
  // state
  std::unordered_map<SessionId, size_t> made_;  // rooms that a session made and that are there
  std::unordered_map<SessionId, Rate> told_;    // of those who told something lately
  size_t sweep_at_ = 64;
  uint64_t last_key_ = 0;
  struct {
    uint64_t too_many = 0, too_fast = 0, wrong_words = 0, guesses = 0;
  } refused_;
};

}  // namespace cardea
