// The line of handshakes beside an obvious model: what comes in comes out, once, in order and within the bounds.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <vector>

#include "worker/handshake_queue.hpp"

using namespace cardea;
using worker::HandshakeQueue;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HandshakeQueue queue;
  std::map<uint32_t, std::vector<std::vector<uint8_t>>> waiting;  // by slot
  Time now{1000s};
  size_t under_way = 0;
  ByteReader script(Bytes(data, size));
  while (script.left() > 1) {
    const uint8_t act = script.u8(), slot = script.u8();
    const PeerId peer{0, 1, slot};
    switch (act % 6) {
    case 0:
    case 1: {
      std::vector<uint8_t> bytes(size_t{script.u8()} * 6 + 1, slot);
      for (size_t i = 0; i < bytes.size() && i < 30; ++i) bytes[i] = static_cast<uint8_t>(i == 18 ? act : i);
      const auto drop = queue.push(peer, (act & 1) != 0, {*Address::parse("192.0.2.1", slot), bytes});
      if (!drop) waiting[slot].push_back(bytes);
      if (drop == Drop::duplicate && !waiting.contains(slot)) std::abort();
      break;
    }
    case 2:
      queue.push(peer);
      waiting.try_emplace(slot);
      break;
    case 3: {
      const auto next = queue.pop(now);
      if (!next) {
        if (queue.next() <= now - 1ns && !waiting.empty() && queue.next() != Time::min()) std::abort();
        break;
      }
      auto found = waiting.find(next->peer.slot);
      if (found == waiting.end() || found->second.size() != next->datagrams.size()) std::abort();
      for (size_t i = 0; i < next->datagrams.size(); ++i)
        if (next->datagrams[i].bytes != found->second[i]) std::abort();
      waiting.erase(found);
      ++under_way;
      break;
    }
    case 4:
      if ((slot & 1) != 0)
        queue.over(peer);
      else
        queue.forget(peer), waiting.erase(slot);
      break;
    default: now += Duration(1ms) * slot; break;
    }
    size_t datagrams = 0;
    for (const auto& [of, kept] : waiting) datagrams += kept.size();
    if (queue.size() != datagrams || queue.empty() != waiting.empty()) std::abort();
    if (queue.bytes() > HandshakeQueue::max_bytes || queue.waits(peer) != waiting.contains(slot)) std::abort();
    if (waiting.empty() && (queue.bytes() != 0 || queue.next() != never)) std::abort();
  }
  return 0;
}
