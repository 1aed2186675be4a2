#include "unit/ice/stun_client.hpp"

#include <netinet/in.h>
#include <stun/debug.h>
#include <sys/socket.h>

#include <cstring>

namespace cardea::ice {

StunClient::StunClient() : agent_(std::make_unique<StunAgent>()) {
  stun_debug_disable();
  stun_agent_init(
      agent_.get(), STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
      static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT));
}

std::vector<uint8_t> StunClient::request(const Check& check) {
  std::vector<uint8_t> buffer(1280);
  StunMessage message;
  pwd_ = check.pwd;
  size_t size = stun_usage_ice_conncheck_create(
      agent_.get(), &message, buffer.data(), buffer.size(), reinterpret_cast<const uint8_t*>(check.username.data()),
      check.username.size(), reinterpret_cast<const uint8_t*>(pwd_.data()), pwd_.size(), check.use_candidate,
      check.controlling, check.priority, 0x1234567890abcdef, nullptr, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  buffer.resize(size);
  // Unanswered ones would fill libnice's table.
  StunTransactionId id;
  stun_message_id(&message, id);
  if (agent_->sent_ids[150].valid) stun_agent_forget_transaction(agent_.get(), id);
  return buffer;
}

StunClient::Reply StunClient::read(Bytes bytes) {
  Reply reply;
  StunMessage message;
  if (stun_agent_validate(agent_.get(), &message, bytes.data(), bytes.size(), nullptr, nullptr) !=
      STUN_VALIDATION_SUCCESS)
    return reply;
  reply.valid = true;
  stun_message_find_error(&message, &reply.error);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  reply.outcome = stun_usage_ice_conncheck_process(&message, &address, &size, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  if (reply.outcome != STUN_USAGE_ICE_RETURN_SUCCESS) return reply;
  Address mapped;
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, &address, sizeof six);
    mapped.v6 = true;
    mapped.port = ntohs(six.sin6_port);
    std::memcpy(mapped.ip.data(), &six.sin6_addr, 16);
  } else {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    mapped.port = ntohs(four.sin_port);
    std::memcpy(mapped.ip.data(), &four.sin_addr, 4);
  }
  reply.mapped = mapped;
  return reply;
}

}  // namespace cardea::ice
