#include "common/unix_listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cardea/text.hpp"

namespace cardea::transports {

Result<Fd> listen_on_unix(const std::string& path, int type) {
  constexpr int backlog = 1024;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{0, text("the path ", path, " is too long for a UNIX socket")};
  std::copy(path.begin(), path.end(), address.sun_path);
  Fd socket(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return Error{0, text("cannot make a UNIX socket: ", strerror(errno))};
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  if (bind(socket.get(), raw, sizeof address) != 0) {
    const int why = errno;
    // A socket that nobody answers at is left from an earlier run.
    Fd probe(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    struct stat info {};
    const bool stale = why == EADDRINUSE && stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) && probe &&
                       connect(probe.get(), raw, sizeof address) != 0 && errno == ECONNREFUSED;
    if (!stale) return Error{0, text("cannot listen at ", path, ": ", strerror(why))};
    unlink(path.c_str());
    if (bind(socket.get(), raw, sizeof address) != 0)
      return Error{0, text("cannot listen at ", path, ": ", strerror(errno))};
  }
  if (type != SOCK_DGRAM && listen(socket.get(), backlog) != 0)
    return Error{0, text("cannot listen at ", path, ": ", strerror(errno))};
  return socket;
}

}  // namespace cardea::transports
