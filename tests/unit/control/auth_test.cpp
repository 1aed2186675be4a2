#include <cppunit/extensions/HelperMacros.h>

#include "control/auth.hpp"

namespace cardea::control {
namespace {

class AuthTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AuthTest);
  CPPUNIT_TEST(secrets_are_compared_whole);
  CPPUNIT_TEST(without_credentials_set_all_are_admitted);
  CPPUNIT_TEST(either_of_secret_and_token_is_enough);
  CPPUNIT_TEST(a_token_is_good_for_its_time_realm_and_descriptors);
  CPPUNIT_TEST_SUITE_END();

  // HMAC-SHA1 with the key "key", checked against the openssl command.
  static constexpr const char* good = "1893456000,janus,janus.plugin.fake:0Ilg1NXcVPsBFiMqRxbuLkFtj9Y=";
  static constexpr Time now{std::chrono::seconds(1'800'000'000)};

  void secrets_are_compared_whole() {
    CPPUNIT_ASSERT(same_secret("abc", "abc"));
    CPPUNIT_ASSERT(same_secret("", ""));
    for (const char* wrong : {"", "ab", "abcd", "abd", "abcabc"}) CPPUNIT_ASSERT(!same_secret(wrong, "abc"));
    CPPUNIT_ASSERT(!same_secret("a", ""));
  }

  void without_credentials_set_all_are_admitted() {
    CPPUNIT_ASSERT(Auth().admits(Json::object(), now));
    CPPUNIT_ASSERT(!Auth().grants(good, "janus", "", now));
  }

  void either_of_secret_and_token_is_enough() {
    Auth auth("sesame", true, "key");
    CPPUNIT_ASSERT(!auth.admits(Json::object(), now));
    CPPUNIT_ASSERT(auth.admits(Json::object("apisecret", "sesame"), now));
    CPPUNIT_ASSERT(auth.admits(Json::object("token", good), now));
    CPPUNIT_ASSERT(auth.admits(Json::object("apisecret", "wrong", "token", good), now));
    CPPUNIT_ASSERT(!auth.admits(Json::object("apisecret", 1, "token", 2), now));
    CPPUNIT_ASSERT(!Auth("sesame", false, "").admits(Json::object("token", good), now));
  }

  void a_token_is_good_for_its_time_realm_and_descriptors() {
    Auth auth("", true, "key");
    CPPUNIT_ASSERT(auth.grants(good, "janus", "", now));
    CPPUNIT_ASSERT(auth.grants(good, "janus", "janus.plugin.fake", now));
    CPPUNIT_ASSERT(!auth.grants(good, "janus", "janus.plugin.other", now));
    CPPUNIT_ASSERT(!auth.grants(good, "janus.plugin.fake", "", now));
    CPPUNIT_ASSERT(auth.grants(good, "janus", "", Time(std::chrono::seconds(1'893'456'000))));
    CPPUNIT_ASSERT(!auth.grants(good, "janus", "", Time(std::chrono::seconds(1'893'456'001))));
    std::string changed = good;
    changed[0] = '2';
    for (const std::string& wrong : {changed, std::string(good) + "x", std::string(good, 20), std::string(":"),
                                     std::string(), std::string("1893456000,janus,janus.plugin.fake:")})
      CPPUNIT_ASSERT_MESSAGE(wrong, !auth.grants(wrong, "janus", "", now));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AuthTest);

}  // namespace
}  // namespace cardea::control
