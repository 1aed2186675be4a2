// STUN as strangers and peers may send it to an ICE-lite agent. First byte 0: the rest is a datagram. Otherwise the
// rest is a list of attributes (type, size, value) that a peer who knows the password sends, in a message that is right
// otherwise.
#include <stun/stunagent.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "ice/lite_agent.hpp"

using namespace cardea;

namespace {

constexpr char pwd[] = "VOkJxbRl1RmTxUk/WvJxBt";  // RFC 5769's, with its ufrag
constexpr char username[] = "evtj:h6vY";

std::vector<uint8_t> signed_message(Bytes attributes) {
  static StunAgent agent = [] {
    StunAgent fresh;
    stun_agent_init(
        &fresh, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
        static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT));
    return fresh;
  }();
  std::vector<uint8_t> buffer(1500);
  StunMessage message;
  stun_agent_init_request(&agent, &message, buffer.data(), buffer.size(), STUN_BINDING);
  stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, username, sizeof username - 1);
  ByteReader reader(attributes);
  while (reader.left() > 3) {
    auto type = static_cast<StunAttribute>(reader.u16());
    size_t size = std::min<size_t>(reader.u8(), reader.left());
    Bytes value = reader.take(size);
    stun_message_append_bytes(&message, type, value.data(), value.size());
  }
  size_t size = stun_agent_finish_message(&agent, &message, reinterpret_cast<const uint8_t*>(pwd), sizeof pwd - 1);
  StunTransactionId id;
  stun_message_id(&message, id);
  stun_agent_forget_transaction(&agent, id);
  buffer.resize(size);
  return buffer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static ice::StunCodec codec;
  if (size == 0) return 0;
  Bytes input(data + 1, size - 1);
  // A copy of its own size, so that a read behind it is seen.
  std::vector<uint8_t> datagram = data[0] == 0 ? std::vector(input.begin(), input.end()) : signed_message(input);

  bool whole = ice::StunCodec::is_stun(datagram);
  if (ice::StunCodec::local_ufrag(datagram) && datagram.size() < 20) std::abort();
  SeededRandom random(1);
  ice::LiteAgent agent({codec, random}, {"evtj", pwd}, {"h6vY", "a password of the peer's"});
  Outbox out;
  Address from = *Address::parse("192.0.2.1", 32853);
  auto checked = agent.receive(datagram, from, Time(1s), out);
  if (!checked.drop && (!whole || agent.selected() != from)) std::abort();
  for (size_t i = 0; i < out.size(); ++i)
    if (!ice::StunCodec::is_stun(out[i].bytes) || out[i].to != from) std::abort();
  agent.tick(Time(1h), out);
  return 0;
}
