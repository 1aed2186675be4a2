// Tables of verbs, timers, codec choice: what plugins are made of.
#include <cppunit/extensions/HelperMacros.h>

#include "../plugins/fakes.hpp"
#include "cardea/codecs.hpp"
#include "cardea/requests.hpp"
#include "cardea/timer.hpp"

using namespace cardea;

namespace {

struct Add {
  int a = 0, b = 0;
};
constexpr auto add_fields = std::tuple{required("a", &Add::a), required("b", &Add::b)};

struct Counter {
  int sum = 0;
  bool locked = false;
  Status admit(const std::string& verb, unsigned roles) const {
    if (locked && (roles & 2) == 0) return Error{9, "Not for you: " + verb};
    return {};
  }
  Result<Event> add(const Add& wanted, const Message&) {
    sum += wanted.a + wanted.b;
    return Event{Json::object("sum", sum)};
  }
  Result<Event> hush(const Add&, const Message&) { return Event{}; }
};
Result<Json> peek(Counter& counter, const Add&, const Message&) {
  if (counter.sum < 0) return Error{7, "Negative"};
  return Json::object("sum", counter.sum);
}
constexpr auto nothing = std::tuple{};

Message message(const char* body) { return {*Json::parse(body), "t", {}, {}}; }

}  // namespace

class RequestsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RequestsTest);
  CPPUNIT_TEST(answers_come_at_once_and_events_later);
  CPPUNIT_TEST(errors_carry_the_plugins_codes);
  CPPUNIT_TEST(who_may_ask_is_decided_before_the_fields);
  CPPUNIT_TEST(a_table_knows_its_verbs);
  CPPUNIT_TEST(a_timer_ends_with_its_owner);
  CPPUNIT_TEST(a_timer_may_start_itself_anew);
  CPPUNIT_TEST(codecs_are_chosen_by_type_and_profile);
  CPPUNIT_TEST_SUITE_END();

  const Verbs<Counter> verbs = Verbs<Counter>({.unknown = 1, .missing = 2, .invalid = 3}, "counter")
                                   .answer("peek", nothing, peek)
                                   .event("add", add_fields, &Counter::add, 1)
                                   .event("hush", nothing, &Counter::hush, 2);

  void answers_come_at_once_and_events_later() {
    Counter counter;
    Reply added = verbs.run(counter, message(R"({"request":"ADD","a":1,"b":2})"));
    CPPUNIT_ASSERT(added.asynchronous && added.event);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"sum":3})"), added.event->data.text());
    Reply peeked = verbs.run(counter, message(R"({"request":"peek"})"));
    CPPUNIT_ASSERT(!peeked.asynchronous && !peeked.event);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"sum":3})"), peeked.data.text());
    Reply hushed = verbs.run(counter, message(R"({"request":"hush"})"));
    CPPUNIT_ASSERT(hushed.asynchronous && !hushed.event);
  }
  void errors_carry_the_plugins_codes() {
    Counter counter;
    for (auto [body, code, asynchronous] :
         {std::tuple(R"({"request":"fly"})", 1, false), std::tuple(R"({})", 2, false),
          std::tuple(R"({"request":1})", 3, false), std::tuple(R"({"request":"add","a":1})", 2, true),
          std::tuple(R"({"request":"add","a":1,"b":"x"})", 3, true)}) {
      Reply reply = verbs.run(counter, message(body));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, asynchronous, reply.asynchronous);
      const Json& data = asynchronous ? reply.event->data : reply.data;
      CPPUNIT_ASSERT_EQUAL(std::string("event"), std::string(data["counter"].string()));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{code}, data["error_code"].integer());
    }
    counter.sum = -1;
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"counter":"event","error_code":7,"error":"Negative"})"),
                         verbs.run(counter, message(R"({"request":"peek"})")).data.text());
  }
  void who_may_ask_is_decided_before_the_fields() {
    Counter counter;
    counter.locked = true;
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"counter":"event","error_code":9,"error":"Not for you: add"})"),
                         verbs.run(counter, message(R"({"request":"add"})")).event->data.text());
    CPPUNIT_ASSERT(!verbs.run(counter, message(R"({"request":"hush"})")).event);
    CPPUNIT_ASSERT(verbs.run(counter, message(R"({"request":"peek"})")).data["sum"]);
  }
  void a_table_knows_its_verbs() {
    CPPUNIT_ASSERT(verbs.knows(*Json::parse(R"({"request":"Peek"})")));
    for (const char* body : {R"({"request":"fly"})", R"({"request":1})", R"({})", R"([])"})
      CPPUNIT_ASSERT(!verbs.knows(*Json::parse(body)));
  }
  void a_timer_ends_with_its_owner() {
    test::FakeServices services;
    int calls = 0;
    {
      Timer timer(services);
      timer.start(1s, [&] { calls += 100; });
      timer.start(2s, [&] { ++calls; });
      services.advance(3s);
      CPPUNIT_ASSERT(!timer.running());
      timer.start(1s, [&] { calls += 100; });
    }
    services.advance(5s);
    CPPUNIT_ASSERT_EQUAL(1, calls);
  }
  void a_timer_may_start_itself_anew() {
    test::FakeServices services;
    int calls = 0;
    Timer timer(services);
    std::function<void()> again = [&] {
      ++calls;
      timer.start(1s, again);
    };
    timer.start(1s, again);
    services.advance(5s);
    CPPUNIT_ASSERT_EQUAL(5, calls);
  }
  void codecs_are_chosen_by_type_and_profile() {
    Section section;
    section.codecs = {{CodecType::vp8},
                      {CodecType::h264, "level-asymmetry-allowed=1;profile-level-id=42001f"},
                      {CodecType::h264, "profile-level-id=42E01F ; packetization-mode=1"},
                      {CodecType::vp9},
                      {CodecType::vp9, "profile-id=2"}};
    CPPUNIT_ASSERT(!choose_codec(section, CodecType::av1));
    CPPUNIT_ASSERT_EQUAL(section.codecs[1].fmtp, choose_codec(section, CodecType::h264)->fmtp);
    CPPUNIT_ASSERT_EQUAL(section.codecs[2].fmtp, choose_codec(section, CodecType::h264, "42e01f")->fmtp);
    CPPUNIT_ASSERT_EQUAL(section.codecs[1].fmtp, choose_codec(section, CodecType::h264, "640c1f")->fmtp);
    CPPUNIT_ASSERT_EQUAL(section.codecs[4].fmtp, choose_codec(section, CodecType::vp9, "2")->fmtp);
    CPPUNIT_ASSERT_EQUAL(std::string(), choose_codec(section, CodecType::vp9, "0")->fmtp);
    CPPUNIT_ASSERT(fmtp_value("a=1;b=2; c=3", "c") == "3");
    CPPUNIT_ASSERT(!fmtp_value("ab=1;b", "b"));
    CPPUNIT_ASSERT(!fmtp_value("", "b"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RequestsTest);
