// RTCP as values: reading compound (RFC 3550 section 6.1) and reduced-size (RFC 5506) packets, and writing the messages
// that the house sends. Views point into the packet that was read. Nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "rtp/packet.hpp"
#include "rtp/transport_feedback.hpp"

namespace cardea::rtp {

// A list of fixed-size entries on the wire, decoded when looked at. T has a static `wire_size` and `load`.
template <class T>
class Entries {
public:
  class Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = decltype(T::load(nullptr));
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = value_type;

    explicit Iterator(const uint8_t* at) : at_(at) {}
    auto operator*() const { return T::load(at_); }
    Iterator& operator++() {
      at_ += T::wire_size;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

  private:
    const uint8_t* at_;
  };

  Entries() = default;
  explicit Entries(Bytes bytes) : bytes_(bytes.first(bytes.size() - bytes.size() % T::wire_size)) {}
  size_t size() const { return bytes_.size() / T::wire_size; }
  bool empty() const { return size() == 0; }
  auto operator[](size_t index) const { return T::load(bytes_.data() + index * T::wire_size); }
  Iterator begin() const { return Iterator(bytes_.data()); }
  Iterator end() const { return Iterator(bytes_.data() + bytes_.size()); }

private:
  Bytes bytes_;
};

// RFC 3550 section 6.4.1.
struct ReportBlock {
  static constexpr size_t wire_size = 24;
  static ReportBlock load(const uint8_t* at);
  uint32_t ssrc = 0;
  uint8_t fraction_lost = 0;  // of 256
  int32_t lost = 0;           // cumulative, 24 bits signed
  uint32_t highest_seq = 0;   // extended
  uint32_t jitter = 0;        // in units of the stream's clock
  uint32_t lsr = 0;           // middle bits of the last SR's NTP time; 0: none yet
  uint32_t dlsr = 0;          // since then, in 1/65536 s
  bool operator==(const ReportBlock&) const = default;
};

struct SenderInfo {
  uint64_t ntp = 0;
  uint32_t rtp_timestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;  // payload only
};

struct SenderReport {
  uint32_t ssrc = 0;
  SenderInfo info;
  Entries<ReportBlock> blocks;
};

struct ReceiverReport {
  uint32_t ssrc = 0;
  Entries<ReportBlock> blocks;
};

// One CNAME item of an SDES message; its other items are passed over.
struct Cname {
  uint32_t ssrc = 0;
  std::string_view cname;
};

struct SsrcEntry {
  static constexpr size_t wire_size = 4;
  static uint32_t load(const uint8_t* at) { return load_u32(at); }
};

struct Bye {
  Entries<SsrcEntry> ssrcs;
};

// RFC 4585 section 6.2.1.
struct NackEntry {
  static constexpr size_t wire_size = 4;
  static NackEntry load(const uint8_t* at) { return {load_u16(at), load_u16(at + 2)}; }
  uint16_t first = 0;   // PID
  uint16_t bitmap = 0;  // BLP: bit i asks for first + i + 1
};

struct Nack {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  Entries<NackEntry> entries;
  // Every number asked for, as 16 bits, in the order of the message.
  template <class Function>
  void for_each(Function&& function) const {
    for (NackEntry entry : entries) {
      function(entry.first);
      for (unsigned i = 0; i < 16; ++i)
        if ((entry.bitmap >> i) & 1) function(static_cast<uint16_t>(entry.first + i + 1));
    }
  }
};

struct Pli {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
};

// RFC 5104 section 4.3.1.
struct FirEntry {
  static constexpr size_t wire_size = 8;
  static FirEntry load(const uint8_t* at) { return {load_u32(at), at[4]}; }
  uint32_t media_ssrc = 0;
  uint8_t seq = 0;  // a repeated request has the same number
};

struct Fir {
  uint32_t sender_ssrc = 0;
  Entries<FirEntry> entries;
};

// draft-alvestrand-rmcat-remb-03 section 2.2.
struct Remb {
  uint32_t sender_ssrc = 0;
  uint64_t bitrate_bps = 0;
  Entries<SsrcEntry> ssrcs;
};

using RtcpMessage = std::variant<SenderReport, ReceiverReport, Cname, Bye, Nack, Pli, Fir, Remb, TransportFeedback>;

// Goes through a compound packet message by message. Kinds that the house does not use (XR, APP, SLI...) are passed
// over.
class RtcpReader {
public:
  explicit RtcpReader(Bytes compound) : rest_(compound) {}

  std::optional<RtcpMessage> next();             // none: at the end, or malformed from here on
  bool malformed() const { return malformed_; }  // known when next() has returned none

private:
  std::optional<RtcpMessage> read(uint8_t type, uint8_t count, Bytes body);  // sets malformed_
  std::optional<RtcpMessage> read_feedback(uint8_t type, uint8_t format, Bytes body);
  std::optional<RtcpMessage> next_cname();

  Bytes rest_;
  Bytes chunks_;  // what is left of an SDES message
  unsigned chunks_left_ = 0;
  bool malformed_ = false;
};

// Calls handler(message) for each message. Drop::malformed: something in it was broken; what stood before it was
// handled.
template <class Handler>
std::optional<Drop> read_rtcp(Bytes compound, Handler&& handler) {
  RtcpReader reader(compound);
  while (auto message = reader.next()) std::visit(handler, *message);
  if (reader.malformed()) return Drop::malformed;
  return std::nullopt;
}

// Builders: each appends one message to `out`; when it does not fit, out.ok() turns false. A compound packet begins
// with a report (RFC 3550 section 6.1); where a=rtcp-rsize is negotiated feedback may stand alone.

// More than 31 blocks go on in RRs behind the report (RFC 3550 section 6.1).
void write_sender_report(ByteWriter& out, uint32_t ssrc, const SenderInfo& info, std::span<const ReportBlock> blocks);
void write_receiver_report(ByteWriter& out, uint32_t ssrc, std::span<const ReportBlock> blocks);
void write_cname(ByteWriter& out, uint32_t ssrc, std::string_view cname);  // at most 255 bytes of it
void write_bye(ByteWriter& out, std::span<const uint32_t> ssrcs);          // at most 31
// As many of `lost` (ascending) as there is room for; returns how many, the rest belongs in another packet. Out of
// room, it writes nothing and leaves out.ok() as it is.
size_t write_nack(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const uint16_t> lost);
size_t write_nack(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const SeqNo> lost);
void write_pli(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc);
void write_fir(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t seq);
void write_remb(ByteWriter& out, uint32_t sender_ssrc, uint64_t bitrate_bps, std::span<const uint32_t> ssrcs);

}  // namespace cardea::rtp
