// A Unix socket at a path: one that is left from an earlier run is replaced, one that somebody answers at is not.
#pragma once

#include <string>

#include "cardea/result.hpp"
#include "common/fd.hpp"

namespace cardea::transports {

// `type`: SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM. Does not block; listens unless it is for datagrams.
Result<Fd> listen_on_unix(const std::string& path, int type);

}  // namespace cardea::transports
