// The module door of the video room.
#include "cardea/module.hpp"
#include "rooms.hpp"
#include "seat.hpp"
#include "verbs.hpp"

namespace cardea::videoroom {
namespace {

class VideoRoom final : public Plugin {
public:
  explicit VideoRoom(Services& services) : rooms_(services) {}

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
    if (request["request"].string() == "refused")
      return Json::object("videoroom", "success", "refused", rooms_.describe());
    Asker asker{rooms_};
    return all_verbs(rooms_.general().string_ids).of_rooms.run(asker, {Json::copy(request), "", {}, {}}).data;
  }

private:
  Rooms rooms_;
};

}  // namespace
}  // namespace cardea::videoroom

CARDEA_PLUGIN(cardea::videoroom::VideoRoom, "cardea.plugin.videoroom", "1.0",
              "Rooms where everyone may watch what others publish");
