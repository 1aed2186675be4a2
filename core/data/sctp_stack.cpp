#include "data/sctp_stack.hpp"

#include <usrsctp.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

namespace cardea::data {
namespace {

// The library's callbacks know only their socket's number.
SctpStack* the_stack = nullptr;

void* address_of(uint32_t slot) { return reinterpret_cast<void*>(uintptr_t{slot}); }
uint32_t slot_of(const void* address) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(address)); }

sockaddr_conn connection(uint32_t slot, uint16_t port) {
  sockaddr_conn out{};
  out.sconn_family = AF_CONN;
  out.sconn_port = htons(port);
  out.sconn_addr = address_of(slot);
  return out;
}

template <class Value>
bool set(Native* native, int level, int option, const Value& value) {
  return usrsctp_setsockopt(native, level, option, &value, sizeof value) == 0;
}

// What neither WebRTC nor we have use for; the less of it, the better.
void disable_extras() {
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
  usrsctp_sysctl_set_sctp_auto_asconf(0);
  usrsctp_sysctl_set_sctp_mobility_base(0);
  usrsctp_sysctl_set_sctp_mobility_fasthandoff(0);
  usrsctp_sysctl_set_sctp_inits_include_nat_friendly(0);
  usrsctp_sysctl_set_sctp_blackhole(2);  // no answer to packets without an association
}

constexpr size_t header_size = 12;  // RFC 9260 section 3.1
constexpr uint8_t chunk_reconfig = 0x82;
constexpr uint8_t chunk_auth = 0x0f, chunk_asconf_ack = 0x80, chunk_dropped = 0x81, chunk_asconf = 0xc1;

// What a peer may ask for (RFC 6525 section 4): to reset streams, and streams of its own up to as many as we announced
// (the library sees to that). Not streams of ours, of which the library makes as many as it is told, nor new TSNs.
bool asks_for_what_it_may(Bytes parameters) {
  constexpr uint16_t outgoing_reset = 13, incoming_reset = 14, response = 16, add_outgoing = 17;
  while (!parameters.empty()) {
    if (parameters.size() < 4) return false;
    const uint16_t type = load_u16(&parameters[0]), size = load_u16(&parameters[2]);
    if (type != outgoing_reset && type != incoming_reset && type != response && type != add_outgoing) return false;
    if (size < 4 || size > parameters.size()) return false;
    parameters = parameters.subspan(std::min<size_t>((size + 3u) & ~3u, parameters.size()));
  }
  return true;
}

// Ports are ours, and chunks fill the packet exactly: nothing else reaches the library.
bool well_formed(Bytes packet, uint16_t from_port, uint16_t to_port) {
  if (packet.size() < header_size + 4 || packet.size() > 0xffff) return false;
  if (load_u16(&packet[0]) != from_port || load_u16(&packet[2]) != to_port) return false;
  for (size_t at = header_size; at < packet.size();) {
    if (packet.size() - at < 4) return false;
    const uint8_t type = packet[at];
    if (type == chunk_auth || type == chunk_asconf || type == chunk_asconf_ack || type == chunk_dropped) return false;
    const size_t size = load_u16(&packet[at + 2]);
    if (size < 4 || size > packet.size() - at) return false;
    if (type == chunk_reconfig && !asks_for_what_it_may(packet.subspan(at + 4, size - 4))) return false;
    at += std::min((size + 3) & ~size_t{3}, packet.size() - at);  // the last chunk's padding may be missing
  }
  return true;
}

}  // namespace

SctpStack::SctpStack(SctpSettings settings, Send send)
    : settings_(settings), send_(std::move(send)), slots_(1), piece_(piece_size) {
  if (the_stack != nullptr) throw std::logic_error("there is an SCTP stack already");
  the_stack = this;
  usrsctp_init_nothreads(0, on_output, nullptr);
  usrsctp_enable_crc32c_offload();
  disable_extras();
}

SctpStack::~SctpStack() {
  for (uint32_t slot = 1; slot < slots_.size(); ++slot) close({slot});
  // The library's timers free what was just closed.
  for (int i = 0; usrsctp_finish() != 0 && i < 500; ++i) usrsctp_handle_timers(10);
  the_stack = nullptr;
}

