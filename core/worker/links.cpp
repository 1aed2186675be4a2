#include "worker/links.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "cardea/text.hpp"

namespace cardea::worker {
namespace {

constexpr uint32_t groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE |
                            RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE | 1u << (RTNLGRP_IPV6_RULE - 1);

Result<int> netlink(uint32_t listen_to) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = listen_to;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return Error{error, text("asking the kernel for routes: ", std::generic_category().message(error))};
  }
  return fd;
}

// An IPv4 packet from an address of the host's own is taken from a frame only where that is allowed, one from
// 127.0.0.0/8 hardly ever; IPv6 asks nothing of the kind. What the setting allows for all interfaces goes for each.
bool takes_own_frames(const Address& ip) {
  if (ip.v6) return true;
  if (ip.loopback()) return false;
  const auto is_set = [](const char* of) {
    std::ifstream file(text("/proc/sys/net/ipv4/conf/", of, "/accept_local"));
    return file.get() == '1';
  };
  return is_set("lo") || is_set("all");
}

size_t address_size(const Address& address) { return address.v6 ? 16 : 4; }

// A message with its attributes, as it is written.
template <class Body>
struct Question {
  nlmsghdr header{};
  Body body{};
  std::array<uint8_t, 64> attributes{};

  Question(uint16_t type, const Body& what) : body(what) {
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST;
    header.nlmsg_len = NLMSG_LENGTH(sizeof body);
  }
  void add(uint16_t type, const Address& address) {
    auto* attribute = reinterpret_cast<rtattr*>(reinterpret_cast<uint8_t*>(this) + header.nlmsg_len);
    attribute->rta_type = type;
    attribute->rta_len = static_cast<uint16_t>(RTA_LENGTH(address_size(address)));
    std::memcpy(RTA_DATA(attribute), address.ip.data(), address_size(address));
    header.nlmsg_len += RTA_ALIGN(attribute->rta_len);
  }
  MutableBytes bytes() { return {reinterpret_cast<uint8_t*>(this), header.nlmsg_len}; }
};

// The attributes after a body; visit(type, bytes).
template <class Visit>
void each_attribute(Bytes attributes, Visit&& visit) {
  while (attributes.size() >= sizeof(rtattr)) {
    rtattr attribute;
    std::memcpy(&attribute, attributes.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > attributes.size()) return;
    visit(attribute.rta_type & NLA_TYPE_MASK,
          attributes.subspan(sizeof attribute, attribute.rta_len - sizeof attribute));
    attributes = attributes.subspan(std::min<size_t>(RTA_ALIGN(attribute.rta_len), attributes.size()));
  }
}

template <class Body>
std::optional<Body> body_of(Bytes message, Bytes& attributes) {
  Body body;
  if (message.size() < NLMSG_LENGTH(sizeof body)) return std::nullopt;
  std::memcpy(&body, message.data() + NLMSG_HDRLEN, sizeof body);
  attributes = message.subspan(std::min<size_t>(NLMSG_SPACE(sizeof body), message.size()));
  return body;
}

