#include "rtp/transport_feedback.hpp"

#include <algorithm>
#include <array>

#include "rtp/rtcp_types.hpp"

namespace cardea::rtp {
namespace {

// Symbols, as chunks tell them: section 3.1.1.
enum Symbol : uint8_t { not_received, small_delta, large_delta, reserved };

constexpr Duration tick = 250us;  // of deltas
constexpr Duration reference_unit = 64ms;
constexpr int64_t ticks_per_reference = reference_unit / tick;
constexpr size_t head_size = 20;    // common header to feedback count
constexpr size_t max_run = 0x1fff;  // 13 bits
constexpr size_t one_bit_symbols = 14, two_bit_symbols = 7;

constexpr bool is_vector(uint16_t chunk) { return (chunk & 0x8000) != 0; }
constexpr bool is_two_bit(uint16_t chunk) { return (chunk & 0x4000) != 0; }
constexpr Symbol run_symbol(uint16_t chunk) { return static_cast<Symbol>((chunk >> 13) & 3); }
constexpr unsigned chunk_length(uint16_t chunk) {
  if (!is_vector(chunk)) return chunk & max_run;
  return is_two_bit(chunk) ? two_bit_symbols : one_bit_symbols;
}
// The symbol `left` places before the end of a vector.
constexpr Symbol vector_symbol(uint16_t chunk, unsigned left) {
  return static_cast<Symbol>(is_two_bit(chunk) ? (chunk >> (2 * (left - 1))) & 3 : (chunk >> (left - 1)) & 1);
}
constexpr size_t delta_size(Symbol symbol) { return symbol == small_delta ? 1 : symbol == large_delta ? 2 : 0; }

// Packs symbols into chunks: runs where all are alike, else vectors. Holds back up to 14, or a run, until it is
// known what suits them.
class ChunkPacker {
public:
  explicit ChunkPacker(ByteWriter* out) : out_(out) {}  // null: only counts

  void add(Symbol symbol) {
    while (!takes(symbol)) emit(false);
    if (held_ < symbols_.size()) symbols_[held_] = symbol;
    alike_ = alike_ && symbol == symbols_[0];
    large_ = large_ || symbol == large_delta;
    ++held_;
  }
  void finish() {
    while (held_ > 0) emit(true);
  }
  // Bytes of all chunks if it ended now, at most.
  size_t bound() const { return 2 * (emitted_ + (held_ > two_bit_symbols ? 2 : 1)); }

private:
  bool takes(Symbol symbol) const {
    if (held_ < two_bit_symbols) return true;
    if (alike_ && symbol == symbols_[0]) return held_ < max_run;
    return held_ < one_bit_symbols && !large_ && symbol != large_delta;
  }
  // A vector that is not full may only be the last chunk.
  void emit(bool last) {
    if (alike_) {
      put(static_cast<uint16_t>((symbols_[0] << 13) | held_));
      held_ = 0;
    } else if (!large_ && (held_ == one_bit_symbols || (last && held_ > two_bit_symbols))) {
      put_vector(one_bit_symbols, 1, 0x8000);
    } else {
      put_vector(two_bit_symbols, 2, 0xc000);
    }
    alike_ = true;
    large_ = false;
    for (size_t i = 0; i < held_; ++i) {
      alike_ = alike_ && symbols_[i] == symbols_[0];
      large_ = large_ || symbols_[i] == large_delta;
    }
  }
  // A vector of the first `count` symbols; what is held beyond them moves up.
  void put_vector(size_t count, unsigned bits, unsigned kind) {
    unsigned chunk = kind;
    size_t taken = std::min(count, held_);
    for (size_t i = 0; i < taken; ++i) chunk |= static_cast<unsigned>(symbols_[i]) << (bits * (count - 1 - i));
    put(static_cast<uint16_t>(chunk));
    std::copy(symbols_.begin() + static_cast<ptrdiff_t>(taken), symbols_.end(), symbols_.begin());
    held_ -= taken;
  }
  void put(uint16_t chunk) {
    if (out_ != nullptr) out_->u16(chunk);
    ++emitted_;
  }

