#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "control/config.hpp"
#include "control/media_setup.hpp"
#include "control/settings.hpp"
#include "unit/temporary_folder.hpp"

namespace cardea::control {
namespace {

class ConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConfigTest);
  CPPUNIT_TEST(no_configuration_is_a_good_one);
  CPPUNIT_TEST(files_are_read_into_sections);
  CPPUNIT_TEST(what_is_wrong_is_told_with_file_and_line);
  CPPUNIT_TEST(options_win_over_files);
  CPPUNIT_TEST(options_that_are_wrong_are_told_as_options);
  CPPUNIT_TEST(numbers_beyond_32_bits_keep_their_value);
  CPPUNIT_TEST(numbers_beyond_64_bits_are_refused);
  CPPUNIT_TEST(long_numbers_are_marked_and_nothing_else);
  CPPUNIT_TEST(included_files_must_mark_their_long_numbers);
  CPPUNIT_TEST(settings_without_meaning_here_are_left_out_with_a_warning);
  CPPUNIT_TEST(settings_that_contradict_each_other_are_refused);
  CPPUNIT_TEST(every_setting_is_listed_with_its_meaning);
  CPPUNIT_TEST_SUITE_END();

private:
  static void same(const std::string& expected, const std::string& got) { CPPUNIT_ASSERT_EQUAL(expected, got); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }

  // What the operator reads; "" if all is good.
  std::string complaint(const std::vector<std::string>& options = {}) {
    try {
      auto configuration = Configuration::read(folder_, options);
      Settings settings;
      auto wrong = read_settings(configuration.file("cardea"), settings);
      return wrong ? configuration.describe("cardea", *wrong) : "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }

  void no_configuration_is_a_good_one() {
    auto configuration = Configuration::read("", {});
    Settings settings;
    CPPUNIT_ASSERT(!read_settings(configuration.file("cardea"), settings));
    CPPUNIT_ASSERT_EQUAL(uint32_t{60}, settings.general.session_timeout);
    CPPUNIT_ASSERT_THROW(Configuration::read(folder_ + "/nowhere", {}), ConfigError);
  }

  void files_are_read_into_sections() {
    write("cardea.cfg", "# comment\ngeneral: { session_timeout = 30; opaqueid_in_api = true; debug_level = \"5\"; };\n"
                        "media: { address = [\"127.0.0.1\", \"::1\"]; padding_waste = 0.1; gso = \"no\"; };\n"
                        "plugins: { disable = \"echotest, videoroom\"; };\n");
    write("videoroom.cfg", "room-1: { description = \"One\"; };\n");
    write("notes.txt", "not read {");
    auto configuration = Configuration::read(folder_, {});
    Settings settings;
    auto wrong = read_settings(configuration.file("cardea"), settings);
    CPPUNIT_ASSERT_MESSAGE(wrong ? configuration.describe("cardea", *wrong) : "", !wrong);
    CPPUNIT_ASSERT_EQUAL(uint32_t{30}, settings.general.session_timeout);
    CPPUNIT_ASSERT_EQUAL(uint32_t{5}, settings.general.debug_level);
    CPPUNIT_ASSERT(settings.general.opaqueid_in_api && !settings.media.gso);
    CPPUNIT_ASSERT((settings.media.address == std::vector<std::string>{"127.0.0.1", "::1"}));
    CPPUNIT_ASSERT((settings.plugins.disable == std::vector<std::string>{"echotest", "videoroom"}));
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.1, settings.media.padding_waste, 1e-9);
    same("One", std::string(configuration.file("videoroom")["room-1"]["description"].string()));
    CPPUNIT_ASSERT(configuration.file("nothing").is_object());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, configuration.files().size());
  }

