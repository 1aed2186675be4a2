#include "cardea/module.hpp"

#include "websockets/websockets.hpp"

CARDEA_TRANSPORT(cardea::transports::WebSockets, "cardea.transport.websockets", "1.0", "JSON over WebSockets");