  ByteWriter* out_;
  std::array<Symbol, one_bit_symbols> symbols_{};
  size_t held_ = 0;
  size_t emitted_ = 0;
  bool alike_ = true;
  bool large_ = false;
};

int64_t floor_divide(Time at, Duration unit) {
  int64_t ns = at.time_since_epoch().count(), size = unit.count();
  return ns / size - (ns % size < 0 ? 1 : 0);
}

Symbol symbol_of(int64_t delta) { return delta >= 0 && delta <= 255 ? small_delta : large_delta; }

// Goes over the first `count` arrivals: visit(lost before it, delta) until it says false; returns how many it accepted.
template <class Visit>
size_t walk(SeqNo base, std::span<const TransportArrival> arrivals, int64_t reference, Visit&& visit) {
  int64_t at = reference * ticks_per_reference;
  SeqNo next = base;
  for (size_t i = 0; i < arrivals.size(); ++i) {
    int64_t now = floor_divide(arrivals[i].at, tick);
    if (!visit(arrivals[i].seq - next, now - at)) return i;
    next = arrivals[i].seq + 1;
    at = now;
  }
  return arrivals.size();
}

void add_symbols(ChunkPacker& packer, SeqNo lost, int64_t delta) {
  for (; lost > 0; --lost) packer.add(not_received);
  packer.add(symbol_of(delta));
}

// How many of the arrivals one message can tell of.
size_t count_fitting(SeqNo base, std::span<const TransportArrival> arrivals, int64_t reference, size_t room) {
  ChunkPacker counter(nullptr);
  size_t deltas = 0;
  SeqNo statuses = 0;
  return walk(base, arrivals, reference, [&](SeqNo lost, int64_t delta) {
    if (lost < 0 || delta < -0x8000 || delta > 0x7fff) return false;
    statuses += lost + 1;
    if (statuses > 0xffff) return false;
    add_symbols(counter, lost, delta);
    deltas += delta_size(symbol_of(delta));
    return (head_size + counter.bound() + deltas + 3) / 4 * 4 <= room;
  });
}

}  // namespace

std::optional<TransportFeedback> TransportFeedback::parse(Bytes body) {
  ByteReader in(body);
  TransportFeedback feedback;
  feedback.sender_ssrc = in.u32();
  feedback.media_ssrc = in.u32();
  feedback.base_seq = in.u16();
  feedback.status_count = in.u16();
  feedback.reference_time = static_cast<int32_t>(in.u24() << 8) >> 8;
  feedback.feedback_count = in.u8();
  if (!in.ok() || feedback.status_count == 0) return std::nullopt;

  size_t chunks_at = in.position(), deltas = 0;
  for (unsigned left = feedback.status_count; left > 0;) {
    uint16_t chunk = in.u16();
    unsigned length = chunk_length(chunk), used = std::min(length, left);
    if (!in.ok() || length == 0) return std::nullopt;
    if (is_vector(chunk)) {
      for (unsigned i = 0; i < used; ++i) deltas += delta_size(vector_symbol(chunk, length - i));
    } else {
      deltas += used * delta_size(run_symbol(chunk));
    }
    left -= used;
  }
  feedback.chunks = body.subspan(chunks_at, in.position() - chunks_at);
  feedback.deltas = in.take(deltas);
  if (!in.ok()) return std::nullopt;
  return feedback;
}

TransportStatusReader::TransportStatusReader(const TransportFeedback& feedback)
    : chunks_(feedback.chunks), deltas_(feedback.deltas), left_(feedback.status_count), seq_(feedback.base_seq),
      at_(feedback.reference_time * reference_unit) {}

uint8_t TransportStatusReader::symbol() {
  while (left_in_chunk_ == 0 && chunks_.left() >= 2) {
    chunk_ = chunks_.u16();
    left_in_chunk_ = chunk_length(chunk_);
  }
  if (left_in_chunk_ == 0) return not_received;
  Symbol symbol = is_vector(chunk_) ? vector_symbol(chunk_, left_in_chunk_) : run_symbol(chunk_);
  --left_in_chunk_;
  return symbol;
}

std::optional<TransportStatus> TransportStatusReader::next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  TransportStatus status;
  status.seq = seq_++;
  uint8_t said = symbol();
  if (said == small_delta || said == large_delta) {
    int ticks = said == small_delta ? deltas_.u8() : static_cast<int16_t>(deltas_.u16());
    status.received = true;
    status.delta = ticks * tick;
    at_ += status.delta;
  }
  status.at = at_;
  return status;
}

size_t write_transport_feedback(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t feedback_count,
                                SeqNo base, std::span<const TransportArrival> arrivals) {
  if (arrivals.empty()) return 0;
  int64_t reference = floor_divide(arrivals[0].at, reference_unit);
  arrivals = arrivals.first(count_fitting(base, arrivals, reference, out.room()));
  if (arrivals.empty()) return 0;

  size_t start = out.size();
  out.u8(0x80 | fmt_transport);
  out.u8(rtcp_rtpfb);
  out.u16(0);  // the length, below
  out.u32(sender_ssrc);
  out.u32(media_ssrc);
  out.u16(static_cast<uint16_t>(base));
  out.u16(static_cast<uint16_t>(arrivals.back().seq - base + 1));
  out.u24(static_cast<uint32_t>(reference) & 0xffffff);
  out.u8(feedback_count);
  ChunkPacker packer(&out);
  walk(base, arrivals, reference, [&](SeqNo lost, int64_t delta) { return add_symbols(packer, lost, delta), true; });
  packer.finish();
  walk(base, arrivals, reference, [&](SeqNo, int64_t delta) {
    if (symbol_of(delta) == small_delta)
      out.u8(static_cast<uint8_t>(delta));
    else
      out.u16(static_cast<uint16_t>(delta));
    return true;
  });
  if (size_t over = (out.size() - start) % 4; over != 0) {
    size_t padding = 4 - over;
    out.zeros(padding - 1);
    out.u8(static_cast<uint8_t>(padding));
    out.patch_u16(start, ((0xa0 | fmt_transport) << 8) | rtcp_rtpfb);  // P
  }
  out.patch_u16(start + 2, static_cast<uint16_t>((out.size() - start) / 4 - 1));
  return arrivals.size();
}

}  // namespace cardea::rtp
