// From the media settings to what the workers bind and what we tell clients about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "cardea/result.hpp"
#include "control/settings.hpp"
#include "data/sctp_stack.hpp"
#include "worker/worker.hpp"

namespace cardea::control {

// The addresses to bind, without ports. `host`: the host's own, of which loopback is no part.
Result<std::vector<Address>> addresses_to_bind(const MediaSettings& media, std::vector<Address> host);

// What a worker advertises: its bound addresses with its port, or what stands for them outside. Loopback only if there
// is nothing else.
Result<std::vector<Address>> advertised(const std::vector<Address>& bound, const NatSettings& nat, uint16_t worker,
                                        uint16_t port);

// How many workers 0 means on a machine with so many processors.
uint16_t worker_count(uint16_t wanted, size_t processors);

worker::WorkerSettings worker_settings(const Settings& settings, const std::vector<Address>& bind, uint16_t worker,
                                       const std::vector<int>& processors);

// SCTP packets that fit the DTLS datagrams.
data::SctpSettings sctp_settings(const Settings& settings);

}  // namespace cardea::control