  void what_is_wrong_is_told_with_file_and_line() {
    struct {
      const char* file;
      const char* complaint;  // after the path
    } const table[] = {
        {"general: {\n  sesion_timeout = 3;\n};\n", ":2: general.sesion_timeout: no such setting"},
        {"generel: {\n};\n", ":1: generel: no such section"},
        {"\n\ngeneral = 5;\n", ":3: general: should be a group { ... }"},
        {"general: {\n\n  session_timeout = \"soon\";\n};\n",
         ":3: general.session_timeout: should be a whole number from 0 to 1000000 s, not \"soon\""},
        {"general: { session_timeout = -1; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not -1"},
        {"general: { session_timeout = 4294967297; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not 4294967297"},
        {"general: { session_timeout = 60.5; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not 60.5"},
        {"general: { session_timeout = \"\"; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not \"\""},
        {"general: { session_timeout = true; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not true"},
        {"general: { session_timeout = [60]; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not [60]"},
        {"general: { session_timeout = { }; };\n",
         ":1: general.session_timeout: should be a whole number from 0 to 1000000 s, not {}"},
        {"general: { session_timeout = 1; session_timeout = 2; };\n", ":1: duplicate setting name"},
        {"general: { debug_level = 8; };\n", ":1: general.debug_level: should be a whole number from 0 to 7, not 8"},
        {"general: { token_auth = 1; };\n", ":1: general.token_auth: should be true or false, not 1"},
        {"general: { server_name = [1]; };\n", ":1: general.server_name: should be a text in quotes, not [1]"},
        {"media: { port = 70000; };\n", ":1: media.port: should be a whole number from 0 to 65535, not 70000"},
        {"media: { receive_buffer = 4; };\n",
         ":1: media.receive_buffer: should be a whole number from 65536 to 1073741824 bytes, not 4"},
        {"media: { padding_waste = 2.5; };\n", ":1: media.padding_waste: should be a number from 0 to 1, not 2.5"},
        {"media: {\n  padding_waste = 1e999;\n};\n", ":2: this is too large a number"},
        {"media: { address = [true]; };\n", ":1: media.address: should be a list, each a text in quotes, not [true]"},
        {"media: { cipher_engine = \"nss\"; };\n", ":1: media.cipher_engine: should be one of auto, ipsec-mb, "
                                                   "ipsec-mb-avx512, ipsec-mb-avx2, ipsec-mb-sse, evp, not \"nss\""},
        {"media: { address = \"0.0.0.0\"; };\n",
         ":1: media.address: 0.0.0.0 is every address: leave the setting empty for that"},
        {"media: { address = \"localhost\"; };\n", ":1: media.address: localhost is no IP address"},
        {"nat: { nat_1_1_mapping = \"192.0.2.1:x\"; };\n",
         ":1: nat.nat_1_1_mapping: 192.0.2.1:x is neither ADDRESS nor ADDRESS:PORT"},
        {"general: {\n  debug_level = ;\n};\n", ":2: syntax error"}};
    for (const auto& row : table) {
      write("cardea.cfg", row.file);
      same(folder_ + "/cardea.cfg" + row.complaint, complaint());
    }
  }

