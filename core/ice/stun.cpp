#include "ice/stun.hpp"

#include <netinet/in.h>
#include <stun/debug.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace cardea::ice {

namespace {

constexpr size_t header_size = 20;
constexpr uint32_t magic_cookie = 0x2112a442;
constexpr uint16_t binding_request = 0x0001;  // class and method in one number, RFC 8489 section 5
constexpr size_t max_reply = 256;             // the longest is an error with its reason: about 100 bytes
constexpr size_t max_pwd = 256;               // RFC 8839 section 5.4

// What a request may hold that must be understood; libnice answers 420 to the rest below 0x8000.
constexpr uint16_t known_attributes[] = {STUN_ATTRIBUTE_MAPPED_ADDRESS,
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

socklen_t to_system(const Address& address, sockaddr_storage& into) {
  std::memset(&into, 0, sizeof into);
  if (address.v6) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(address.port);
    std::memcpy(&six.sin6_addr, address.ip.data(), 16);
    std::memcpy(&into, &six, sizeof six);
    return sizeof six;
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(address.port);
  std::memcpy(&four.sin_addr, address.ip.data(), 4);
  std::memcpy(&into, &four, sizeof four);
  return sizeof four;
}

}  // namespace

struct StunCodec::Native {
  StunAgent agent;
  uint16_t known[std::size(known_attributes)];
  StunMessage request;
  std::array<uint8_t, max_pwd> pwd;
  size_t pwd_size = 0;
  bool verified = false;
  std::array<uint8_t, max_reply> reply;

  // Whoever the user is: the peer, and with it the password, was found by the ufrag before.
  static bool give_password(StunAgent*, StunMessage*, uint8_t*, uint16_t, uint8_t** password, size_t* size,
                            void* context) {
    auto* native = static_cast<Native*>(context);
    *password = native->pwd.data();
    *size = native->pwd_size;
    return true;
  }

  Bytes finish(StunMessage& message) {
    return Bytes(reply).first(stun_agent_finish_message(&agent, &message, pwd.data(), pwd_size));
  }
};

StunCodec::StunCodec() : native_(std::make_unique<Native>()) {
  stun_debug_disable();
  std::copy(std::begin(known_attributes), std::end(known_attributes), native_->known);
  stun_agent_init(
      &native_->agent, native_->known, STUN_COMPATIBILITY_RFC5389,
      static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT));
}

StunCodec::~StunCodec() = default;

bool StunCodec::is_stun(Bytes datagram) {
  return datagram.size() >= header_size && datagram.size() <= STUN_MAX_MESSAGE_SIZE && (datagram[0] & 0xc0) == 0 &&
         load_u32(&datagram[4]) == magic_cookie &&
         stun_message_validate_buffer_length(datagram.data(), datagram.size(), true) ==
             static_cast<int>(datagram.size());
}

std::optional<std::string_view> StunCodec::local_ufrag(Bytes datagram) {
  ByteReader reader(datagram);
  uint16_t type = reader.u16(), length = reader.u16();
  uint32_t cookie = reader.u32();
  reader.skip(12);
  if (!reader.ok() || type != binding_request || cookie != magic_cookie || length != reader.left()) return {};
  while (reader.left() > 0) {
    uint16_t attribute = reader.u16(), size = reader.u16();
    Bytes value = reader.take(size);
    reader.skip((4u - size % 4u) % 4u);
    if (!reader.ok() || attribute == STUN_ATTRIBUTE_MESSAGE_INTEGRITY) return {};
    if (attribute != STUN_ATTRIBUTE_USERNAME) continue;
    std::string_view name = text_of(value);
    size_t colon = name.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    return name.substr(0, colon);
  }
  return {};
}

StunCodec::Verified StunCodec::verify(Bytes datagram, std::string_view local_pwd) {
  native_->verified = false;
  Verified out;
  if (!is_stun(datagram) || load_u16(datagram.data()) != binding_request || local_pwd.empty() ||
      local_pwd.size() > max_pwd) {
    out.drop = Drop::malformed;
    return out;
  }
  std::copy(local_pwd.begin(), local_pwd.end(), native_->pwd.begin());
  native_->pwd_size = local_pwd.size();

  StunMessage& request = native_->request;
  switch (stun_agent_validate(&native_->agent, &request, datagram.data(), datagram.size(), Native::give_password,
                              native_.get())) {
  case STUN_VALIDATION_SUCCESS: break;
  case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE: out.unknown_attribute = true; break;
  case STUN_VALIDATION_NOT_STUN:
  case STUN_VALIDATION_INCOMPLETE_STUN: out.drop = Drop::malformed; return out;
  default: out.drop = Drop::bad_integrity; return out;  // no or a wrong FINGERPRINT or MESSAGE-INTEGRITY
  }
  native_->verified = true;
  out.request.priority = stun_usage_ice_conncheck_priority(&request);
  out.request.use_candidate = stun_usage_ice_conncheck_use_candidate(&request);
  out.request.controlled = stun_message_has_attribute(&request, STUN_ATTRIBUTE_ICE_CONTROLLED);
  return out;
}

Bytes StunCodec::success(const Address& mapped) {
  StunMessage reply;
  sockaddr_storage address;
  socklen_t size = to_system(mapped, address);
  if (!native_->verified ||
      !stun_agent_init_response(&native_->agent, &reply, native_->reply.data(), max_reply, &native_->request) ||
      stun_message_append_xor_addr(&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address, size) !=
          STUN_MESSAGE_RETURN_SUCCESS)
    return {};
  return native_->finish(reply);
}

Bytes StunCodec::error(uint16_t code) {
  StunMessage reply;
  if (!native_->verified || !stun_agent_init_error(&native_->agent, &reply, native_->reply.data(), max_reply,
                                                   &native_->request, static_cast<StunError>(code)))
    return {};
  return native_->finish(reply);
}

Bytes StunCodec::unknown_attributes() {
  StunMessage reply;
  if (!native_->verified) return {};
  return Bytes(native_->reply)
      .first(stun_agent_build_unknown_attributes_error(&native_->agent, &reply, native_->reply.data(), max_reply,
                                                       &native_->request));
}

}  // namespace cardea::ice
