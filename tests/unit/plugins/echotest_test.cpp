// The echo test (echotest.md).
#include <cppunit/extensions/HelperMacros.h>

#include "echo.hpp"
#include "fakes.hpp"

using namespace cardea;
using namespace cardea::test;

class EchoTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EchoTest);
  CPPUNIT_TEST(an_offer_is_answered_with_the_first_codec_of_each_line);
  CPPUNIT_TEST(lines_that_bring_nothing_are_inactive);
  CPPUNIT_TEST(media_comes_back_once_it_is_up);
  CPPUNIT_TEST(new_lines_of_a_renegotiation_come_back_too);
  CPPUNIT_TEST(switching_off_pauses_and_switching_on_asks_for_a_keyframe);
  CPPUNIT_TEST(a_codec_can_be_forced);
  CPPUNIT_TEST(messages_that_say_nothing_are_refused);
  CPPUNIT_TEST(wrong_members_are_refused);
  CPPUNIT_TEST(layers_are_reported);
  CPPUNIT_TEST(asking_for_the_current_layer_is_answered_at_once);
  CPPUNIT_TEST(data_comes_back_with_the_words_clients_look_for);
  CPPUNIT_TEST(the_end_of_media_is_told_and_forgets_everything);
  CPPUNIT_TEST(slow_links_are_told_for_media_from_the_client);
  CPPUNIT_TEST_SUITE_END();

  FakeServices services;
  Client client{services, 1, [this](Handle& handle) { return std::make_unique<echotest::Echo>(handle, services); }};
  const std::string ok = R"({"echotest":"event","result":"ok"})";

public:
  void tearDown() override { client.detach(); }

