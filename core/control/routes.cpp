#include "control/routes.hpp"

namespace cardea::control {

void Routes::listen(ReceiverId from, SenderId to, Commands& out) {
  sources_[to] = from;
  listeners_[from].insert(to);
  if (from.peer.worker == to.peer.worker) return;
  if (++mirrors_[{from, to.peer.worker}] == 1)
    out.push_back({from.peer.worker, worker::Mirror{from, to.peer.worker, true}});
}

void Routes::unlisten(ReceiverId from, SenderId to, Commands& out) {
  auto all = listeners_.find(from);
  if (all != listeners_.end()) {
    all->second.erase(to);
    if (all->second.empty()) listeners_.erase(all);
  }
  auto mirror = mirrors_.find({from, to.peer.worker});
  if (mirror == mirrors_.end() || --mirror->second > 0) return;
  mirrors_.erase(mirror);
  out.push_back({from.peer.worker, worker::Mirror{from, to.peer.worker, false}});
}

void Routes::forward(ReceiverId from, SenderId to, Commands& out) {
  auto before = sources_.find(to);
  std::optional<ReceiverId> old;
  if (before != sources_.end()) old = before->second;
  if (old != from) listen(from, to, out);
  // Told again even if it is known: the sender's m-line may have come only now.
  out.push_back({to.peer.worker, worker::Forward{from, to}});
  // The new mirror first, the old one off last: between them the sender changes its source.
  if (old && *old != from) unlisten(*old, to, out);
}

void Routes::stop(SenderId to, Commands& out) {
  auto found = sources_.find(to);
  if (found == sources_.end()) return;
  ReceiverId from = found->second;
  sources_.erase(found);
  out.push_back({to.peer.worker, worker::StopForward{to}});
  unlisten(from, to, out);
}

void Routes::forget(PeerId peer, Commands& out) {
  // What it sent to others.
  for (auto all = listeners_.lower_bound(ReceiverId{peer, 0}); all != listeners_.end() && all->first.peer == peer;) {
    ReceiverId from = all->first;
    for (SenderId to : all->second) {
      sources_.erase(to);
      if (to.peer.worker != peer.worker) {
        out.push_back({to.peer.worker, worker::StopForward{to}});
        mirrors_.erase({from, to.peer.worker});
      }
    }
    all = listeners_.erase(all);
  }
  // What others sent to it.
  for (auto route = sources_.lower_bound(SenderId{peer, 0}); route != sources_.end() && route->first.peer == peer;) {
    unlisten(route->second, route->first, out);
    route = sources_.erase(route);
  }
}

}  // namespace cardea::control
