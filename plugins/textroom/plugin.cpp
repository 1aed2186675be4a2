// The module door of the text room.
#include "cardea/module.hpp"
#include "poster.hpp"
#include "rooms.hpp"
#include "seat.hpp"
#include "verbs.hpp"

namespace cardea::textroom {
namespace {

class TextRoom final : public Plugin {
public:
  explicit TextRoom(Services& services) : rooms_(services, poster_) {}

  Configured configure(JsonView values) override { return rooms_.configure(values); }
  void list_settings(std::vector<SettingInfo>& to) const override { Rooms::list_settings(to); }
  Status start() override {
    rooms_.start();
    return {};
  }
  void stop() override { rooms_.stop(); }
  Result<std::unique_ptr<Attachment>> attach(Handle& client) override {
    return std::unique_ptr<Attachment>(std::make_unique<Seat>(client, rooms_));
  }
  std::optional<Json> admin(JsonView request) override {
    const JsonView verb = request["request"];
    if (verb.string() == "backend") return Json::object("textroom", "success", "backend", poster_.describe());
    if (verb.string() == "refused") return Json::object("textroom", "success", "refused", rooms_.describe());
    return run(verb.string(), {rooms_}, {Json::copy(request), "", {}, {}});
  }

private:
  // owned
  Poster poster_;
  Rooms rooms_;
};

}  // namespace
}  // namespace cardea::textroom

CARDEA_PLUGIN(cardea::textroom::TextRoom, "cardea.plugin.textroom", "1.0",
              "Rooms where people write to each other, over data channels or the API");