int SctpStack::on_output(void* address, void* bytes, size_t size, uint8_t, uint8_t) {
  if (the_stack == nullptr) return 0;
  const Slot* slot = the_stack->find({slot_of(address)});
  if (slot == nullptr) return 0;
  // Through the library's functions nothing may be thrown. The packet is lost, and sent again.
  try {
    the_stack->send_(slot->owner, {static_cast<const uint8_t*>(bytes), size});
  } catch (const std::exception&) {
    return ENOBUFS;
  }
  return 0;
}

void SctpStack::on_upcall(Native*, void* slot, int) {
  if (the_stack != nullptr) the_stack->stir(slot_of(slot));
}

void SctpStack::stir(uint32_t slot) {
  Slot* of = find({slot});
  if (of == nullptr || of->stirred) return;
  try {
    stirred_.push_back(slot);
    of->stirred = true;
  } catch (const std::exception&) {
    return;  // what stirred it is found with the next
  }
}

void SctpStack::take_stirred(std::vector<uint64_t>& into) {
  into.clear();
  for (uint32_t slot : stirred_) {
    Slot* of = find({slot});
    if (of != nullptr && std::exchange(of->stirred, false)) into.push_back(of->owner);
  }
  stirred_.clear();
}

bool SctpStack::take_stirred(SocketId id) {
  Slot* slot = find(id);
  return slot != nullptr && std::exchange(slot->stirred, false);
}

