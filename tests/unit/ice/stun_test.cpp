#include <cppunit/extensions/HelperMacros.h>

#include "base/random.hpp"
#include "ice/stun.hpp"
#include "unit/ice/stun_client.hpp"
#include "unit/ice/stun_draft.hpp"

namespace cardea::ice {

namespace {

// RFC 5769 section 2.1: a request with SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME, integrity and fingerprint.
const uint8_t sample_request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
    0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c,
    0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f,
    0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
    0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
    0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};
constexpr char sample_pwd[] = "VOkJxbRl1RmTxUk/WvJxBt";

const Address four = *Address::parse("192.0.2.1", 32853);
const Address six = *Address::parse("2001:db8:1234:5678:11:2233:4455:6677", 32853);

}  // namespace

class StunTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StunTest);
  CPPUNIT_TEST(the_request_of_rfc_5769_is_read);
  CPPUNIT_TEST(a_request_changed_anywhere_is_refused);
  CPPUNIT_TEST(a_request_cut_anywhere_is_refused);
  CPPUNIT_TEST(libnice_accepts_the_reply);
  CPPUNIT_TEST(an_error_is_read_by_libnice);
  CPPUNIT_TEST(without_a_verified_request_there_is_no_reply);
  CPPUNIT_TEST(what_follows_the_integrity_does_not_count);
  CPPUNIT_TEST(of_two_attributes_the_first_counts);
  CPPUNIT_TEST(username_integrity_and_fingerprint_must_be_there);
  CPPUNIT_TEST(a_password_is_as_long_as_a_block_of_sha1_at_most);
  CPPUNIT_TEST(an_unknown_attribute_that_matters_is_answered_420);
  CPPUNIT_TEST(a_reply_names_the_first_sixteen_unknown_attributes);
  CPPUNIT_TEST(only_binding_requests_name_a_ufrag);
  CPPUNIT_TEST(noise_is_survived);
  CPPUNIT_TEST_SUITE_END();

