// Peers, a router and their clients in one thread and in virtual time: what a worker does, without sockets.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "peer/peer_connection.hpp"
#include "peer/peer_table.hpp"
#include "peer/router.hpp"
#include "unit/peer/test_client.hpp"

namespace cardea::test {

struct Member {
  PeerId id;
  std::unique_ptr<Client> client;
};

class House {
public:
  // profiles: what the clients offer for SRTP, in OpenSSL's words; empty: all.
  // worker: whose peers they are.
  explicit House(peer::PeerSettings settings = {}, const char* cipher = "auto", const char* profiles = "",
                 uint16_t worker = 0);

  // A peer with these lines and its client, not connected yet.
  Member& add(std::vector<sdp::MlinePlan> mlines, std::optional<Address> address = std::nullopt);
  // The same, connected.
  Member& join(std::vector<sdp::MlinePlan> mlines, std::optional<Address> address = std::nullopt);
  void connect(Member& member);
  void update(Member& member, std::vector<sdp::MlinePlan> mlines);
  void close(Member& member);
  peer::PeerConnection* peer(const Member& member) { return table.find(member.id); }
  sdp::PeerPlan plan(const Member& member, std::vector<sdp::MlinePlan> mlines) const;

  // One datagram of a client into the house.
  void deliver(Member& member, std::vector<uint8_t> datagram);
  // Everything that clients want sent is delivered, deadlines are met, and what the house sends arrives. `lost` may
  // take packets of the house away.
  void turn();
  void run(Duration span, Duration step = 5ms);
  std::function<bool(Member&, Bytes)> lost;
  // Takes copies for other workers.
  std::function<void(uint16_t worker, const rtp::Packet&, ReceiverId, std::optional<uint32_t> common_offset)> mirrored;
  // Sees each packet to a client before it is encrypted, padding and all.
  std::function<void(uint32_t ssrc, uint64_t index, Bytes plain)> sealing;

  template <class Event>
  std::vector<Event> events_of() const {
    std::vector<Event> all;
    for (const peer::PeerEvent& event : events)
      if (auto* one = std::get_if<Event>(&event)) all.push_back(*one);
    return all;
  }

  const uint16_t worker;
  Time now = Time(1'800'000'000s);
  peer::PeerSettings settings;
  secure::DtlsSettings dtls_settings;
  std::unique_ptr<secure::DtlsContext> dtls, client_dtls;
  ice::StunCodec stun;
  std::unique_ptr<secure::CipherEngine> engine;
  rtp::PacketPool packets;
  SeededRandom random{7};
  std::unique_ptr<peer::PeerContext> context;
  peer::PeerTable table;
  std::unique_ptr<peer::Router> router;
  peer::Output output;
  std::vector<peer::PeerEvent> events;
  std::deque<Member> members;
  size_t resent = 0, sent = 0, reports_with_media = 0;

private:
  void send_queue(peer::PeerConnection& peer);
  Member* member_at(const Address& address);
  void to_client(const Address& to, Bytes datagram);
};

}  // namespace cardea::test
