#include "cardea/module.hpp"

#include "http/http.hpp"

CARDEA_TRANSPORT(cardea::transports::Http, "cardea.transport.http", "1.0",
                 "JSON over HTTP, the web pages, and WebSockets on the same port");
