// Field tables: what is read, what is refused, and in which words.
#include <cppunit/extensions/HelperMacros.h>

#include "cardea/schema.hpp"

using namespace cardea;

namespace {

struct Part {
  std::string name;
  std::optional<int> weight;
};
constexpr auto part_fields = std::tuple{required("name", &Part::name), optional("weight", &Part::weight, range(0, 9))};

struct Base {
  bool open = false;
};
struct Thing : Base {
  PublicId id;
  std::string kind = "box";
  int32_t count = 3;
  uint32_t size = 0;
  uint8_t level = 0;
  double ratio = 0.5;
  std::optional<bool> maybe;
  std::vector<std::string> words;
  std::vector<Part> parts;
  Json extra;
};
constexpr auto thing_fields =
    std::tuple_cat(std::tuple{optional("open", &Base::open)}, std::tuple{
                                                                  required("id", &Thing::id),
                                                                  optional("kind", &Thing::kind, one_of("box", "bag")),
                                                                  optional("count", &Thing::count, range(-5, 5)),
                                                                  optional("size", &Thing::size),
                                                                  optional("level", &Thing::level),
                                                                  optional("ratio", &Thing::ratio),
                                                                  optional("maybe", &Thing::maybe),
                                                                  optional("words", &Thing::words),
                                                                  optional_array("parts", &Thing::parts, part_fields),
                                                                  optional("extra", &Thing::extra),
                                                              });

Result<Thing> thing(const char* text, bool string_ids = false) {
  return read<Thing>(*Json::parse(text), thing_fields, {.missing = 1, .invalid = 2, .string_ids = string_ids});
}

struct Settings {
  uint16_t port = 8188;
  bool on = true;
  std::string ip = "0.0.0.0";
  std::vector<std::string> list;
};
constexpr auto settings_fields =
    std::tuple{setting("port", &Settings::port, "where to listen", "", range(1, 65535)),
               setting("on", &Settings::on, "listen at all"), setting("ip", &Settings::ip, "address"),
               setting("list", &Settings::list, "who may come")};

}  // namespace

class SchemaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SchemaTest);
  CPPUNIT_TEST(members_are_read_by_their_types);
  CPPUNIT_TEST(defaults_stay_where_nothing_is_said);
  CPPUNIT_TEST(wrong_members_are_refused_in_the_words_clients_know);
  CPPUNIT_TEST(ids_are_numbers_or_strings);
  CPPUNIT_TEST(what_is_written_can_be_read);
  CPPUNIT_TEST(settings_are_read_from_text);
  CPPUNIT_TEST(wrong_settings_are_named);
  CPPUNIT_TEST(settings_list_themselves);
  CPPUNIT_TEST_SUITE_END();

  void members_are_read_by_their_types() {
    auto read = thing(
        R"({"id":5,"open":true,"kind":"bag","count":-5,"size":7,"level":255,"ratio":2,"maybe":false,"words":["a","b"],
            "parts":[{"name":"lid","weight":9},{"name":"rim"}],"extra":{"x":[1]},"unknown":{}})");
    CPPUNIT_ASSERT(read);
    CPPUNIT_ASSERT(read->open && read->id == PublicId(5) && read->kind == "bag" && read->count == -5);
    CPPUNIT_ASSERT(read->size == 7 && read->level == 255 && read->ratio == 2.0 && read->maybe == false);
    CPPUNIT_ASSERT(read->words == (std::vector<std::string>{"a", "b"}));
    CPPUNIT_ASSERT(read->parts.size() == 2 && read->parts[0].weight == 9 && !read->parts[1].weight);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"x":[1]})"), read->extra.text());
  }
  void defaults_stay_where_nothing_is_said() {
    auto read = thing(R"({"id":1,"kind":null,"count":null})");
    CPPUNIT_ASSERT(read && read->kind == "box" && read->count == 3 && !read->maybe && !read->extra);
  }
  void wrong_members_are_refused_in_the_words_clients_know() {
    for (auto [body, code, words] : {
             std::tuple(R"({})", 1, "Missing mandatory element (id)"),
             std::tuple(R"({"id":null})", 1, "Missing mandatory element (id)"),
             std::tuple(R"({"id":-1})", 2, "Invalid element type (id should be a positive integer)"),
             std::tuple(R"({"id":"1"})", 2, "Invalid element type (id should be a positive integer)"),
             std::tuple(R"({"id":1,"open":1})", 2, "Invalid element type (open should be a boolean)"),
             std::tuple(R"({"id":1,"kind":1})", 2, "Invalid element type (kind should be a string)"),
             std::tuple(R"({"id":1,"kind":"sack"})", 2, "Invalid element (kind should be one of box, bag)"),
             std::tuple(R"({"id":1,"count":6})", 2, "Invalid element (count should be -5..5)"),
             std::tuple(R"({"id":1,"count":1.5})", 2, "Invalid element type (count should be an integer)"),
             std::tuple(R"({"id":1,"count":99999999999})", 2, "Invalid element (count is out of range)"),
             std::tuple(R"({"id":1,"size":-1})", 2, "Invalid element type (size should be a positive integer)"),
             std::tuple(R"({"id":1,"level":256})", 2, "Invalid element (level is out of range)"),
             std::tuple(R"({"id":1,"words":"a"})", 2, "Invalid element type (words should be an array)"),
             std::tuple(R"({"id":1,"words":[1]})", 2, "Invalid element type (words should be an array)"),
             std::tuple(R"({"id":1,"parts":{}})", 2, "Invalid element type (parts should be an array)"),
             std::tuple(R"({"id":1,"parts":[1]})", 2, "Invalid element type (parts should hold objects)"),
             std::tuple(R"({"id":1,"parts":[{}]})", 1, "Missing mandatory element (name)"),
             std::tuple(R"({"id":1,"parts":[{"name":"a","weight":10}]})", 2, "Invalid element (weight should be 0..9)"),
             std::tuple(R"({"id":1,"extra":[]})", 2, "Invalid element type (extra should be an object)"),
         }) {
      auto read = thing(body);
      CPPUNIT_ASSERT_MESSAGE(body, !read);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, code, read.error().code);
      CPPUNIT_ASSERT_EQUAL(std::string(words), read.error().reason);
    }
  }
  void ids_are_numbers_or_strings() {
    CPPUNIT_ASSERT(thing(R"({"id":"hall"})", true)->id == PublicId("hall"));
    CPPUNIT_ASSERT_EQUAL(std::string("Invalid element type (id should be a string)"),
                         thing(R"({"id":1})", true).error().reason);
    CPPUNIT_ASSERT(PublicId().empty() && PublicId("").empty() && !PublicId(1).empty() && !PublicId("0").empty());
    CPPUNIT_ASSERT(PublicId(1) != PublicId("1"));
    CPPUNIT_ASSERT_EQUAL(std::string("18446744073709551615"), PublicId(UINT64_MAX).text());
  }
  void what_is_written_can_be_read() {
    const std::string body =
        R"({"open":true,"id":5,"kind":"bag","count":1,"size":2,"level":3,"ratio":0.25,"maybe":true,"words":["a"],"parts":[{"name":"lid","weight":9}],"extra":{"x":1}})";
    CPPUNIT_ASSERT_EQUAL(body, write(*thing(body.c_str()), thing_fields).text());
    CPPUNIT_ASSERT(!write(Thing{}, thing_fields)["maybe"]);
  }
  void settings_are_read_from_text() {
    Settings to;
    CPPUNIT_ASSERT(!read_section(*Json::parse(R"({"port":"80","on":"no","ip":10,"list":"a, b,c"})"), "general", to,
                                 settings_fields));
    CPPUNIT_ASSERT(to.port == 80 && !to.on && to.ip == "10");
    CPPUNIT_ASSERT(to.list == (std::vector<std::string>{"a", "b", "c"}));
    CPPUNIT_ASSERT(!read_section(JsonView(), "general", to, settings_fields));
  }
  void wrong_settings_are_named() {
    for (auto [body, path, reason] :
         {std::tuple(R"({"prot":1})", "general.prot", "no such setting"),
          std::tuple(R"({"port":"many"})", "general.port", "should be a whole number from 1 to 65535, not \"many\""),
          std::tuple(R"({"port":0})", "general.port", "should be a whole number from 1 to 65535, not 0"),
          std::tuple(R"({"port":"70000"})", "general.port", "should be a whole number from 1 to 65535, not \"70000\""),
          std::tuple(R"({"on":"maybe"})", "general.on", "should be true or false, not \"maybe\""),
          std::tuple(R"([])", "general", "should be a group { ... }")}) {
      Settings to;
      auto wrong = read_section(*Json::parse(body), "general", to, settings_fields);
      CPPUNIT_ASSERT_MESSAGE(body, wrong.has_value());
      CPPUNIT_ASSERT_EQUAL(std::string(path), wrong->path);
      CPPUNIT_ASSERT_EQUAL(std::string(reason), wrong->reason);
    }
  }
  void settings_list_themselves() {
    std::vector<SettingInfo> all;
    list_section<Settings>("general", settings_fields, all);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, all.size());
    CPPUNIT_ASSERT_EQUAL(std::string("general.port"), all[0].name);
    CPPUNIT_ASSERT_EQUAL(std::string("positive integer 1..65535"), all[0].type);
    CPPUNIT_ASSERT_EQUAL(std::string("8188"), all[0].default_value);
    CPPUNIT_ASSERT_EQUAL(std::string("\"0.0.0.0\""), all[2].default_value);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SchemaTest);
