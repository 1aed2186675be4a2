#include "ice/stun.hpp"

#include <algorithm>

namespace cardea::ice {

namespace {

constexpr uint32_t magic_cookie = 0x2112a442;
constexpr uint32_t fingerprint_mask = 0x5354554e;  // RFC 8489 section 14.7
// In bytes, attributes with their type and length.
constexpr size_t header_size = 20, integrity_size = 4 + HmacSha1::size, fingerprint_size = 4 + 4;

// Class and method in one number, RFC 8489 section 5.
enum MessageType : uint16_t { binding_request = 0x0001, binding_success = 0x0101, binding_error = 0x0111 };

// RFC 8489 section 18.3, RFC 8445 section 20.1
enum AttributeType : uint16_t {
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attribute_types = 0x000a,
  realm = 0x0014,
  nonce = 0x0015,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
};

constexpr size_t padding(size_t size) { return (4 - size % 4) % 4; }

struct Attribute {
  uint16_t type = 0;
  size_t at = 0;  // from the message's begin
  Bytes value;
};

// Reads a message's header and then its attributes, one by one.
class MessageReader {
public:
  explicit MessageReader(Bytes message) : reader_(message) {
    type_ = reader_.u16();
    uint16_t size = reader_.u16();
    uint32_t cookie = reader_.u32();
    transaction_ = reader_.take(12);
    whole_ = reader_.ok() && type_ < 0x4000 && cookie == magic_cookie && size == reader_.left();
  }

  // False behind the last one, and at one that does not fit.
  bool next(Attribute& into) {
    if (!whole_ || reader_.left() == 0) return false;
    into.at = reader_.position();
    into.type = reader_.u16();
    into.value = reader_.take(reader_.u16());
    reader_.skip(padding(into.value.size()));
    return whole_ = reader_.ok();
  }

  bool whole() const { return whole_; }  // nothing was wrong so far
  uint16_t type() const { return type_; }
  Bytes transaction() const { return transaction_; }

private:
  ByteReader reader_;
  uint16_t type_ = 0;
  Bytes transaction_;
  bool whole_ = false;
};

// What of a binding request counts. Of an attribute that comes twice it is the first (RFC 8489 section 14), and behind
// MESSAGE-INTEGRITY, where anybody on the way may have added something, only FINGERPRINT.
struct Fields {
  std::optional<Attribute> username, priority, use_candidate, controlled, integrity, fingerprint;
  UnknownAttributes unknown;