  void options_win_over_files() {
    write("cardea.cfg", "general: { session_timeout = 30; server_name = \"file\"; };\n");
    auto configuration =
        Configuration::read(folder_, {"cardea.general.session_timeout=7", "cardea.general.session_timeout=8",
                                      "cardea.general.api_secret=a=b.c", "websockets.general.ws_port=1",
                                      "cardea.media.address=127.0.0.1, ::1"});
    Settings settings;
    CPPUNIT_ASSERT(!read_settings(configuration.file("cardea"), settings));
    CPPUNIT_ASSERT_EQUAL(uint32_t{8}, settings.general.session_timeout);
    same("file", settings.general.server_name);
    same("a=b.c", settings.general.api_secret);
    same("1", std::string(configuration.file("websockets")["general"]["ws_port"].string()));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, settings.media.address.size());
    CPPUNIT_ASSERT(configuration.only_by_option("websockets") && !configuration.only_by_option("cardea"));
  }

  void options_that_are_wrong_are_told_as_options() {
    for (const char* wrong : {"x", "", " ", "5 ", "0x", "1e3", "99999999999999999999", "4294967296", "-1", "nan"})
      same(text("--set cardea.general.session_timeout: should be a whole number from 0 to 1000000 s, not \"", wrong,
                "\""),
           complaint({text("cardea.general.session_timeout=", wrong)}));
    same("--set cardea.media.padding_waste: should be a number from 0 to 1, not \"nan\"",
         complaint({"cardea.media.padding_waste=nan"}));
    same("--set cardea.media.gso: should be true or false, not \"\"", complaint({"cardea.media.gso="}));
    same("--set cardea.general.nonsense: no such setting", complaint({"cardea.general.nonsense=x"}));
    same("--set cardea.nonsense.x: no such section", complaint({"cardea.nonsense.x=1"}));
    for (const char* wrong : {"", "x", "a.b=c", "a=b.c.d", ".b.c=d", "a..c=d", "a.b.=c"})
      same(text("--set ", wrong, ": should be FILE.SECTION.KEY=VALUE"), complaint({wrong}));
  }

  void numbers_beyond_32_bits_keep_their_value() {
    write("cardea.cfg",
          "a: { small = 2147483647; low = -2147483648; big = 2147483648; lower = -2147483649; hex = 0xFFFFFFFF;\n"
          "  room = 10737418240; marked = 10737418240L; list = [1, 2, 3]; max = 9223372036854775807; };\n");
    auto configuration = Configuration::read(folder_, {});
    JsonView a = configuration.file("cardea")["a"];
    CPPUNIT_ASSERT_EQUAL(int64_t{2147483647}, a["small"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{-2147483648}, a["low"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{2147483648}, a["big"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{-2147483649}, a["lower"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{4294967295}, a["hex"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{10737418240}, a["room"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{10737418240}, a["marked"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{9223372036854775807}, a["max"].integer());
  }

  void numbers_beyond_64_bits_are_refused() {
    write("cardea.cfg", "a: {\n  x = 1;\n  y = 9223372036854775808;\n};\n");
    same(folder_ + "/cardea.cfg:3: 9223372036854775808 is too large a number", complaint());
    write("cardea.cfg", "a: { y = 99999999999999999999999; };\n");
    same(folder_ + "/cardea.cfg:1: 99999999999999999999999 is too large a number", complaint());
  }

  void long_numbers_are_marked_and_nothing_else() {
    struct {
      const char *before, *after;
    } const table[] = {
        {"x = 3000000000;", "x = 3000000000L;"},
        {"x = +3000000000;", "x = +3000000000L;"},
        {"x = 3000000000L; y = 3000000000LL;", "x = 3000000000L; y = 3000000000LL;"},
        {"x = \"3000000000 \\\" 3000000000\";", "x = \"3000000000 \\\" 3000000000\";"},
        {"# 3000000000\nx = 3000000000", "# 3000000000\nx = 3000000000L"},
        {"// 3000000000\n/* 3000000000\n */ 3000000000", "// 3000000000\n/* 3000000000\n */ 3000000000L"},
        {"room-3000000000: {}", "room-3000000000: {}"},
        {"x = 3000000000.5; y = 3e9;", "x = 3000000000.5; y = 3e9;"},
        {"x = [3000000000,1]", "x = [3000000000L,1]"},
        {"\"unfinished 3000000000", "\"unfinished 3000000000"},
        {"/* unfinished 3000000000", "/* unfinished 3000000000"},
        {"\"\\", "\"\\"}};
    for (const auto& row : table) {
      auto marked = mark_long_numbers(row.before);
      CPPUNIT_ASSERT_MESSAGE(row.before, marked);
      same(row.after, *marked);
    }
  }

  void included_files_must_mark_their_long_numbers() {
    write("cardea.cfg", "@include \"more.inc\"\n");
    write("more.inc", "general: {\n  session_timeout = 5;\n};\n");
    same("", complaint());
    write("more.inc", "general: {\n  server_name = \"x\";\n  session_timeout = 5000000000;\n};\n");
    same(folder_ + "/more.inc:3: in an included file, a number beyond 32 bits must end in L", complaint());
    write("more.inc", "general: {\n  nonsense = 1;\n};\n");
    same(folder_ + "/more.inc:2: general.nonsense: no such setting", complaint());
    std::filesystem::remove(folder_ + "/more.inc");
    CPPUNIT_ASSERT(!complaint().empty());
  }

  void settings_without_meaning_here_are_left_out_with_a_warning() {
    write("cardea.cfg",
          "general: {\n  log_prefix = \"x\";\n  session_timeout = 5;\n};\nevents: { broadcast = true; };\n");
    write("echo.cfg", "general: { events = true; };\nroom-7: { threads = 2; pin = \"x\"; };\n");
    Configuration configuration = Configuration::read(folder_, {});
    const auto core = configuration.leave_out_meaningless("cardea", {});
    CPPUNIT_ASSERT_EQUAL(size_t{2}, core.size());
    same(folder_ + "/cardea.cfg:2: general.log_prefix: has no meaning here, and is left out", core[0]);
    same(folder_ + "/cardea.cfg:5: events: has no meaning here, and is left out", core[1]);
    same("{\"general\":{\"session_timeout\":5}}", configuration.file("cardea").text());
    const auto echo = configuration.leave_out_meaningless("echo", {SettingInfo{"general.events", "", "", "", ""}});
    CPPUNIT_ASSERT_EQUAL(size_t{1}, echo.size());
    same("{\"general\":{\"events\":true},\"room-7\":{\"pin\":\"x\"}}", configuration.file("echo").text());
    Settings settings;
    CPPUNIT_ASSERT(!read_settings(configuration.file("cardea"), settings));
  }

  void settings_that_contradict_each_other_are_refused() {
    same("--set cardea.limits.exempt: 10.0.0.0/33: the network's length should be a number from 0 to 32",
         complaint({"cardea.limits.exempt=10.0.0.0/33"}));
    same("--set cardea.limits.exempt: nowhere is no IP address or network",
         complaint({"cardea.limits.exempt=nowhere"}));
    same("--set cardea.media.port: leaves no ports for all workers",
         complaint({"cardea.media.port=65530", "cardea.media.workers=10"}));
    CPPUNIT_ASSERT(complaint({"cardea.certificates.cert_key=k"}).find("cert_pem") != std::string::npos);
  }

  void every_setting_is_listed_with_its_meaning() {
    std::vector<SettingInfo> all;
    list_settings(all);
    CPPUNIT_ASSERT(all.size() > 40);
    for (const SettingInfo& info : all) CPPUNIT_ASSERT_MESSAGE(info.name, !info.type.empty() && !info.meaning.empty());
  }

  const test::TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.path();
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigTest);

class MediaSetupTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MediaSetupTest);
  CPPUNIT_TEST(loopback_is_always_bound_but_advertised_only_alone);
  CPPUNIT_TEST(only_the_addresses_asked_for_are_bound);
  CPPUNIT_TEST(a_mapping_stands_for_the_addresses_of_its_family);
  CPPUNIT_TEST(each_worker_has_its_own_port);
  CPPUNIT_TEST(one_processor_is_left_to_control);
  CPPUNIT_TEST_SUITE_END();

  static std::string all(const std::vector<Address>& addresses) {
    std::string out;
    for (const Address& one : addresses) out += (out.empty() ? "" : " ") + one.text();
    return out;
  }
  static void same(const std::string& expected, const std::string& got) { CPPUNIT_ASSERT_EQUAL(expected, got); }

  void loopback_is_always_bound_but_advertised_only_alone() {
    auto bound = addresses_to_bind({}, {*Address::parse("192.0.2.7", 0), *Address::parse("2001:db8::7", 0)});
    same("192.0.2.7:0 [2001:db8::7]:0 127.0.0.1:0", all(*bound));
    same("192.0.2.7:10 [2001:db8::7]:10", all(*advertised(*bound, {}, 0, 10)));
    bound = addresses_to_bind({}, {});
    same("127.0.0.1:10", all(*advertised(*bound, {}, 0, 10)));
  }

  void only_the_addresses_asked_for_are_bound() {
    MediaSettings media;
    media.address = {"127.0.0.1", "127.0.0.1", "::1"};
    auto bound = addresses_to_bind(media, {*Address::parse("192.0.2.7", 0)});
    same("127.0.0.1:0 [::1]:0", all(*bound));
    same("127.0.0.1:1 [::1]:1", all(*advertised(*bound, {}, 0, 1)));
  }

  void a_mapping_stands_for_the_addresses_of_its_family() {
    std::vector<Address> bound{*Address::parse("192.0.2.7", 0), *Address::parse("2001:db8::7", 0),
                               *Address::parse("127.0.0.1", 0)};
    NatSettings nat;
    nat.nat_1_1_mapping = {"203.0.113.1"};
    same("203.0.113.1:10 [2001:db8::7]:10", all(*advertised(bound, nat, 0, 10)));
    nat.keep_private_host = true;
    same("203.0.113.1:10 192.0.2.7:10 [2001:db8::7]:10", all(*advertised(bound, nat, 0, 10)));
    nat = {};
    nat.nat_1_1_mapping = {"203.0.113.1:4000", "[2001:db8::9]:5000", "2001:db8::a"};
    same("203.0.113.1:4002 [2001:db8::9]:5002 [2001:db8::a]:10", all(*advertised(bound, nat, 2, 10)));
    for (const char* wrong :
         {"x", "203.0.113.1:", "203.0.113.1:0", "203.0.113.1:70000", "[2001:db8::1]x", "[2001:db8::1", "0.0.0.0", ""}) {
      nat.nat_1_1_mapping = {wrong};
      CPPUNIT_ASSERT_MESSAGE(wrong, !advertised(bound, nat, 0, 10));
    }
    nat.nat_1_1_mapping = {"203.0.113.1:65535"};
    CPPUNIT_ASSERT(!advertised(bound, nat, 1, 10));
  }

  void each_worker_has_its_own_port() {
    Settings settings;
    settings.media.tick = 500;
    settings.nat.hangup_on_failed = true;
    auto own = worker_settings(settings, {*Address::parse("192.0.2.7", 0)}, 3, {0, 1});
    same("192.0.2.7:10003", own.addresses.at(0).text());
    CPPUNIT_ASSERT(own.tick == 500us && own.ice_grace == Duration::zero() && own.cpu == -1);
    settings.media.port = 0;
    settings.media.pin_workers = true;
    own = worker_settings(settings, {*Address::parse("192.0.2.7", 0)}, 0, {4, 6});
    same("192.0.2.7:0", own.addresses.at(0).text());
    CPPUNIT_ASSERT_EQUAL(6, own.cpu);
  }

  void one_processor_is_left_to_control() {
    CPPUNIT_ASSERT_EQUAL(uint16_t{1}, worker_count(0, 1));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1}, worker_count(0, 2));
    CPPUNIT_ASSERT_EQUAL(uint16_t{7}, worker_count(0, 8));
    CPPUNIT_ASSERT_EQUAL(uint16_t{5}, worker_count(5, 2));
    CPPUNIT_ASSERT_EQUAL(uint16_t{256}, worker_count(0, 1000));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MediaSetupTest);

}  // namespace
}  // namespace cardea::control
