#include "cardea/module.hpp"

#include "mqtt/mqtt.hpp"

CARDEA_TRANSPORT(cardea::transports::Mqtt, "cardea.transport.mqtt", "1.0", "JSON over the topics of an MQTT broker");