public:
  void the_request_of_rfc_5769_is_read() {
    CPPUNIT_ASSERT(StunCodec::is_stun(sample_request));
    CPPUNIT_ASSERT(StunCodec::local_ufrag(sample_request) == "evtj");
    auto verified = codec.verify(sample_request, sample_pwd);
    CPPUNIT_ASSERT(!verified.drop && !verified.unknown_attribute);
    CPPUNIT_ASSERT_EQUAL(uint32_t{0x6e0001ff}, verified.request.priority);
    CPPUNIT_ASSERT(verified.request.controlled && !verified.request.use_candidate);
  }

  void a_request_changed_anywhere_is_refused() {
    for (size_t i = 0; i < sizeof sample_request; ++i) {
      std::vector<uint8_t> changed(std::begin(sample_request), std::end(sample_request));
      changed[i] ^= 0x04;
      CPPUNIT_ASSERT_MESSAGE(std::to_string(i), codec.verify(changed, sample_pwd).drop.has_value());
    }
    CPPUNIT_ASSERT(codec.verify(sample_request, "another password").drop == Drop::bad_integrity);
    CPPUNIT_ASSERT(codec.verify(sample_request, "").drop.has_value());
  }

  void a_request_cut_anywhere_is_refused() {
    for (size_t size = 0; size < sizeof sample_request; ++size) {
      std::vector<uint8_t> cut(sample_request, sample_request + size);  // exactly sized, for the sanitizer
      CPPUNIT_ASSERT(!StunCodec::is_stun(cut));
      CPPUNIT_ASSERT(!StunCodec::local_ufrag(cut));
      CPPUNIT_ASSERT(codec.verify(cut, sample_pwd).drop == Drop::malformed);
    }
  }

  void libnice_accepts_the_reply() {
    for (const Address& from : {four, six}) {
      Check check;
      check.use_candidate = from.v6;
      auto request = client.request(check);
      CPPUNIT_ASSERT(StunCodec::local_ufrag(request) == "ours");
      auto verified = codec.verify(request, check.pwd);
      CPPUNIT_ASSERT(!verified.drop);
      CPPUNIT_ASSERT_EQUAL(from.v6, verified.request.use_candidate);
      CPPUNIT_ASSERT_EQUAL(check.priority, verified.request.priority);
      auto reply = client.read(codec.success(from));
      CPPUNIT_ASSERT_EQUAL(STUN_USAGE_ICE_RETURN_SUCCESS, reply.outcome);
      CPPUNIT_ASSERT(reply.mapped == from);
    }
  }

  void an_error_is_read_by_libnice() {
    Check check;
    auto request = client.request(check);
    CPPUNIT_ASSERT(!codec.verify(request, check.pwd).drop);
    auto reply = client.read(codec.error(487));
    CPPUNIT_ASSERT(reply.valid);
    CPPUNIT_ASSERT_EQUAL(STUN_USAGE_ICE_RETURN_ROLE_CONFLICT, reply.outcome);
    CPPUNIT_ASSERT_EQUAL(487, reply.error);
  }

  void without_a_verified_request_there_is_no_reply() {
    CPPUNIT_ASSERT(codec.success(four).empty() && codec.error(400).empty() && codec.unknown_attributes().empty());
    CPPUNIT_ASSERT(!codec.verify(sample_request, sample_pwd).drop);
    CPPUNIT_ASSERT(!codec.success(four).empty() && !codec.error(400).empty() && !codec.unknown_attributes().empty());
    CPPUNIT_ASSERT(codec.verify(sample_request, "wrong").drop.has_value());
    CPPUNIT_ASSERT(codec.success(four).empty() && codec.error(400).empty() && codec.unknown_attributes().empty());
  }

  // Anybody on the way could add something behind the integrity.
  void what_follows_the_integrity_does_not_count() {
    // The last is the integrity by SHA-256 of a peer that sends both.
    for (int type : {0x0025, 0x0024, 0x8029, 0x7abc, 0x001c}) {
      auto request = named().integrity("pass").add(static_cast<uint16_t>(type), "").fingerprint().bytes;
      CPPUNIT_ASSERT(StunCodec::is_stun(request));
      auto verified = codec.verify(request, "pass");
      CPPUNIT_ASSERT(!verified.drop && !verified.unknown_attribute);
      CPPUNIT_ASSERT(!verified.request.use_candidate && !verified.request.controlled);
    }
  }

  void of_two_attributes_the_first_counts() {
    auto read = [&](StunDraft draft) {
      return codec.verify(draft.integrity("pass").fingerprint().bytes, "pass").request;
    };
    CPPUNIT_ASSERT_EQUAL(uint32_t{1}, read(named().add(0x0024, 1u).add(0x0024, 2u)).priority);
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, read(named().add(0x0024, "abc").add(0x0024, 2u)).priority);
    CPPUNIT_ASSERT(!read(named().add(0x0025, "abcd").add(0x0025, "")).use_candidate);
  }

  void username_integrity_and_fingerprint_must_be_there() {
    auto drop = [&](const StunDraft& draft) { return codec.verify(draft.bytes, "pass").drop; };
    CPPUNIT_ASSERT(!drop(named().integrity("pass").fingerprint()));
    CPPUNIT_ASSERT(drop(StunDraft({}).integrity("pass").fingerprint()) == Drop::bad_integrity);
    CPPUNIT_ASSERT(drop(StunDraft({}).integrity("pass").add(0x0006, "ours:theirs").fingerprint()) ==
                   Drop::bad_integrity);
    CPPUNIT_ASSERT(drop(named().integrity("pass")) == Drop::bad_integrity);
    CPPUNIT_ASSERT(drop(named().fingerprint()) == Drop::bad_integrity);
    CPPUNIT_ASSERT(drop(named().fingerprint().integrity("pass")) == Drop::bad_integrity);
    CPPUNIT_ASSERT(drop(named().integrity("pass").fingerprint().fingerprint()) == Drop::bad_integrity);
    for (size_t size : {0, 16, 19, 21, 24})
      CPPUNIT_ASSERT(drop(named().integrity("pass", size).fingerprint()) == Drop::bad_integrity);
  }

  void a_password_is_as_long_as_a_block_of_sha1_at_most() {
    const std::string longest(StunCodec::max_pwd, 'p'), longer = longest + "p";
    CPPUNIT_ASSERT(!codec.verify(named().integrity(longest).fingerprint().bytes, longest).drop);
    CPPUNIT_ASSERT(codec.verify(named().integrity(longest).fingerprint().bytes, longer).drop == Drop::malformed);
  }

  void an_unknown_attribute_that_matters_is_answered_420() {
    StunAgent agent;
    stun_agent_init(
        &agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
        static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT));
    uint8_t buffer[512];
    StunMessage message;
    stun_agent_init_request(&agent, &message, buffer, sizeof buffer, STUN_BINDING);
    stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, "ours:theirs", 11);
    stun_message_append32(&message, static_cast<StunAttribute>(0x7abc), 1);
    size_t size = stun_agent_finish_message(&agent, &message, reinterpret_cast<const uint8_t*>("pass"), 4);
    auto verified = codec.verify(Bytes(buffer, size), "pass");
    CPPUNIT_ASSERT(!verified.drop && verified.unknown_attribute);
    Bytes reply = codec.unknown_attributes();
    CPPUNIT_ASSERT(!reply.empty());
    StunMessage read;
    CPPUNIT_ASSERT_EQUAL(STUN_VALIDATION_SUCCESS,
                         stun_agent_validate(&agent, &read, reply.data(), reply.size(), nullptr, nullptr));
    int code = 0;
    stun_message_find_error(&read, &code);
    CPPUNIT_ASSERT_EQUAL(420, code);
  }

  void a_reply_names_the_first_sixteen_unknown_attributes() {
    StunDraft request = named();
    for (uint16_t i = 0; i < 300; ++i) request.add(static_cast<uint16_t>(0x7000 + i), "");
    CPPUNIT_ASSERT(codec.verify(request.integrity("pass").fingerprint().bytes, "pass").unknown_attribute);
    Bytes reply = codec.unknown_attributes();
    CPPUNIT_ASSERT(StunCodec::is_stun(reply));
    CPPUNIT_ASSERT_EQUAL(size_t{20 + 28 + 36 + 24 + 8}, reply.size());
    CPPUNIT_ASSERT_EQUAL(uint16_t{0x000a}, load_u16(&reply[48]));
    CPPUNIT_ASSERT_EQUAL(uint16_t{32}, load_u16(&reply[50]));
    for (uint16_t i = 0; i < 16; ++i) CPPUNIT_ASSERT_EQUAL(0x7000 + i, int{load_u16(&reply[52 + 2 * i])});
  }

  void only_binding_requests_name_a_ufrag() {
    std::vector<uint8_t> request(std::begin(sample_request), std::end(sample_request));
    request[0] = 0x01;  // a success reply
    CPPUNIT_ASSERT(!StunCodec::local_ufrag(request));
    CPPUNIT_ASSERT(codec.verify(request, sample_pwd).drop == Drop::malformed);
    request[0] = 0x00;
    request[1] = 0x11;  // an indication
    CPPUNIT_ASSERT(!StunCodec::local_ufrag(request));
    request[0] = 0x40;  // no STUN at all
    request[1] = 0x01;
    CPPUNIT_ASSERT(!StunCodec::is_stun(request) && !StunCodec::local_ufrag(request));
    auto behind = StunDraft({}).integrity("pass").add(0x0006, "ours:theirs").fingerprint().bytes;
    CPPUNIT_ASSERT(StunCodec::is_stun(behind) && !StunCodec::local_ufrag(behind));
    for (std::string username : {"nocolon", ":theirs", ""}) {
      Check check;
      check.username = username;
      CPPUNIT_ASSERT(!StunCodec::local_ufrag(client.request(check)));
    }
  }

  void noise_is_survived() {
    SeededRandom random(3);
    for (int i = 0; i < 20000; ++i) {
      std::vector<uint8_t> bytes(std::begin(sample_request), std::end(sample_request));
      bytes.resize(random.below(bytes.size() + 1));
      for (uint64_t n = random.below(6); n > 0 && !bytes.empty(); --n)
        bytes[random.below(bytes.size())] = static_cast<uint8_t>(random.u64());
      if (bytes.size() >= 20 && random.below(2) == 0) store_u16(&bytes[2], static_cast<uint16_t>(bytes.size() - 20));
      (void)StunCodec::local_ufrag(bytes);
      if (!codec.verify(bytes, sample_pwd).drop) (void)codec.success(four);
    }
  }

private:
  static StunDraft named() { return StunDraft({}).add(0x0006, "ours:theirs"); }

  StunCodec codec;
  StunClient client;
};
CPPUNIT_TEST_SUITE_REGISTRATION(StunTest);

}  // namespace cardea::ice