private:
  void an_offer_is_answered_with_the_first_codec_of_each_line() {
    Offer offer = camera();
    offer.sections[0].direction = Direction::sendrecv;
    CPPUNIT_ASSERT_EQUAL(ok, client.ask(R"({"audio":true,"video":true})", offer).text());
    CPPUNIT_ASSERT(client.asynchronous);
    CPPUNIT_ASSERT(client.answered());
    const auto& sections = client.plan().sections;
    CPPUNIT_ASSERT_EQUAL(size_t{2}, sections.size());
    CPPUNIT_ASSERT(sections[0].codec->type == CodecType::opus && sections[0].direction == Direction::sendrecv);
    CPPUNIT_ASSERT(sections[1].codec->type == CodecType::vp8 && sections[1].direction == Direction::recvonly);
  }
  void lines_that_bring_nothing_are_inactive() {
    Offer offer = camera();
    offer.sections[0].direction = Direction::recvonly;
    offer.sections[1].codecs.clear();
    client.ask("{}", offer);
    for (const auto& section : client.plan().sections) CPPUNIT_ASSERT(section.direction == Direction::inactive);
    client.come_up();
    CPPUNIT_ASSERT(services.routes.empty());
  }
  Offer call() {
    Offer offer = camera();
    for (auto& section : offer.sections) section.direction = Direction::sendrecv;
    return offer;
  }
  void media_comes_back_once_it_is_up() {
    client.ask("{\"bitrate\": 500000}", call());
    CPPUNIT_ASSERT(services.routes.empty());
    client.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, services.routes.size());
    for (auto [to, from] : services.routes) CPPUNIT_ASSERT(to.mline == from.mline && to.peer == from.peer);
    CPPUNIT_ASSERT_EQUAL(500000u, services.caps.begin()->second);
  }
  void new_lines_of_a_renegotiation_come_back_too() {
    client.ask("{}", call());
    client.come_up();
    Offer more = call();
    more.update = true;
    more.sections.push_back(section("2", MediaKind::video, {{CodecType::vp8, ""}}, Direction::sendrecv));
    client.ask("{}", more);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, services.routes.size());
  }
  void switching_off_pauses_and_switching_on_asks_for_a_keyframe() {
    client.ask("{}", call());
    client.come_up();
    client.ask(R"({"video":false})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, services.paused.size());
    CPPUNIT_ASSERT(services.keyframes.empty());
    client.ask(R"({"video":true})");
    CPPUNIT_ASSERT(services.paused.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, services.keyframes.size());
  }
  void a_codec_can_be_forced() {
    client.ask(R"({"videocodec":"h264"})", call());
    CPPUNIT_ASSERT(client.plan().sections[1].codec->type == CodecType::h264);
    client.ask(R"({"videocodec":"av1"})", call());
    CPPUNIT_ASSERT(!client.plan().sections[1].codec);
  }
  void messages_that_say_nothing_are_refused() {
    for (const char* body : {"{}", R"({"hello":1})"}) {
      Json reply = client.ask(body);
      CPPUNIT_ASSERT_EQUAL(int64_t{413}, reply["error_code"].integer());
      CPPUNIT_ASSERT_EQUAL(std::string("event"), std::string(reply["echotest"].string()));
    }
  }
  void wrong_members_are_refused() {
    for (const char* body :
         {R"({"audio":1})", R"({"video":"yes"})", R"({"bitrate":-1})", R"({"bitrate":"1"})", R"({"substream":3})",
          R"({"temporal":-1})", R"({"record":true})", R"({"videocodec":"theora"})", R"({"spatial_layer":3})"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{413}, client.ask(body)["error_code"].integer());
    }
  }
  void layers_are_reported() {
    client.ask("{}", call());
    client.come_up();
    client.attachment->on_layers(*client.handle.sender("1"), {.substream = 2, .temporal = 1, .temporal_layers = 3});
    client.end_turn();
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"echotest":"event","videocodec":"vp8","substream":2,"temporal":1,"tot_temporal_layers":3})") +
            "\n",
        client.told());
  }
  void asking_for_the_current_layer_is_answered_at_once() {
    client.ask("{}", call());
    client.come_up();
    client.attachment->on_layers(*client.handle.sender("1"), {.substream = 1, .temporal = 2});
    client.forget_news();
    client.end_turn();
    client.forget_news();
    CPPUNIT_ASSERT_EQUAL(ok, client.ask(R"({"substream":1})").text());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"echotest":"event","videocodec":"vp8","substream":1})") + "\n", client.told());
    client.ask(R"({"substream":0})");
    CPPUNIT_ASSERT_EQUAL(std::string(), client.told());
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, services.layers.begin()->second.substream);
  }
  void data_comes_back_with_the_words_clients_look_for() {
    client.attachment->on_data({.label = "chat", .protocol = "p", .payload = "hi"});
    client.attachment->on_data({.label = "chat", .binary = true, .payload = "raw"});
    CPPUNIT_ASSERT_EQUAL(std::string("Janus EchoTest here! You wrote: hi"), client.handle.data[0].payload.text());
    CPPUNIT_ASSERT_EQUAL(std::string("chat"), client.handle.data[0].label);
    CPPUNIT_ASSERT_EQUAL(std::string("raw"), client.handle.data[1].payload.text());
  }
  void the_end_of_media_is_told_and_forgets_everything() {
    client.ask(R"({"video":false,"bitrate":1000})", call());
    client.come_up();
    client.drop("Close PC");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"echotest":"event","result":"done"})") + "\n", client.told());
    CPPUNIT_ASSERT(services.routes.empty());
    services.paused.clear();
    client.ask("{}", call());
    client.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, services.routes.size());
    CPPUNIT_ASSERT(services.paused.empty());
  }
  void slow_links_are_told_for_media_from_the_client() {
    client.attachment->on_slow_link({.mid = "1", .kind = MediaKind::video, .uplink = true});
    client.attachment->on_slow_link({.mid = "1", .kind = MediaKind::video, .uplink = false});
    client.end_turn();
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"echotest":"event","event":"slow_link","media":"video","current-bitrate":0})") + "\n",
        client.told());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EchoTest);
