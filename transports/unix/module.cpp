#include "cardea/module.hpp"

#include "unix/unix.hpp"

CARDEA_TRANSPORT(cardea::transports::UnixSockets, "cardea.transport.unix", "1.0", "JSON over Unix sockets");
