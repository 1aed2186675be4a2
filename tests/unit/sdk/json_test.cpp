// JSON values.
#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <new>

#include "cardea/json.hpp"

using namespace cardea;

namespace {

// The next so many allocations of jansson's succeed, then one fails.
int left = 0;
void* make_until_one_fails(size_t size) { return left-- == 0 ? nullptr : std::malloc(size); }

}  // namespace

class JsonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JsonTest);
  CPPUNIT_TEST(objects_keep_the_order_of_their_members);
  CPPUNIT_TEST(empty_optionals_are_left_out);
  CPPUNIT_TEST(looking_at_nothing_is_safe);
  CPPUNIT_TEST(text_is_read_whole_or_not_at_all);
  CPPUNIT_TEST(plain_and_other_text_is_read_alike);
  CPPUNIT_TEST(a_text_may_go_on_behind_its_first_value);
  CPPUNIT_TEST(text_has_the_style_that_is_asked_for);
  CPPUNIT_TEST(numbers_keep_their_value);
  CPPUNIT_TEST(text_that_is_not_utf8_becomes_empty);
  CPPUNIT_TEST(moving_takes_and_copying_is_deep);
  CPPUNIT_TEST(members_can_be_visited_and_erased);
  CPPUNIT_TEST(without_memory_nothing_is_half_made);
  CPPUNIT_TEST_SUITE_END();

  void objects_keep_the_order_of_their_members() {
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"z":1,"a":"x","m":true,"l":[1,"2",null]})"),
                         Json::object("z", 1, "a", "x", "m", true, "l", Json::array(1, "2", Json::null())).text());
  }
  void empty_optionals_are_left_out() {
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"b":5})"),
                         Json::object("a", std::optional<int>(), "b", std::optional<int>(5), "c", Json()).text());
  }
  void looking_at_nothing_is_safe() {
    Json json = Json::object("a", Json::array(1));
    JsonView nothing = json["x"]["y"][size_t{3}];
    CPPUNIT_ASSERT(!nothing && !nothing.is_object() && !nothing.is_string());
    CPPUNIT_ASSERT(nothing.string().empty() && nothing.integer() == 0 && nothing.size() == 0 && nothing.text().empty());
    CPPUNIT_ASSERT(!json["a"][size_t{7}]);
  }
  void text_is_read_whole_or_not_at_all() {
    CPPUNIT_ASSERT(Json::parse(" {\"a\": [1, 2]} "));
    for (const char* wrong : {"", "{", "{}x", "{'a':1}", "[1,]", "nul"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !Json::parse(wrong));
    CPPUNIT_ASSERT_EQUAL(454, Json::parse("{").error().code);
    CPPUNIT_ASSERT(!Json::parse(std::string(5000, '[')));
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, (*Json::parse(R"({"a":1,"a":2})"))["a"].integer());
  }
  void plain_and_other_text_is_read_alike() {
    for (const char* text : {R"({"a":"b","n":[1,-2,true,false,null,{}],"":[]})", R"({"a":"\r\n \"\\"})",
                             R"({"a":"日"})", R"([{"a":{"a":{"a":{}}}}])", R"({"a":0.5})", R"("text")", "12", "true"})
      CPPUNIT_ASSERT_EQUAL(std::string(text), Json::parse(text)->text());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"a":[1,2]})"), Json::parse(" {\n\"a\" : [ 1\t,2\r] } ")->text());
    for (const char* wrong : {R"({"a":01})", R"({"a":+1})", R"({"a":-})", R"({"a":1x})", R"({"a":truely})",
                              R"({"a":1,})", R"({"a" 1})", R"({"a":[1})", R"({1:2})", "{} {}", "{\"a\":\"\x01\"}"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !Json::parse(wrong));
    CPPUNIT_ASSERT_EQUAL(std::string("JSON error: on line 2: end of file expected near 'x'"),
                         Json::parse("{}\nx").error().reason);
  }
  void a_text_may_go_on_behind_its_first_value() {
    json_error_t error{};
    for (const char* first : {R"({"a":1})", R"({"a":"\n"})", "[1]"}) {
      const std::string text = std::string(first) + " {";
      std::string_view rest;
      Json value = Json::adopt(JsonReader::read_first(text, rest, error));
      CPPUNIT_ASSERT_EQUAL(std::string(first), value.text());
      CPPUNIT_ASSERT_EQUAL(size_t{2}, rest.size());
    }
  }
  void text_has_the_style_that_is_asked_for() {
    Json json = Json::object("a", Json::array(1, "\"\\\b\f\n\r\t\x1f/\x7f\u00e9"), "b", Json::object(), "c",
                             Json::array(), "d", Json::object("e", 1e20, "f", Json::null()));
    const std::string text = R"("\"\\\b\f\n\r\t\u001F/)"
                             "\x7f\u00e9\"";
    CPPUNIT_ASSERT_EQUAL("{\"a\":[1," + text + R"(],"b":{},"c":[],"d":{"e":1e20,"f":null}})", json.text());
    CPPUNIT_ASSERT_EQUAL("{\"a\": [1, " + text + R"(], "b": {}, "c": [], "d": {"e": 1e20, "f": null}})",
                         json.text(JsonStyle::plain));
    CPPUNIT_ASSERT_EQUAL("{\n   \"a\": [\n      1,\n      " + text +
                             "\n   ],\n   \"b\": {},\n   \"c\": [],\n   \"d\": {\n      \"e\": 1e20,\n"
                             "      \"f\": null\n   }\n}",
                         json.text(JsonStyle::indented));
  }
  void numbers_keep_their_value() {
    CPPUNIT_ASSERT_EQUAL(std::string("[9007199254740991,-1,0.1,21.5]"),
                         Json::array(int64_t{9007199254740991}, -1, 0.1, 21.5).text());
    CPPUNIT_ASSERT((*Json::parse("1.0")).is_number() && !(*Json::parse("1.0")).is_integer());
  }
  void text_that_is_not_utf8_becomes_empty() {
    // Stray and missing bytes, overlong forms, half a surrogate pair, beyond the last.
    for (const char* wrong : {"\xff\xfe", "\x80", "a\xc3", "\xe2\x82", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf",
                              "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"})
      CPPUNIT_ASSERT_EQUAL(std::string("\"\""), Json(wrong).text());
  }
  void moving_takes_and_copying_is_deep() {
    Json one = Json::object("a", Json::object("b", 1));
    Json copy = one.copy();
    Json moved = std::move(one);
    CPPUNIT_ASSERT(!one);
    moved.set("a", 2);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"a":{"b":1}})"), copy.text());
    CPPUNIT_ASSERT_EQUAL(std::string("{\n   \"a\": 2\n}"), moved.text(JsonStyle::indented));
  }
  void members_can_be_visited_and_erased() {
    Json json = Json::object("a", 1, "b", 2);
    json.erase("a").set("c", 3);
    std::string seen;
    json.each_member([&](std::string_view key, JsonView value) { seen += std::string(key) + value.text(); });
    CPPUNIT_ASSERT_EQUAL(std::string("b2c3"), seen);
  }
  void without_memory_nothing_is_half_made() {
    auto make = [] {
      return Json::object("a", 1, "b", "t\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5", "c",
                          Json::array(2.5, Json::object("d", "x")))
          .copy();
    };
    const std::string whole = make().text();
    json_set_alloc_funcs(make_until_one_fails, std::free);
    int thrown = 0;
    for (std::string made; made.empty();) {
      left = thrown;
      try {
        made = make().text();
        CPPUNIT_ASSERT_EQUAL(whole, made);
      } catch (const std::bad_alloc&) {
        ++thrown;
      }
    }
    json_set_alloc_funcs(std::malloc, std::free);
    CPPUNIT_ASSERT(thrown > 10);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(JsonTest);