uint32_t number(Bytes bytes) {
  uint32_t value = 0;
  if (bytes.size() >= sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

Address ip_of(Bytes bytes) {
  Address address;
  address.v6 = bytes.size() == 16;
  if (bytes.size() == 16 || bytes.size() == 4) std::copy(bytes.begin(), bytes.end(), address.ip.begin());
  return address;
}

uint16_t type_of(Bytes message) {
  nlmsghdr header;
  if (message.size() < sizeof header) return NLMSG_NOOP;
  std::memcpy(&header, message.data(), sizeof header);
  return header.nlmsg_type;
}

}  // namespace

Result<Links> Links::open() {
  Result<int> questions = netlink(0);
  if (!questions) return std::move(questions.error());
  Links links(*questions, -1);
  Result<int> changes = netlink(groups);
  if (!changes) return std::move(changes.error());
  links.changes_ = *changes;
  return links;
}

Links::Links(Links&& other) noexcept
    : questions_(std::exchange(other.questions_, -1)), changes_(std::exchange(other.changes_, -1)),
      routes_(std::move(other.routes_)), neighbours_(std::move(other.neighbours_)), age_(other.age_),
      asked_(other.asked_) {}

Links::~Links() {
  if (questions_ >= 0) close(questions_);
  if (changes_ >= 0) close(changes_);
}

const Link* Links::find(const Address& from, const Address& to, size_t size) {
  Address key = to;
  key.port = 0;
  auto found = routes_.find(key);
  if (found == routes_.end()) {
    if (asked_ >= max_questions) return nullptr;
    if (routes_.size() >= max_routes) forget();
    found = routes_.emplace(key, ask_route(from, to)).first;
  }
  const Route& route = found->second;
  if (route.by == nullptr) return nullptr;
  if (route.by->state == Neighbour::State::unknown && asked_ < max_questions) ask_neighbour(*route.by);
  const bool there = route.by->state == Neighbour::State::there;
  return there && size <= std::min<size_t>(route.mtu, route.by->link.mtu) ? &route.by->link : nullptr;
}

Links::Route Links::ask_route(const Address& from, const Address& to) {
  ++asked_;
  rtmsg body{};
  body.rtm_family = to.v6 ? AF_INET6 : AF_INET;
  body.rtm_dst_len = body.rtm_src_len = static_cast<uint8_t>(8 * address_size(to));
  Question question(RTM_GETROUTE, body);
  question.add(RTA_DST, to);
  question.add(RTA_SRC, from);
  const Bytes answer = ask(question.bytes());
  Bytes attributes;
  const auto route = type_of(answer) == RTM_NEWROUTE ? body_of<rtmsg>(answer, attributes) : std::nullopt;
  if (!route) return {};
  int interface = 0;
  Address next = to;
  size_t mtu = SIZE_MAX;
  each_attribute(attributes, [&](int type, Bytes bytes) {
    if (type == RTA_OIF) interface = static_cast<int>(number(bytes));
    if (type == RTA_GATEWAY) next = ip_of(bytes);
    if (type == RTA_VIA && bytes.size() > sizeof(rtvia)) next = ip_of(bytes.subspan(sizeof(rtvia)));
    if (type == RTA_METRICS)
      each_attribute(bytes, [&](int metric, Bytes value) {
        if (metric == RTAX_MTU && number(value) > 0) mtu = number(value);
      });
  });
  if (route->rtm_type != (interface == Link::loopback_interface ? RTN_LOCAL : RTN_UNICAST)) return {};
  next.port = 0;
  next.socket = 0;
  Neighbour& neighbour = neighbours_[{interface, next}];
  neighbour.ip = next;
  neighbour.link.interface = interface;
  return {&neighbour, mtu};
}

void Links::ask_neighbour(Neighbour& neighbour) {
  ++asked_;
  neighbour.state = Neighbour::State::absent;
  bool resolves = true;
  if (!ask_interface(neighbour, resolves)) return;
  if (!resolves) {  // such an interface takes what comes, whatever address it has
    neighbour.link.destination = neighbour.link.source;
    neighbour.state = Neighbour::State::there;
    return;
  }
  ndmsg body{};
  body.ndm_family = neighbour.ip.v6 ? AF_INET6 : AF_INET;
  body.ndm_ifindex = neighbour.link.interface;
  Question question(RTM_GETNEIGH, body);
  question.add(NDA_DST, neighbour.ip);
  const Bytes answer = ask(question.bytes());
  Bytes attributes;
  const auto known = type_of(answer) == RTM_NEWNEIGH ? body_of<ndmsg>(answer, attributes) : std::nullopt;
  constexpr auto usable = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
  if (!known || (known->ndm_state & usable) == 0) return;
  each_attribute(attributes, [&](int type, Bytes bytes) {
    if (type != NDA_LLADDR || bytes.size() != neighbour.link.destination.size()) return;
    std::copy(bytes.begin(), bytes.end(), neighbour.link.destination.begin());
    neighbour.state = Neighbour::State::there;
  });
}

// False: it is neither an Ethernet nor the loopback that is up and takes frames.
bool Links::ask_interface(Neighbour& neighbour, bool& resolves) const {
  ifreq request{};
  if (if_indextoname(static_cast<unsigned>(neighbour.link.interface), request.ifr_name) == nullptr) return false;
  if (ioctl(questions_, SIOCGIFFLAGS, &request) != 0) return false;
  const int flags = request.ifr_flags;
  if ((flags & IFF_UP) == 0) return false;
  const bool loopback = neighbour.link.loopback();
  if (loopback && !takes_own_frames(neighbour.ip)) return false;
  resolves = !loopback && (flags & IFF_NOARP) == 0;
  if (ioctl(questions_, SIOCGIFMTU, &request) != 0) return false;
  neighbour.link.mtu = static_cast<uint16_t>(std::clamp(request.ifr_mtu, 0, UINT16_MAX));
  if (ioctl(questions_, SIOCGIFHWADDR, &request) != 0) return false;
  if (request.ifr_hwaddr.sa_family != (loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER)) return false;
  std::memcpy(neighbour.link.source.data(), request.ifr_hwaddr.sa_data, neighbour.link.source.size());
  return true;
}

// The kernel answers while the question is sent. An answer that was not read then is no answer to the next question.
Bytes Links::ask(MutableBytes question) {
  nlmsghdr header;
  std::memcpy(&header, question.data(), sizeof header);
  header.nlmsg_seq = ++last_question_;
  std::memcpy(question.data(), &header, sizeof header);
  if (send(questions_, question.data(), question.size(), 0) < 0) return {};
  for (;;) {
    const ssize_t size = recv(questions_, answer_.data(), answer_.size(), MSG_DONTWAIT);
    if (size < static_cast<ssize_t>(sizeof header)) return {};
    std::memcpy(&header, answer_.data(), sizeof header);
    if (header.nlmsg_seq == last_question_) return Bytes(answer_).first(static_cast<size_t>(size));
  }
}

void Links::refresh() {
  asked_ = 0;
  for (;;) {
    const ssize_t size = recv(changes_, answer_.data(), answer_.size(), MSG_DONTWAIT);
    if (size < 0 && errno == ENOBUFS) forget();  // more was told than we heard
    if (size <= 0) return;
    Bytes messages = Bytes(answer_).first(static_cast<size_t>(size));
    nlmsghdr header;
    while (messages.size() >= sizeof header) {
      std::memcpy(&header, messages.data(), sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size()) break;
      take_change(messages.first(header.nlmsg_len));
      messages = messages.subspan(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), messages.size()));
    }
  }
}

void Links::take_change(Bytes message) {
  const uint16_t type = type_of(message);
  if (type != RTM_NEWNEIGH && type != RTM_DELNEIGH) return forget();
  Bytes attributes;
  const auto told = body_of<ndmsg>(message, attributes);
  if (!told) return;
  each_attribute(attributes, [&](int attribute, Bytes bytes) {
    if (attribute != NDA_DST) return;
    auto found = neighbours_.find({told->ndm_ifindex, ip_of(bytes)});
    if (found == neighbours_.end()) return;
    found->second.state = Neighbour::State::unknown;
    ++age_;
  });
}

void Links::forget() {
  ++age_;
  routes_.clear();
  neighbours_.clear();
}

}  // namespace cardea::worker
