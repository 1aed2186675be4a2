#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

// Which error wins (core.md sections 1, 2, 3 and 8).
class EnvelopeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EnvelopeTest);
  CPPUNIT_TEST(the_first_thing_wrong_is_answered);
  CPPUNIT_TEST(errors_of_the_envelope_have_no_transaction_and_others_do);
  CPPUNIT_TEST(an_error_names_the_session_that_the_request_named);
  CPPUNIT_TEST(verbs_are_read_in_any_case);
  CPPUNIT_TEST(create_answers_without_session_id);
  CPPUNIT_TEST(the_admin_face_answers_info_and_ping_and_asks_for_its_secret);
  CPPUNIT_TEST(info_has_what_clients_look_for);
  CPPUNIT_TEST_SUITE_END();

  static Json parse(std::string text, uint64_t session, uint64_t handle) {
    for (size_t at; (at = text.find("$S")) != std::string::npos;) text.replace(at, 2, std::to_string(session));
    for (size_t at; (at = text.find("$H")) != std::string::npos;) text.replace(at, 2, std::to_string(handle));
    for (char& c : text)
      if (c == '\'') c = '"';
    return std::move(*Json::parse(text));
  }

  void the_first_thing_wrong_is_answered() {
    World world;
    uint64_t session = world.create(), other = world.create(), handle = world.attach(session);
    (void)other;
    struct {
      int code;  // 0: no error
      const char* request;
    } const table[] = {
        {456, "[1,2]"},
        {456, "{}"},
        {456, "{'janus':'ping'}"},
        {456, "{'janus':'ping','transaction':null}"},
        {467, "{'janus':'ping','transaction':1}"},
        {456, "{'transaction':'t'}"},
        {467, "{'transaction':'t','janus':7}"},
        {467, "{'transaction':'t','janus':'ping','id':'x'}"},
        {467, "{'transaction':'t','janus':'ping','id':-1}"},
        {0, "{'transaction':'t','janus':'ping','id':null}"},
        {0, "{'transaction':'t','janus':'info'}"},
        {457, "{'transaction':'t','janus':'attach'}"},
        {457, "{'transaction':'t','janus':'nonsense'}"},
        {457, "{'transaction':'t','janus':'keepalive','session_id':'$S'}"},
        {457, "{'transaction':'t','janus':'keepalive','session_id':null}"},
        {458, "{'transaction':'t','janus':'keepalive','handle_id':1}"},
        {459, "{'transaction':'t','janus':'keepalive','session_id':$S,'handle_id':0}"},
        {459, "{'transaction':'t','janus':'keepalive','session_id':$S,'handle_id':'1'}"},
        {0, "{'transaction':'t','janus':'keepalive','session_id':$S,'handle_id':null}"},
        {0, "{'transaction':'t','janus':'keepalive','session_id':$S,'handle_id':$H}"},
        {458, "{'transaction':'t','janus':'keepalive','session_id':1}"},
        {458, "{'transaction':'t','janus':'nonsense','session_id':-1}"},
        {459, "{'transaction':'t','janus':'keepalive','session_id':$S,'handle_id':1}"},
        {453, "{'transaction':'t','janus':'nonsense','session_id':$S}"},
        {453, "{'transaction':'t','janus':'ping','session_id':$S}"},
        {453, "{'transaction':'t','janus':'create','session_id':$S}"},
        {453, "{'transaction':'t','janus':'nonsense','session_id':$S,'handle_id':$H}"},
        {457, "{'transaction':'t','janus':'attach','session_id':$S,'handle_id':$H}"},
        {457, "{'transaction':'t','janus':'destroy','session_id':$S,'handle_id':$H}"},
        {457, "{'transaction':'t','janus':'detach','session_id':$S}"},
        {457, "{'transaction':'t','janus':'hangup','session_id':$S}"},
        {457, "{'transaction':'t','janus':'message','session_id':$S}"},
        {457, "{'transaction':'t','janus':'trickle','session_id':$S}"},
        {468, "{'transaction':'t','janus':'create','id':$S}"},
        {0, "{'transaction':'t','janus':'create','id':0}"},
        {456, "{'transaction':'t','janus':'attach','session_id':$S}"},
        {467, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':1}"},
        {467, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'x','opaque_id':1}"},
        {467, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'x','loop_index':'1'}"},
        {460, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'x'}"},
        {460, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'Cardea.plugin.fake'}"},
        {461, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'fake.alias','opaque_id':'refused'}"},
        {461, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'fake.alias','opaque_id':'throws'}"},
        {0, "{'transaction':'t','janus':'attach','session_id':$S,'plugin':'cardea.plugin.fake'}"},
        {456, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H}"},
        {467, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':'x'}"},
        {455, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':'x'}"},
        {456, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':{}}"},
        {467, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':{'type':1}}"},
        {456, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':{'type':'offer'}}"},
        {467, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':{'type':'offer',"
              "'sdp':'x','trickle':1}}"},
        {464, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':{'type':'pranswer',"
              "'sdp':'x'}}"},
        {465, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{},'jsep':{'type':'OFFER',"
              "'sdp':'x'}}"},
        {462, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{'do':'fail'}}"},
        {462, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{'do':'empty'}}"},
        {462, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{'do':'throw'}}"},
        {462, "{'transaction':'t','janus':'message','session_id':$S,'handle_id':$H,'body':{'do':'throw badly'}}"},
        {456, "{'transaction':'t','janus':'trickle','session_id':$S,'handle_id':$H}"},
        {454, "{'transaction':'t','janus':'trickle','session_id':$S,'handle_id':$H,'candidate':{},'candidates':[]}"},
        {0, "{'transaction':'t','janus':'trickle','session_id':$S,'handle_id':$H,'candidate':{}}"},
        {0, "{'transaction':'t','janus':'trickle','session_id':$S,'handle_id':$H,'candidate':null}"},
        {0, "{'transaction':'t','janus':'hangup','session_id':$S,'handle_id':$H}"},
        {0, "{'transaction':'t','janus':'hangup','session_id':$S,'handle_id':$H}"},
        {0, "{'transaction':'t','janus':'detach','session_id':$S,'handle_id':$H}"},
        {459, "{'transaction':'t','janus':'detach','session_id':$S,'handle_id':$H}"},
        {0, "{'transaction':'t','janus':'destroy','session_id':$S}"},
        {458, "{'transaction':'t','janus':'destroy','session_id':$S}"}};
    for (const auto& row : table) {
      Json reply = world.ask(parse(row.request, session, handle));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(row.request, row.code, World::code(reply));
    }
  }

  void errors_of_the_envelope_have_no_transaction_and_others_do() {
    World world;
    CPPUNIT_ASSERT(!world.ask(parse("{'transaction':'t','janus':5}", 0, 0))["transaction"]);
    CPPUNIT_ASSERT_EQUAL(std::string("t"), std::string(world.verb("nonsense")["transaction"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("Missing mandatory element (transaction)"),
                         std::string(world.ask(parse("{}", 0, 0))["error"]["reason"].string()));
    CPPUNIT_ASSERT_EQUAL(
        std::string("Invalid element type (janus should be a string)"),
        std::string(world.ask(parse("{'transaction':'t','janus':5}", 0, 0))["error"]["reason"].string()));
  }

  void an_error_names_the_session_that_the_request_named() {
    World world;
    CPPUNIT_ASSERT_EQUAL(int64_t{77}, world.verb("keepalive", "session_id", 77)["session_id"].integer());
    CPPUNIT_ASSERT(!world.verb("nonsense")["session_id"]);
    CPPUNIT_ASSERT_EQUAL(std::string("No such session 77"),
                         std::string(world.verb("keepalive", "session_id", 77)["error"]["reason"].string()));
  }

  void verbs_are_read_in_any_case() {
    World world;
    CPPUNIT_ASSERT_EQUAL(std::string("pong"), std::string(world.verb("PiNG")["janus"].string()));
  }

  void create_answers_without_session_id() {
    World world;
    Json reply = world.verb("create", "id", 42);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"janus\":\"success\",\"transaction\":\"t\",\"data\":{\"id\":42}}"),
                         reply.text());
    CPPUNIT_ASSERT_EQUAL(std::string("success"), std::string(world.verb("claim", "session_id", 42)["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(int64_t{42}, world.verb("claim", "session_id", 42)["session_id"].integer());
  }

  void the_admin_face_answers_info_and_ping_and_asks_for_its_secret() {
    Settings settings;
    settings.general.admin_secret = "top";
    World world(std::move(settings));
    uint64_t session = world.create();
    auto admin = [&](const char* request) { return world.ask(parse(request, session, 0), {1}, Api::admin); };
    CPPUNIT_ASSERT_EQUAL(std::string("server_info"),
                         std::string(admin("{'janus':'info','transaction':'t'}")["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("pong"),
                         std::string(admin("{'janus':'ping','transaction':'t'}")["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(403, World::code(admin("{'janus':'list_sessions','transaction':'t'}")));
    CPPUNIT_ASSERT_EQUAL(403, World::code(admin("{'janus':'x','transaction':'t','admin_secret':'to'}")));
    CPPUNIT_ASSERT_EQUAL(457, World::code(admin("{'janus':'x','transaction':'t','admin_secret':'top'}")));
    CPPUNIT_ASSERT_EQUAL(458,
                         World::code(admin("{'janus':'x','transaction':'t','admin_secret':'top','session_id':1}")));
    CPPUNIT_ASSERT_EQUAL(458, World::code(admin("{'janus':'x','transaction':'t','admin_secret':'top','handle_id':1}")));
    CPPUNIT_ASSERT_EQUAL(
        459, World::code(admin("{'janus':'x','transaction':'t','admin_secret':'top','session_id':$S,'handle_id':1}")));
    CPPUNIT_ASSERT_EQUAL(456, World::code(admin("{'janus':'x'}")));
  }

  void info_has_what_clients_look_for() {
    World world;
    Json info = world.verb("info");
    for (const char* member : {"name", "version", "version_string", "session-timeout", "plugins", "transports",
                               "ice-lite", "api_secret", "auth_token", "server-name", "dependencies"})
      CPPUNIT_ASSERT_MESSAGE(member, info[member]);
    CPPUNIT_ASSERT(!info["session_id"]);
    CPPUNIT_ASSERT_EQUAL(int64_t{1203}, info["plugins"]["cardea.plugin.fake"]["version"].integer());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EnvelopeTest);

}  // namespace
}  // namespace cardea::control
