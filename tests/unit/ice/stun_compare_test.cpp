// What our codec and libnice's say to the same requests. They differ where RFC 8489 says so, or where nobody can tell;
// each such case is named here.
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <stun/debug.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "ice/stun.hpp"
#include "unit/ice/stun_client.hpp"
#include "unit/ice/stun_draft.hpp"

namespace cardea::ice {
namespace {

const std::string pwd = "a password of ours, 22+";
const Address four = *Address::parse("192.0.2.1", 32853);

// What a codec says to a request; two of them compare.
struct Verdict {
  std::optional<Drop> drop;
  uint32_t priority = 0;
  bool use_candidate = false, controlled = false;
  std::vector<uint16_t> unknown;
  std::vector<uint8_t> success;  // to `four`
  bool operator==(const Verdict&) const = default;
};

std::string text(const Verdict& v) {
  std::string out = v.drop ? std::string(name(*v.drop)) : "accepted";
  out += " priority " + std::to_string(v.priority) + (v.use_candidate ? " use-candidate" : "") +
         (v.controlled ? " controlled" : "") + " reply " + std::to_string(v.success.size()) + " unknown";
  for (uint16_t type : v.unknown) out += " " + std::to_string(type);
  return out;
}

// The attributes of a whole message: type, value.
std::vector<std::pair<uint16_t, Bytes>> attributes(Bytes message) {
  std::vector<std::pair<uint16_t, Bytes>> out;
  ByteReader reader(message);
  reader.skip(20);
  while (reader.left() > 0) {
    uint16_t type = reader.u16(), size = reader.u16();
    out.emplace_back(type, reader.take(size));
    reader.skip((4u - size % 4u) % 4u);
  }
  return out;
}

std::vector<uint16_t> named_unknown(Bytes reply) {
  std::vector<uint16_t> out;
  for (auto [type, value] : attributes(reply))
    if (type == STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES)
      for (size_t i = 0; i + 1 < value.size(); i += 2) out.push_back(load_u16(&value[i]));
  return out;
}

// libnice as an ICE-lite server.
class NiceServer {
public:
  NiceServer() {
    stun_debug_disable();
    stun_agent_init(&agent_, known_, STUN_COMPATIBILITY_RFC5389, usage);
  }

  Verdict verify(Bytes datagram) {
    Verdict out;
    StunMessage request;
    if (datagram.size() < 20 || load_u16(datagram.data()) != 0x0001) return out.drop = Drop::malformed, out;
    const auto status =
        stun_agent_validate(&agent_, &request, datagram.data(), datagram.size(), give_password, nullptr);
    switch (status) {
    case STUN_VALIDATION_SUCCESS:
    case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE: break;
    case STUN_VALIDATION_NOT_STUN:
    case STUN_VALIDATION_INCOMPLETE_STUN: return out.drop = Drop::malformed, out;
    default: return out.drop = Drop::bad_integrity, out;
    }
    out.priority = stun_usage_ice_conncheck_priority(&request);
    out.use_candidate = stun_usage_ice_conncheck_use_candidate(&request);
    out.controlled = stun_message_has_attribute(&request, STUN_ATTRIBUTE_ICE_CONTROLLED);
    std::vector<uint8_t> buffer(1500);
    StunMessage reply;
    if (status == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE) {
      buffer.resize(stun_agent_build_unknown_attributes_error(&agent_, &reply, buffer.data(), buffer.size(), &request));
      out.unknown = named_unknown(buffer);
      buffer.resize(1500);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(four.port);
    std::memcpy(&to.sin_addr, four.ip.data(), 4);
    sockaddr_storage address{};
    std::memcpy(&address, &to, sizeof to);
    stun_agent_init_response(&agent_, &reply, buffer.data(), buffer.size(), &request);
    stun_message_append_xor_addr(&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address, sizeof to);
    buffer.resize(stun_agent_finish_message(&agent_, &reply, bytes_of(pwd).data(), pwd.size()));
    out.success = buffer;
    return out;
  }

  static constexpr auto usage =
      static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);

private:
  static bool give_password(StunAgent*, StunMessage*, uint8_t*, uint16_t, uint8_t** password, size_t* size, void*) {
    static std::string copy = pwd;
    *password = reinterpret_cast<uint8_t*>(copy.data());
    *size = copy.size();
    return true;
  }