  std::optional<Attribute>* of(uint16_t type) {
    switch (type) {
    case AttributeType::username: return &username;
    case AttributeType::priority: return &priority;
    case AttributeType::use_candidate: return &use_candidate;
    case AttributeType::ice_controlled: return &controlled;
    case AttributeType::message_integrity: return &integrity;
    case AttributeType::fingerprint: return &fingerprint;
    default: return nullptr;
    }
  }
};

// Below 0x8000 they must be understood (RFC 8489 section 14); some are, and say nothing in a request.
bool may_be_ignored(uint16_t type) {
  switch (type) {
  case mapped_address:
  case error_code:
  case unknown_attribute_types:
  case realm:
  case nonce:
  case xor_mapped_address: return true;
  default: return type >= 0x8000;
  }
}

Fields read_fields(MessageReader& message) {
  Fields fields;
  Attribute attribute;
  while (message.next(attribute)) {
    if (fields.integrity && attribute.type != fingerprint) continue;
    if (auto* field = fields.of(attribute.type)) {
      if (!*field) *field = attribute;
    } else if (!may_be_ignored(attribute.type) && fields.unknown.count < fields.unknown.types.size()) {
      fields.unknown.types[fields.unknown.count++] = attribute.type;
    }
  }
  return fields;
}

// RFC 8489 section 14.7: FINGERPRINT is the CRC-32 of ITU-T V.42. Four bytes at a time, by what each of their half
// bytes does: from cold caches these 512 bytes come all at once, the lines of a table of 256 one after another.
alignas(64) constexpr auto crc_tables = [] {
  std::array<std::array<uint32_t, 16>, 8> tables{};
  for (uint32_t half = 0; half < 8; ++half) {
    for (uint32_t value = 0; value < 16; ++value) {
      uint32_t crc = value << (4 * half);
      for (int bit = 0; bit < 32; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
      tables[half][value] = crc;
    }
  }
  return tables;
}();

// What FINGERPRINT holds for a message that ends before it. Whole attributes only: a multiple of four bytes.
uint32_t fingerprint_of(Bytes message) {
  uint32_t crc = ~0u;
  for (size_t at = 0; at + 4 <= message.size(); at += 4) {
    const uint8_t* four = &message[at];
    crc ^= four[0] | (uint32_t{four[1]} << 8) | (uint32_t{four[2]} << 16) | (uint32_t{four[3]} << 24);
    uint32_t rest = 0;
    for (const auto& table : crc_tables) {
      rest ^= table[crc & 15];
      crc >>= 4;
    }
    crc = rest;
  }
  return ~crc ^ fingerprint_mask;
}

bool fingerprint_holds(Bytes message, const std::optional<Attribute>& given) {
  return given && given->value.size() == 4 && given->at + fingerprint_size == message.size() &&
         load_u32(given->value.data()) == fingerprint_of(message.first(given->at));
}

// RFC 8489 section 14.5: the HMAC of what is before MESSAGE-INTEGRITY, with a length as if the message ended behind it.
void hash_before_integrity(HmacSha1& key, Bytes before) {
  std::array<uint8_t, header_size> header;
  std::copy_n(before.begin(), header_size, header.begin());
  store_u16(&header[2], static_cast<uint16_t>(before.size() + integrity_size - header_size));
  key.start();
  key.update(header);
  key.update(before.subspan(header_size));
}

std::string_view reason(uint16_t code) {
  switch (code) {
  case 400: return "Bad Request";
  case 420: return "Unknown Attribute";
  case 487: return "Role Conflict";
  default: return "";  // no other is sent
  }
}

void put_error_code(ByteWriter& reply, uint16_t code) {
  std::string_view phrase = reason(code);
  reply.u16(error_code);
  reply.u16(static_cast<uint16_t>(4 + phrase.size()));
  reply.u16(0);
  reply.u8(static_cast<uint8_t>(code / 100));
  reply.u8(static_cast<uint8_t>(code % 100));
  reply.put(bytes_of(phrase));
  reply.zeros(padding(phrase.size()));
}

}  // namespace

bool StunCodec::is_stun(Bytes datagram) {
  MessageReader message(datagram);
  Attribute attribute;
  while (message.next(attribute)) continue;
  return message.whole();
}

std::optional<std::string_view> StunCodec::local_ufrag(Bytes datagram) {
  MessageReader message(datagram);
  if (message.type() != binding_request) return {};
  Attribute attribute;
  while (message.next(attribute) && attribute.type != message_integrity) {
    if (attribute.type != username) continue;
    std::string_view name = text_of(attribute.value);
    size_t colon = name.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    return name.substr(0, colon);
  }
  return {};
}

std::optional<uint32_t> StunCodec::asker(Bytes datagram) {
  MessageReader message(datagram);
  if (!message.whole() || (message.type() != binding_success && message.type() != binding_error)) return {};
  return load_u32(message.transaction().data());
}

StunCodec::Verified StunCodec::verify(Bytes datagram, std::string_view local_pwd) {
  key_.reset();
  Verified out;
  MessageReader message(datagram);
  const Fields fields = read_fields(message);
  if (!message.whole() || message.type() != binding_request || local_pwd.empty() || local_pwd.size() > max_pwd)
    return out.drop = Drop::malformed, out;
  if (!fields.username || !fields.integrity || !fingerprint_holds(datagram, fields.fingerprint))
    return out.drop = Drop::bad_integrity, out;
  HmacSha1 key(bytes_of(local_pwd));
  hash_before_integrity(key, datagram.first(fields.integrity->at));
  if (!key.matches(fields.integrity->value)) return out.drop = Drop::bad_integrity, out;

  key_ = key;
  std::copy(message.transaction().begin(), message.transaction().end(), transaction_.begin());
  unknown_ = fields.unknown;
  if (fields.priority && fields.priority->value.size() == 4)
    out.request.priority = load_u32(fields.priority->value.data());
  out.request.use_candidate = fields.use_candidate && fields.use_candidate->value.empty();
  out.request.controlled = fields.controlled.has_value();
  out.unknown_attribute = unknown_.count > 0;
  return out;
}

ByteWriter StunCodec::begin(uint16_t type) {
  ByteWriter reply(reply_);
  reply.u16(type);
  reply.u16(0);  // the size, known in the end
  reply.u32(magic_cookie);
  reply.put(transaction_);
  return reply;
}

Bytes StunCodec::finish(ByteWriter& reply) {
  std::array<uint8_t, HmacSha1::size> digest;
  hash_before_integrity(*key_, reply.written());
  key_->finish(digest.data());
  reply.u16(message_integrity);
  reply.u16(HmacSha1::size);
  reply.put(digest);
  reply.patch_u16(2, static_cast<uint16_t>(reply.size() + fingerprint_size - header_size));
  const uint32_t crc = fingerprint_of(reply.written());
  reply.u16(fingerprint);
  reply.u16(4);
  reply.u32(crc);
  return reply.ok() ? reply.written() : Bytes();
}

Bytes StunCodec::success(const Address& mapped) {
  if (!key_) return {};
  ByteWriter reply = begin(binding_success);
  const size_t ip_size = mapped.v6 ? 16 : 4;
  reply.u16(xor_mapped_address);
  reply.u16(static_cast<uint16_t>(4 + ip_size));
  reply.u16(mapped.v6 ? 2 : 1);
  reply.u16(static_cast<uint16_t>(mapped.port ^ (magic_cookie >> 16)));
  // RFC 8489 section 14.2: the mask is the cookie and the transaction id, which follow each other in the header.
  for (size_t i = 0; i < ip_size; ++i) reply.u8(mapped.ip[i] ^ reply_[4 + i]);
  return finish(reply);
}

Bytes StunCodec::error(uint16_t code) {
  if (!key_) return {};
  ByteWriter reply = begin(binding_error);
  put_error_code(reply, code);
  return finish(reply);
}

Bytes StunCodec::unknown_attributes() {
  if (!key_) return {};
  ByteWriter reply = begin(binding_error);
  put_error_code(reply, 420);
  reply.u16(unknown_attribute_types);
  reply.u16(static_cast<uint16_t>(2 * unknown_.count));
  for (size_t i = 0; i < unknown_.count; ++i) reply.u16(unknown_.types[i]);
  reply.zeros(padding(2 * unknown_.count));
  return finish(reply);
}

Bytes StunCodec::request(const Ask& ask) {
  // RFC 8445 section 5.1.2.1: what a peer reflexive candidate of ours would have.
  constexpr uint32_t peer_reflexive = (110u << 24) | (0xffffu << 8) | 0xff;
  key_.reset();
  if (ask.remote_pwd.empty() || ask.remote_pwd.size() > max_pwd) return {};
  key_.emplace(bytes_of(ask.remote_pwd));
  transaction_ = ask.transaction;
  ByteWriter message = begin(binding_request);
  const size_t name_size = ask.remote_ufrag.size() + 1 + ask.local_ufrag.size();
  message.u16(username);
  message.u16(static_cast<uint16_t>(name_size));
  message.put(bytes_of(ask.remote_ufrag));
  message.u8(':');
  message.put(bytes_of(ask.local_ufrag));
  message.zeros(padding(name_size));
  message.u16(priority);
  message.u16(4);
  message.u32(peer_reflexive);
  message.u16(ice_controlled);
  message.u16(8);
  message.u64(ask.tie_breaker);
  if (!message.ok()) return key_.reset(), Bytes();
  Bytes made = finish(message);
  key_.reset();  // nobody's request was verified
  return made;
}

std::optional<Drop> StunCodec::verify_answer(Bytes datagram, const TransactionId& transaction,
                                             std::string_view remote_pwd) {
  MessageReader message(datagram);
  const Fields fields = read_fields(message);
  if (!message.whole() || message.type() != binding_success || remote_pwd.empty() || remote_pwd.size() > max_pwd)
    return Drop::malformed;
  if (!std::equal(transaction.begin(), transaction.end(), message.transaction().begin())) return Drop::unknown_source;
  if (!fields.integrity || (fields.fingerprint && !fingerprint_holds(datagram, fields.fingerprint)))
    return Drop::bad_integrity;
  HmacSha1 key(bytes_of(remote_pwd));
  hash_before_integrity(key, datagram.first(fields.integrity->at));
  if (!key.matches(fields.integrity->value)) return Drop::bad_integrity;
  return {};
}

}  // namespace cardea::ice