bool SctpStack::set_options(Native* native) const {
  constexpr int on = 1, off = 0;
  const struct ::linger abort_on_close { 1, 0 };
  const int send_buffer = static_cast<int>(settings_.send_buffer);
  const int receive_buffer = static_cast<int>(settings_.receive_buffer);
  const sctp_assoc_value resets{SCTP_ALL_ASSOC, SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ};
  // The DTLS connection lives as long as ICE has consent, and so shall the association: it gives up late.
  const sctp_initmsg init{settings_.streams, settings_.streams, 1000, 8000};
  const sctp_rtoinfo rto{0, 1000, 10'000, 250};
  sctp_assocparams limits{};
  limits.sasoc_asocmaxrxt = 30;
  const sctp_sack_info sack{0, 20, 2};
  // RFC 8261 section 5: no path MTU discovery of its own; ICE has its own keep-alive.
  sctp_paddrparams path{};
  path.spp_address.ss_family = AF_CONN;
  path.spp_pathmtu = static_cast<uint32_t>(settings_.max_packet - header_size);
  path.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE;
  path.spp_pathmaxrxt = 30;
  bool ok = usrsctp_set_non_blocking(native, 1) == 0 && set(native, SOL_SOCKET, SO_LINGER, abort_on_close) &&
            set(native, SOL_SOCKET, SO_SNDBUF, send_buffer) && set(native, SOL_SOCKET, SO_RCVBUF, receive_buffer) &&
            set(native, IPPROTO_SCTP, SCTP_NODELAY, on) && set(native, IPPROTO_SCTP, SCTP_RECVRCVINFO, on) &&
            set(native, IPPROTO_SCTP, SCTP_EXPLICIT_EOR, off) &&
            // Pieces of one large message are not mixed with others'.
            set(native, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, off) &&
            set(native, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, resets) &&
            set(native, IPPROTO_SCTP, SCTP_INITMSG, init) && set(native, IPPROTO_SCTP, SCTP_RTOINFO, rto) &&
            set(native, IPPROTO_SCTP, SCTP_ASSOCINFO, limits) && set(native, IPPROTO_SCTP, SCTP_DELAYED_SACK, sack) &&
            set(native, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, path);
  for (int event : {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_STREAM_CHANGE_EVENT, SCTP_PARTIAL_DELIVERY_EVENT})
    ok = ok && set(native, IPPROTO_SCTP, SCTP_EVENT, sctp_event{SCTP_ALL_ASSOC, static_cast<uint16_t>(event), 1});
  return ok;
}

SocketId SctpStack::open(uint64_t owner, uint16_t peer_port) {
  uint32_t number = 0;
  if (free_.size() > resting) {
    number = free_.front();
    free_.pop_front();
  } else {
    number = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
    // Addresses are kept for the next user of the slot: the library's way of forgetting one needs its threads.
    usrsctp_register_address(address_of(number));
  }
  Native* native = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (native == nullptr) return free_.push_back(number), SocketId{};
  slots_[number] = {.native = native, .owner = owner, .peer_port = peer_port};
  ++open_;
  active_ = true;
  deadline_ = std::min(deadline_, ticked_.value_or(Time{}) + busy_period);
  usrsctp_set_upcall(native, on_upcall, address_of(number));
  sockaddr_conn local = connection(number, local_port), remote = connection(number, peer_port);
  bool ok = set_options(native) && usrsctp_bind(native, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0;
  // Both sides begin (RFC 8841 section 9): whoever is first, one association comes of it.
  if (ok && usrsctp_connect(native, reinterpret_cast<sockaddr*>(&remote), sizeof remote) != 0)
    ok = errno == EINPROGRESS;
  if (!ok) return close({number}), SocketId{};
  return {number};
}

void SctpStack::close(SocketId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return;
  Native* native = slot->native;
  *slot = {};
  free_.push_back(id.slot);
  --open_;
  active_ = true;
  usrsctp_set_upcall(native, nullptr, nullptr);
  usrsctp_close(native);
}

bool SctpStack::receive(SocketId id, Bytes packet) {
  Slot* slot = find(id);
  if (slot == nullptr || !well_formed(packet, slot->peer_port, local_port)) return false;
  active_ = true;
  deadline_ = std::min(deadline_, ticked_.value_or(Time{}) + busy_period);
  usrsctp_conninput(address_of(id.slot), packet.data(), packet.size(), 0);
  return true;
}

std::optional<SctpInput> SctpStack::read(SocketId id) {
  for (Slot* slot = find(id); slot != nullptr;) {
    sctp_rcvinfo info{};
    socklen_t info_size = sizeof info, from_size = 0;
    unsigned int info_type = SCTP_RECVV_NOINFO;
    int flags = 0;
    ssize_t size = usrsctp_recvv(slot->native, piece_.data(), piece_.size(), nullptr, &from_size, &info, &info_size,
                                 &info_type, &flags);
    SctpInput out;
    if (size < 0) {
      // While the association is being made the library says that it is not connected.
      if (errno == EWOULDBLOCK || errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS) return {};
      out.kind = SctpInput::Kind::lost;
      return out;
    }
    if (size == 0) {
      out.kind = SctpInput::Kind::lost;
      return out;
    }
    if ((flags & MSG_NOTIFICATION) != 0) {
      if (take_notification(static_cast<size_t>(size), out)) return out;
      continue;
    }
    if (info_type != SCTP_RECVV_RCVINFO) continue;
    out.stream = info.rcv_sid;
    out.ppid = ntohl(info.rcv_ppid);
    out.end = (flags & MSG_EOR) != 0;
    out.bytes = Bytes(piece_).first(static_cast<size_t>(size));
    return out;
  }
  return {};
}

bool SctpStack::take_notification(size_t size, SctpInput& out) {
  sctp_notification told;
  std::memset(&told, 0, sizeof told);
  std::memcpy(&told, piece_.data(), std::min(size, sizeof told));
  switch (told.sn_header.sn_type) {
  case SCTP_ASSOC_CHANGE:
    switch (told.sn_assoc_change.sac_state) {
    case SCTP_COMM_UP:
    case SCTP_RESTART:
      out.kind = SctpInput::Kind::up;
      out.restarted = told.sn_assoc_change.sac_state == SCTP_RESTART;
      out.streams_in = told.sn_assoc_change.sac_inbound_streams;
      out.streams_out = told.sn_assoc_change.sac_outbound_streams;
      return true;
    default: out.kind = SctpInput::Kind::lost; return true;
    }
  case SCTP_STREAM_CHANGE_EVENT:
    if ((told.sn_strchange_event.strchange_flags & (SCTP_STREAM_CHANGE_DENIED | SCTP_STREAM_CHANGE_FAILED)) != 0)
      return false;
    out.kind = SctpInput::Kind::streams;
    out.streams_in = told.sn_strchange_event.strchange_instrms;
    out.streams_out = told.sn_strchange_event.strchange_outstrms;
    return true;
  case SCTP_PARTIAL_DELIVERY_EVENT: out.kind = SctpInput::Kind::discarded; return true;
  case SCTP_STREAM_RESET_EVENT: {
    const uint16_t flags = told.sn_strreset_event.strreset_flags;
    const size_t first = offsetof(sctp_stream_reset_event, strreset_stream_list);
    const size_t end = std::min<size_t>(size, told.sn_strreset_event.strreset_length);
    reset_streams_.clear();
    for (size_t at = first; at + 2 <= end; at += 2) std::memcpy(&reset_streams_.emplace_back(), piece_.data() + at, 2);
    out.kind = (flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0 ? SctpInput::Kind::refused
                                                                                    : SctpInput::Kind::reset;
    out.incoming = (flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0;
    out.streams = reset_streams_;
    return true;
  }
  default: return false;
  }
}

SctpStack::Sent SctpStack::send(SocketId id, uint16_t stream, Ppid ppid, Bytes message, const Delivery& how) {
  Slot* slot = find(id);
  if (slot == nullptr) return Sent::failed;
  active_ = true;
  deadline_ = std::min(deadline_, ticked_.value_or(Time{}) + busy_period);
  sctp_sendv_spa spa{};
  spa.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  spa.sendv_sndinfo.snd_sid = stream;
  spa.sendv_sndinfo.snd_ppid = htonl(static_cast<uint32_t>(ppid));
  if (!how.ordered) spa.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
  if (how.max_retransmits || how.max_lifetime_ms) {
    spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    spa.sendv_prinfo.pr_policy = how.max_retransmits ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
    spa.sendv_prinfo.pr_value = how.max_retransmits ? *how.max_retransmits : *how.max_lifetime_ms;
  }
  const ssize_t sent =
      usrsctp_sendv(slot->native, message.data(), message.size(), nullptr, 0, &spa, sizeof spa, SCTP_SENDV_SPA, 0);
  if (sent == static_cast<ssize_t>(message.size())) return Sent::done;
  return sent < 0 && (errno == EWOULDBLOCK || errno == EAGAIN || errno == ENOBUFS) ? Sent::full : Sent::failed;
}

bool SctpStack::reset(SocketId id, std::span<const uint16_t> streams) {
  Slot* slot = find(id);
  if (slot == nullptr || streams.empty()) return false;
  active_ = true;
  const size_t head = offsetof(sctp_reset_streams, srs_stream_list);
  std::vector<uint8_t> request(std::max(head + streams.size() * 2, sizeof(sctp_reset_streams)));
  sctp_reset_streams fields{};
  fields.srs_assoc_id = SCTP_ALL_ASSOC;
  fields.srs_flags = SCTP_STREAM_RESET_OUTGOING;
  fields.srs_number_streams = static_cast<uint16_t>(streams.size());
  std::memcpy(request.data(), &fields, head);
  std::memcpy(request.data() + head, streams.data(), streams.size() * 2);
  return usrsctp_setsockopt(slot->native, IPPROTO_SCTP, SCTP_RESET_STREAMS, request.data(),
                            static_cast<socklen_t>(head + streams.size() * 2)) == 0;
}

void SctpStack::tick(Time now) {
  const Duration since = now - ticked_.value_or(now);
  // The library counts whole milliseconds; the rest is left for the next tick.
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::clamp<Duration>(since, 0s, 10s));
  ticked_ = since > 10s || !ticked_ ? now : *ticked_ + ms;
  if (ms.count() > 0) usrsctp_handle_timers(static_cast<uint32_t>(ms.count()));
  if (std::exchange(active_, false)) active_at_ = now;
  const Duration calm = now - active_at_;
  if (open_ == 0 && calm > linger) {
    deadline_ = never;
    ticked_.reset();
  } else {
    deadline_ = now + (calm > 1s ? calm_period : busy_period);
  }
}

}  // namespace cardea::data