  StunAgent agent_;
  uint16_t known_[11] = {STUN_ATTRIBUTE_MAPPED_ADDRESS,
                         STUN_ATTRIBUTE_USERNAME,
                         STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
                         STUN_ATTRIBUTE_ERROR_CODE,
                         STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
                         STUN_ATTRIBUTE_REALM,
                         STUN_ATTRIBUTE_NONCE,
                         STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                         STUN_ATTRIBUTE_PRIORITY,
                         STUN_ATTRIBUTE_USE_CANDIDATE,
                         0};
};

Verdict ours(Bytes datagram) {
  static StunCodec codec;
  Verdict out;
  auto verified = codec.verify(datagram, pwd);
  if (verified.drop) return out.drop = verified.drop, out;
  out.priority = verified.request.priority;
  out.use_candidate = verified.request.use_candidate;
  out.controlled = verified.request.controlled;
  if (verified.unknown_attribute) out.unknown = named_unknown(codec.unknown_attributes());
  Bytes reply = codec.success(four);
  out.success.assign(reply.begin(), reply.end());
  return out;
}

// libnice's verdict, but for what we mean to do otherwise.
Verdict expected(Bytes datagram) {
  static NiceServer nice;
  Verdict out = nice.verify(datagram);
  // A message of RFC 3489, without the cookie, is no STUN for us; libnice calls it a bad request.
  if (datagram.size() >= 8 && load_u32(&datagram[4]) != 0x2112a442) out.drop = Drop::malformed;
  if (out.drop) return out;
  // Behind MESSAGE-INTEGRITY nothing is unknown, for it is ignored (RFC 8489 section 14.5). libnice names it.
  size_t unknown = 0;
  for (auto [type, value] : attributes(datagram)) {
    if (std::find(out.unknown.begin(), out.unknown.end(), type) != out.unknown.end()) ++unknown;
    if (type != STUN_ATTRIBUTE_MESSAGE_INTEGRITY) continue;
    // The same section: its value has 20 bytes. libnice looks at the first 20 of more.
    if (value.size() != HmacSha1::size) {
      out = Verdict();
      out.drop = Drop::bad_integrity;
      return out;
    }
    break;
  }
  out.unknown.resize(std::min(unknown, UnknownAttributes().types.size()));  // libnice sends nothing when many
  return out;
}

}  // namespace

class StunCompareTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StunCompareTest);
  CPPUNIT_TEST(odd_requests_are_judged_alike);
  CPPUNIT_TEST(every_type_of_attribute_is_judged_alike);
  CPPUNIT_TEST(requests_made_by_chance_are_judged_alike);
  CPPUNIT_TEST(replies_to_requests_made_by_chance_are_read_by_libnice);
  CPPUNIT_TEST_SUITE_END();

