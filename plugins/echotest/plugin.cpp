// The module door of the echo test. It has no settings.
#include "cardea/module.hpp"
#include "echo.hpp"

namespace cardea::echotest {
namespace {

class EchoTest final : public Plugin {
public:
  explicit EchoTest(Services& services) : services_(services) {}

  Configured configure(JsonView values) override {
    Configured wrong;
    values.each_member([&](std::string_view section, JsonView) {
      if (!wrong) wrong = SettingError{std::string(section), "no such section: the echo test has no settings"};
    });
    return wrong;
  }
  Result<std::unique_ptr<Attachment>> attach(Handle& client) override {
    return std::unique_ptr<Attachment>(std::make_unique<Echo>(client, services_));
  }
  std::optional<Json> admin(JsonView request) override { return Json::copy(request); }

private:
  // given
  Services& services_;
};

}  // namespace
}  // namespace cardea::echotest

CARDEA_PLUGIN(cardea::echotest::EchoTest, "cardea.plugin.echotest", "1.0", "Sends every stream back to its sender");
