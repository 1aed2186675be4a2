// A receiver's missing packets and history, and a forwarder, as one machine against a slow and obvious model: what
// came, what went out under which number, and what is sent again when it is asked for.
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "media/forwarder.hpp"
#include "media/history.hpp"
#include "media/nack_tracker.hpp"

using namespace cardea;
using namespace cardea::media;

namespace {

struct Layer {
  NackTracker nack;
  History history;
  std::set<rtp::SeqNo> came;  // the model of both
  rtp::SeqNo highest = -1, next = 100;
  std::set<rtp::SeqNo> given_up;
};

struct Sent {
  int source;
  Origin from;
  Rewritten fields;
};

void require(bool truth) {
  if (!truth) std::abort();
}

class Machine {
public:
  Machine(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  void run() {
    while (at_ < size_) {
      const uint8_t step = byte();
      switch (step & 7) {
      case 0: pause(step); break;
      case 1:
        if (step >= 0xe0) switch_source(step);
        break;
      case 2: forwarder_.set_layers({uint8_t((step >> 3) & 3), uint8_t(step >> 6), 2, 250ms}); break;
      case 3: now_ += Duration(1ms) * byte(); break;
      case 4: ask(); break;
      case 5: due(layers_[(step >> 3) % layers_.size()]); break;
      default: packet(step); break;
      }
    }
  }

private:
  uint8_t byte() { return at_ < size_ ? data_[at_++] : uint8_t{0}; }

  void pause(uint8_t step) { forwarder_.pause((step & 8) != 0); }
  void switch_source(uint8_t step) {
    forwarder_.switch_source((step & 8) != 0);
    layers_ = std::vector<Layer>(3);
    ++source_;
  }

  // Ahead, late, twice: as the byte says.
  void packet(uint8_t step) {
    const auto substream = static_cast<uint8_t>((step >> 3) % 3);
    Layer& layer = layers_[substream];
    const uint8_t how = byte();
    rtp::SeqNo seq = layer.next;
    if (how < 160)
      ++layer.next;
    else if (how < 190)
      layer.next = (seq += how - 159) + 1;
    else if (how < 250)
      seq -= how - 189;
    else
      layer.next = (seq += 100 * (how - 249)) + 1;
    if (seq < 0) return;
    rtp::PacketRef packet = pool_.get();
    const uint32_t picture = static_cast<uint32_t>(seq) / 3;
    packet->arrival = now_;
    packet->substream = substream;
    packet->seq = seq;
    packet->timestamp = picture * 3000 + substream * 7u;
    packet->codec = CodecType::vp8;
    packet->clock_hz = 90000;
    packet->marker = seq % 3 == 2;
    packet->payload_at = 12;
    packet->size = 40;
    packet->extensions = {};
    rtp::VideoInfo& video = packet->video = {};
    video.frame_start = seq % 3 == 0;
    video.keyframe = video.frame_start && picture % 5 == 0;
    video.temporal = static_cast<int8_t>(picture % 5 == 0 ? 0 : picture % 3);
    video.switch_up = picture % 4 == 0;
    video.picture_id = static_cast<int32_t>(picture & 0x7fff);
    video.picture_id_15 = true;
    video.tl0_pic_idx = static_cast<int16_t>(picture & 0xff);
    now_ += 2ms;
    if (!arrived(layer, seq)) return;
    layer.history.put(packet);
    const rtp::SharedPacket found = layer.history.find(seq);
    require(!found || found->seq == seq);
    require(found || seq + static_cast<rtp::SeqNo>(History::max_packets) <= layer.highest + 1 || seq < layer.highest);
    Rewritten out;
    if (!forwarder_.forward(*packet, now_, out)) went(out.seq, {source_, {substream, seq}, out});
  }

  bool arrived(Layer& layer, rtp::SeqNo seq) {
    const bool old = layer.highest >= 0 && seq <= layer.highest - NackTracker::window;
    const bool fresh = !old && !layer.came.contains(seq);
    require(layer.nack.arrived(seq, now_) == fresh);
    require(layer.nack.too_old(seq) ==
            (layer.highest >= 0 && seq <= std::max(seq, layer.highest) - NackTracker::window));
    if (!fresh) return false;
    layer.came.insert(seq);
    layer.highest = std::max(layer.highest, seq);
    return true;
  }

  void due(Layer& layer) {
    rtp::SeqNo before = -1;
    for (const rtp::SeqNo seq : layer.nack.due(now_, 50ms)) {
      require(seq > before && seq < layer.highest && !layer.came.contains(seq));
      require(seq > layer.highest - NackTracker::window);
      before = seq;
    }
    require(layer.nack.missing() <= NackTracker::max_missing);
  }

  // Under one number goes one packet, ever.
  void went(rtp::SeqNo out, const Sent& sent) {
    auto [known, fresh] = sent_.try_emplace(out, sent);
    if (fresh) return;
    Rewritten before = known->second.fields, now = sent.fields;
    before.marker = now.marker = false;
    require(known->second.source == sent.source && known->second.from == sent.from && before == now);
  }

  // A NACK of something that was sent, or not.
  void ask() {
    const auto wire = static_cast<uint16_t>(forwarder_.next_seq() - 1 - byte());
    const std::optional<rtp::SeqNo> out = forwarder_.sent(wire);
    if (!out) return;
    require(static_cast<uint16_t>(*out) == wire && *out < forwarder_.next_seq());
    const std::optional<Origin> origin = forwarder_.origin(*out);
    if (!origin) return;
    const auto known = sent_.find(*out);
    if (known != sent_.end()) require(known->second.source == source_ && known->second.from == *origin);
    require(origin->substream < layers_.size());
    const rtp::SharedPacket packet = layers_[origin->substream].history.find(origin->seq);
    if (!packet) return;
    require(packet->seq == origin->seq && packet->substream == origin->substream);
    if (auto again = forwarder_.again(*out, *packet)) went(*out, {source_, *origin, *again});
  }

  const uint8_t* data_;
  size_t size_, at_ = 0;
  Time now_ = Time(1'000'000s);
  rtp::PacketPool pool_;
  SeededRandom random_{3};
  Forwarder forwarder_{MediaKind::video, true, random_};
  std::vector<Layer> layers_{3};
  std::map<rtp::SeqNo, Sent> sent_;
  int source_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= 1 << 14) std::make_unique<Machine>(data, size)->run();
  return 0;
}
