#include "unit/peer/house.hpp"

#include <cppunit/TestAssert.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "peer/assembly.hpp"

namespace cardea::test {

House::House(peer::PeerSettings wanted, const char* cipher, const char* profiles, uint16_t index)
    : worker(index), settings(wanted) {
  static const secure::Certificate certificate = *secure::Certificate::make();
  dtls = *secure::DtlsContext::make(certificate);
  client_dtls = *secure::DtlsContext::make(certificate);
  if (*profiles != 0) SSL_CTX_set_tlsext_use_srtp(client_dtls->native(), profiles);
  engine = *secure::make_cipher_engine(*secure::parse_cipher_choice(cipher));
  context.reset(new peer::PeerContext{settings, dtls_settings, *dtls, stun, *engine, packets, random, {}});
  router = std::make_unique<peer::Router>(table, worker, settings.min_nack_queue);
}

sdp::PeerPlan House::plan(const Member& member, std::vector<sdp::MlinePlan> mlines) const {
  return plan_of("peer" + std::to_string(member.id.slot), std::move(mlines), dtls->fingerprint());
}

Member& House::add(std::vector<sdp::MlinePlan> mlines, std::optional<Address> address) {
  const auto slot = static_cast<uint32_t>(members.size());
  if (!address) address = Address::parse("192.0.2.1", static_cast<uint16_t>(1000 + slot));
  members.push_back({PeerId{worker, 1, slot}, std::make_unique<Client>(*client_dtls, *engine, *address)});
  Member& member = members.back();
  auto planned = std::make_unique<sdp::PeerPlan>(plan(member, std::move(mlines)));
  member.client->own = planned->remote;
  table.add(std::make_unique<peer::PeerConnection>(member.id, std::move(planned), *context, now));
  return member;
}

Member& House::join(std::vector<sdp::MlinePlan> mlines, std::optional<Address> address) {
  Member& member = add(std::move(mlines), address);
  connect(member);
  return member;
}

void House::connect(Member& member) {
  deliver(member, stun_check(peer(member)->plan().local, true));
  member.client->start_dtls(now);
  for (int i = 0; i < 20 && !(peer(member)->up() && member.client->connected()); ++i) turn();
  CPPUNIT_ASSERT(peer(member)->up());
  CPPUNIT_ASSERT(member.client->connected());
}

void House::update(Member& member, std::vector<sdp::MlinePlan> mlines) {
  router->update(*peer(member), std::make_unique<sdp::PeerPlan>(plan(member, std::move(mlines))), now, output);
}

void House::close(Member& member) {
  peer(member)->close(output);
  router->close(*peer(member));
  table.remove(member.id);
}

void House::deliver(Member& member, std::vector<uint8_t> bytes) {
  peer::PeerConnection* to = peer(member);
  if (to == nullptr) return;
  Datagram datagram{member.client->address(), bytes};
  peer::Received received = to->receive(datagram, now, output);
  if (received.packet) {
    const peer::Router::Copies copies = router->deliver(received.packet, *to, now, output);
    for (uint16_t other : copies.workers)
      if (mirrored) mirrored(other, *received.packet, {to->id(), received.packet->mline}, copies.common_offset);
  }
  for (const peer::Feedback& feedback : received.feedback) router->answer(*to, feedback, now, output);
  to->start_dtls(now, output);
  if (!to->over()) return;
  router->close(*to);
  table.remove(member.id);
}

Member* House::member_at(const Address& address) {
  auto found = std::find_if(members.begin(), members.end(),
                            [&](const Member& member) { return member.client->address() == address; });
  return found == members.end() ? nullptr : &*found;
}

void House::to_client(const Address& to, Bytes datagram) {
  Member* member = member_at(to);
  if (member == nullptr || (lost && lost(*member, datagram))) return;
  member->client->receive(datagram, now);
}

// What worker/egress does, one packet at a time: with padding by chance where it is allowed.
void House::send_queue(peer::PeerConnection& from) {
  peer::Assembly assembly;
  for (const peer::Outgoing& outgoing : from.queue()) {
    if (!assembly.begin(outgoing)) continue;
    const auto padding = static_cast<uint8_t>(assembly.may_pad() && random.below(3) == 0 ? random.below(256) : 0);
    const size_t size = assembly.size() + padding;
    std::vector<uint8_t> out(size + secure::max_tag_size);
    assembly.write(out.data(), padding);
    if (outgoing.rtx) ++resent;
    ++sent;
    if (sealing) sealing(assembly.ssrc(), assembly.index(), Bytes(out).first(size));
    const size_t header = assembly.header().size();
    const secure::SealJob job{from.send_key(),
                              assembly.index(),
                              assembly.ssrc(),
                              out.data(),
                              static_cast<uint16_t>(header),
                              out.data() + header,
                              static_cast<uint16_t>(size - header),
                              out.data()};
    engine->seal(std::span(&job, 1));
    to_client(*from.path(), Bytes(out).first(job.sealed_size()));
  }
  from.queue().clear();
  if (const rtp::SharedPacket report = from.take_report()) {
    ++reports_with_media;
    to_client(*from.path(), report->payload());
  }
}

void House::turn() {
  for (Member& member : members) {
    std::vector<std::vector<uint8_t>> out = std::move(member.client->outbox());
    member.client->outbox().clear();
    for (std::vector<uint8_t>& datagram : out) deliver(member, std::move(datagram));
  }
  for (Member& member : members) {
    peer::PeerConnection* of = peer(member);
    if (of == nullptr) continue;
    of->seen_hurried();
    if (of->next_deadline() <= now) of->tick(now, output);
    if (!of->over()) continue;
    router->close(*of);
    table.remove(member.id);
  }
  context->hurried.clear();
  for (size_t i = 0; i < output.datagrams.size(); ++i) to_client(output.datagrams[i].to, output.datagrams[i].bytes);
  for (peer::PeerConnection* waiting : router->waiting()) send_queue(*waiting);
  router->waiting().clear();
  events.insert(events.end(), output.events.begin(), output.events.end());
  output.clear();
}

void House::run(Duration span, Duration step) {
  for (const Time until = now + span; now < until;) {
    turn();
    now += step;
  }
  turn();
}

}  // namespace cardea::test