public:
  static void compare(const std::string& what, Bytes message) {
    std::vector<uint8_t> exact(message.begin(), message.end());  // for the sanitizer
    const Verdict theirs = expected(exact), own = ours(exact);
    if (theirs == own) return;
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, text(theirs), text(own));
    CPPUNIT_FAIL(what + ": another reply");
  }

  static StunDraft draft() {
    const uint8_t transaction[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    return StunDraft(transaction);
  }
  static StunDraft named() { return draft().add(username, "ours:theirs"); }
  static void compare_signed(const std::string& what, StunDraft message) {
    compare(what, message.integrity(pwd).fingerprint().bytes);
  }

  void odd_requests_are_judged_alike() {
    compare_signed("no username", draft().add(priority, 1000u));
    compare_signed("an empty username", draft().add(username, ""));
    compare_signed("a long username", draft().add(username, "ours:" + std::string(600, 'x')));
    compare_signed("two usernames", named().add(username, "others:theirs"));
    compare_signed("nothing but a username", named());
    for (size_t size : {0, 3, 5, 8})
      compare_signed("a priority of another size", named().add(priority, std::string(size, 'p')));
    compare_signed("two priorities", named().add(priority, 1u).add(priority, 2u));
    compare_signed("a bad priority, then a good one", named().add(priority, "abc").add(priority, 2u));
    compare_signed("a use-candidate with a value", named().add(use_candidate, "abcd"));
    compare_signed("a bad use-candidate, then a good one", named().add(use_candidate, "abcd").add(use_candidate, ""));
    compare_signed("an empty controlled", named().add(controlled, ""));
    compare_signed("controlling and controlled", named().add(controlling, "12345678").add(controlled, "12345678"));
    compare_signed("padding that is not zero", draft().add(username, bytes_of("ours:theirs12"), 0xff));
    compare_signed("the same unknown twice", named().add(0x7abc, 1u).add(0x7abc, 1u));
    compare_signed("unknown before the username", draft().add(0x7abc, 1u).add(username, "ours:theirs"));

    for (size_t size : {0, 16, 19, 21, 24, 32})
      compare("an integrity of another size", named().integrity(pwd, size).fingerprint().bytes);
    compare("no integrity", named().fingerprint().bytes);
    compare("a wrong integrity", named().integrity("bad").fingerprint().bytes);
    compare("two integrities", named().integrity(pwd).integrity(pwd).fingerprint().bytes);
    compare("a wrong integrity, then a good one", named().integrity("bad").integrity(pwd).fingerprint().bytes);
    compare("a good integrity, then a wrong one", named().integrity(pwd).integrity("bad").fingerprint().bytes);
    compare("the username behind the integrity", draft().integrity(pwd).add(username, "a:b").fingerprint().bytes);
    for (uint16_t type : {priority, use_candidate, controlled, uint16_t{0x8022}, uint16_t{0x7abc}, integrity_sha256})
      compare("something behind the integrity", named().integrity(pwd).add(type, "abcd").fingerprint().bytes);
    compare_signed("SHA256 before SHA1", named().add(integrity_sha256, std::string(32, 's')));
    compare("SHA256 alone", named().add(integrity_sha256, std::string(32, 's')).fingerprint().bytes);

    compare("no fingerprint", named().integrity(pwd).bytes);
    auto wrong = named().integrity(pwd).fingerprint().bytes;
    wrong.back() ^= 1;
    compare("a wrong fingerprint", wrong);
    compare("the fingerprint before the integrity", named().fingerprint().integrity(pwd).bytes);
    compare("fingerprints around the integrity", named().fingerprint().integrity(pwd).fingerprint().bytes);
    compare("two fingerprints", named().integrity(pwd).fingerprint().fingerprint().bytes);
    compare("something behind the fingerprint", named().integrity(pwd).fingerprint().add(0x8022, "abcd").bytes);
    auto inside = named().integrity(pwd).fingerprint().add(0x8022, "abcd").bytes;
    const size_t before = inside.size() - 16;
    store_u32(&inside[before + 4], StunDraft::crc32(Bytes(inside).first(before)) ^ 0x5354554e);
    compare("something behind the fingerprint, which is right but for that", inside);
    auto short_fingerprint = named().integrity(pwd).fingerprint().bytes;
    short_fingerprint[short_fingerprint.size() - 5] = 3;
    compare("a fingerprint of three bytes", short_fingerprint);

    auto longer = named().integrity(pwd).fingerprint().bytes;
    longer.push_back(0);
    compare("a byte too many", longer);
    store_u16(&longer[2], static_cast<uint16_t>(longer.size() - 20));
    compare("a size that is no multiple of four", longer);
    compare("nothing but a header", draft().bytes);
    for (uint16_t type : std::initializer_list<uint16_t>{0x0011, 0x0101, 0x0111, 0x0003, 0x4001, 0x8001})
      compare("another type", StunDraft({}, type).add(username, "a:b").integrity(pwd).fingerprint().bytes);
  }

  void every_type_of_attribute_is_judged_alike() {
    for (uint32_t type = 0; type < 0x8100; ++type)
      compare_signed("type " + std::to_string(type), named().add(static_cast<uint16_t>(type), "abcd"));
  }

  // Attributes as they come, signed mostly well; then often a few bytes are changed, and the fingerprint sometimes made
  // right again.
  static std::vector<uint8_t> by_chance(Random& random) {
    auto one_of = [&](uint64_t n) { return random.below(n) == 0; };
    std::vector<uint8_t> id(12);
    random.fill(id);
    StunDraft message(id, one_of(50) ? static_cast<uint16_t>(random.u32()) : 0x0001);
    auto attributes_by_chance = [&](uint64_t most) {
      for (uint64_t n = random.below(most + 1); n > 0; --n) {
        switch (random.below(8)) {
        case 0: message.add(username, random.word(random.below(9)) + ":" + random.word(random.below(5))); break;
        case 1: message.add(priority, random.u32()); break;
        case 2: message.add(use_candidate, random.word(one_of(8) ? 4 : 0)); break;
        case 3: message.add(one_of(2) ? controlled : controlling, random.word(8)); break;
        case 4: message.add(static_cast<uint16_t>(0x8000 + random.below(0x100)), random.word(random.below(20))); break;
        case 5: message.add(static_cast<uint16_t>(random.below(0x30)), random.word(random.below(20))); break;
        case 6: message.add(priority, random.word(random.below(9))); break;
        default:
          if (one_of(4)) message.add(static_cast<uint16_t>(random.below(0x8000)), random.word(random.below(9)));
        }
      }
    };
    if (!one_of(10)) message.add(username, "ours:" + random.word(random.below(9)));
    attributes_by_chance(4);
    if (one_of(20)) message.fingerprint();
    if (!one_of(20)) message.integrity(one_of(10) ? "bad" : pwd, one_of(10) ? random.below(40) : HmacSha1::size);
    if (one_of(4)) attributes_by_chance(2);
    if (!one_of(20)) message.fingerprint();
    if (one_of(20)) attributes_by_chance(1);

    auto& bytes = message.bytes;
    if (one_of(3)) {
      for (uint64_t n = 1 + random.below(3); n > 0; --n)
        bytes[random.below(bytes.size())] ^= uint8_t(1 << random.below(8));
      if (one_of(2))
        store_u32(&bytes[bytes.size() - 4], StunDraft::crc32(Bytes(bytes).first(bytes.size() - 8)) ^ 0x5354554e);
    }
    if (one_of(30)) bytes.resize(random.below(bytes.size() + 8));
    return bytes;
  }

  void requests_made_by_chance_are_judged_alike() {
    SeededRandom random(1);
    size_t accepted = 0, unknown = 0, refused = 0, malformed = 0;
    for (int i = 0; i < 20000; ++i) {
      auto message = by_chance(random);
      compare("number " + std::to_string(i), message);
      Verdict verdict = ours(message);
      if (!verdict.drop)
        ++(verdict.unknown.empty() ? accepted : unknown);
      else
        ++(verdict.drop == Drop::malformed ? malformed : refused);
    }
    CPPUNIT_ASSERT(accepted > 1000 && unknown > 1000 && refused > 1000 && malformed > 500);
  }

  void replies_to_requests_made_by_chance_are_read_by_libnice() {
    SeededRandom random(2);
    StunCodec codec;
    StunClient client;
    for (int i = 0; i < 2000; ++i) {
      Check check;
      check.username = random.word(1 + random.below(30)) + ":" + random.word(random.below(30));
      check.pwd = random.word(1 + random.below(StunCodec::max_pwd));
      check.use_candidate = random.below(2) == 0;
      check.controlling = random.below(2) == 0;
      check.priority = 1 + static_cast<uint32_t>(random.below(0x7fffffff));
      auto request = client.request(check);
      auto verified = codec.verify(request, check.pwd);
      CPPUNIT_ASSERT(!verified.drop && !verified.unknown_attribute);
      CPPUNIT_ASSERT(StunCodec::local_ufrag(request) == check.username.substr(0, check.username.find(':')));
      CPPUNIT_ASSERT_EQUAL(check.priority, verified.request.priority);
      CPPUNIT_ASSERT_EQUAL(check.use_candidate, verified.request.use_candidate);
      CPPUNIT_ASSERT_EQUAL(!check.controlling, verified.request.controlled);
      Address from;
      from.v6 = random.below(2) == 0;
      from.port = static_cast<uint16_t>(random.u32());
      random.fill(MutableBytes(from.ip).first(from.v6 ? 16 : 4));
      const bool conflict = random.below(4) == 0;
      auto reply = client.read(conflict ? codec.error(487) : codec.success(from));
      CPPUNIT_ASSERT(reply.valid);
      if (conflict)
        CPPUNIT_ASSERT_EQUAL(487, reply.error);
      else
        CPPUNIT_ASSERT(reply.mapped == from);
    }
  }

private:
  static constexpr uint16_t username = STUN_ATTRIBUTE_USERNAME, priority = STUN_ATTRIBUTE_PRIORITY,
                            use_candidate = STUN_ATTRIBUTE_USE_CANDIDATE, controlled = STUN_ATTRIBUTE_ICE_CONTROLLED,
                            controlling = STUN_ATTRIBUTE_ICE_CONTROLLING, integrity_sha256 = 0x001c;
};
CPPUNIT_TEST_SUITE_REGISTRATION(StunCompareTest);

}  // namespace cardea::ice
