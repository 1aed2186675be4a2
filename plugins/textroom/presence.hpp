// Who shows what in a room, and where they stand on its map (docs/textroom.md): changed states go out once a tick to
// those who watch, the last value of each wins. Costs nothing where nobody uses it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cardea/plugin.hpp"
#include "cardea/timer.hpp"
#include "member.hpp"
#include "outgoing.hpp"
#include "settings.hpp"

namespace cardea::textroom {

class Presence {
public:
  Presence(const PublicId& room, Members& members, const std::vector<Zone>& zones, Services& services,
           const General& general);

  // 414: not a state that a member may show.
  static Status check(JsonView state);

  // All states there are, and from now on those that change.
  void watch(Member& member);
  // Members of `state` replace those of before, null takes one away. An update with a `seq` not above the last one came
  // late and is left out. 414, 429: too often.
  Status update(Member& member, JsonView state, const std::optional<int64_t>& seq);
  // The member goes: out of its zones, and nothing of it is told any more.
  void forget(Member& member);
  // The room has other zones now.
  void zones_changed();
  // The zones, each with who is there.
  Json zones() const;

private:
  // Batches of one tick's states, each of at most so many bytes, made when first wanted.
  struct Batches {
    std::vector<const Member*> whose;
    std::optional<std::vector<Outgoing>> small{}, large{};
    bool empty() const { return whose.empty(); }
  };

  void tick();
  void settle_and_collect(Batches& changed, Batches& settled);
  void tell_watchers(Batches& changed, Batches& settled);
  bool send(Member& to, Batches& batches, bool lossy);
  std::vector<Outgoing> pack(const Batches& batches, size_t max_bytes) const;
  void walk(Member& member);
  void step(Member& member, const std::string& zone, bool in);
  void add_crowd(Json& to, const std::string& zone) const;
  void tell(Json event) const;
  void wake();

  // given
  const PublicId& room_;
  Members& members_;
  const std::vector<Zone>& zones_;
  Services& services_;
  const General& general_;
  // state
  std::map<std::string, std::set<std::string>> crowds_;  // zone -> who is there
  uint64_t tick_ = 0;
  Timer timer_;
};

}  // namespace cardea::textroom
