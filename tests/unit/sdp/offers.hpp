// The kept offers of real peers, and the plans and the side of ours that the tests negotiate them with.
#pragma once

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sdp/description.hpp"
#include "sdp/negotiation.hpp"

namespace cardea::sdp::test {

inline const std::vector<std::string> golden = {
    "aiortc",
    "chromium-answer-to-ours",
    "chromium-audio-video-data",
    "chromium-recvonly",
    "chromium-screen-max-bundle",
    "chromium-simulcast",
    "firefox-simulcast-data",
    "node-wrtc",
    "old-rid-form-by-hand",
    "safari-by-hand",
    "sim-group-by-hand",
    "static-types-by-hand",
};

inline std::string golden_offer(const std::string& name) {
  const char* source = std::getenv("top_srcdir");
  std::string path = std::string(source ? source : ".") + "/tests/unit/sdp/offers/" + name + ".sdp";
  std::ifstream in(path, std::ios::binary);
  CPPUNIT_ASSERT_MESSAGE(path, in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

inline LocalParameters our_side() {
  LocalParameters local;
  local.credentials = {"ourU", "ourPasswordOf22Letters"};
  local.fingerprint.digest.assign(32, 0xab);
  local.candidates = {*Address::parse("203.0.113.5", 40010)};
  local.origin_address = "203.0.113.5";
  return local;
}

inline const Extensions all_extensions{Extension::mid,
                                       Extension::rid,
                                       Extension::repaired_rid,
                                       Extension::audio_level,
                                       Extension::video_orientation,
                                       Extension::playout_delay,
                                       Extension::transport_cc};

// Everything back, as EchoTest does: the first codec of each line, or the one asked for.
inline AnswerPlan echo(const Offer& offer, std::optional<Codec> video = std::nullopt) {
  AnswerPlan plan{"EchoTest 1", {}};
  for (const auto& section : offer.sections) {
    AnswerSection answer;
    answer.mid = section.mid;
    answer.direction = Direction::sendrecv;
    if (!section.codecs.empty()) answer.codec = section.codecs.front();
    if (section.kind == MediaKind::video && video) answer.codec = video;
    if (section.kind == MediaKind::audio) answer.fmtp = "useinbandfec=1";
    answer.extensions = all_extensions;
    plan.sections.push_back(answer);
  }
  return plan;
}

// What a room says to its publisher.
inline AnswerPlan take(const Offer& offer) {
  AnswerPlan plan = echo(offer);
  plan.name = "VideoRoom 77";
  for (auto& section : plan.sections) section.direction = Direction::recvonly;
  return plan;
}

inline OfferSection section(std::string mid, CodecType codec, std::string fmtp = {},
                            Direction direction = Direction::sendonly) {
  OfferSection out;
  out.mid = std::move(mid);
  out.kind = kind_of(codec);
  out.direction = direction;
  out.codec = Codec{codec, std::move(fmtp)};
  out.extensions = {Extension::mid, Extension::transport_cc};
  out.extensions.add(out.kind == MediaKind::audio ? Extension::audio_level : Extension::video_orientation);
  return out;
}

inline OfferSection data_section(std::string mid) {
  OfferSection out;
  out.mid = std::move(mid);
  out.kind = MediaKind::data;
  out.direction = Direction::sendrecv;
  return out;
}

// The lines of one m-line's section, without line ends; index -1: of the session.
inline std::vector<std::string> lines_of(const std::string& sdp, int mline) {
  std::vector<std::string> lines;
  int at = -1;
  for (size_t begin = 0; begin < sdp.size();) {
    size_t end = sdp.find("\r\n", begin);
    CPPUNIT_ASSERT(end != std::string::npos);
    std::string line = sdp.substr(begin, end - begin);
    if (line.starts_with("m=")) ++at;
    if (at == mline) lines.push_back(line);
    begin = end + 2;
  }
  return lines;
}

inline bool has_line(const std::string& sdp, int mline, const std::string& line) {
  for (const auto& l : lines_of(sdp, mline))
    if (l == line) return true;
  return false;
}

inline bool has_start(const std::string& sdp, int mline, const std::string& start) {
  for (const auto& l : lines_of(sdp, mline))
    if (l.starts_with(start)) return true;
  return false;
}

inline std::string replaced(std::string text, const std::string& what, const std::string& by) {
  size_t at = text.find(what);
  CPPUNIT_ASSERT_MESSAGE(what, at != std::string::npos);
  for (; at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
  return text;
}

// Functions behind macros, so that what is asserted is evaluated once.
inline void assert_line(const std::string& sdp, int mline, const std::string& line, const CppUnit::SourceLine& where) {
  CppUnit::Asserter::failIf(!has_line(sdp, mline, line), line + "\n" + sdp, where);
}
inline void assert_no_start(const std::string& sdp, int mline, const std::string& start,
                            const CppUnit::SourceLine& where) {
  CppUnit::Asserter::failIf(has_start(sdp, mline, start), start + "\n" + sdp, where);
}
template <class T>
void assert_ok(const Result<T>& result, const CppUnit::SourceLine& where) {
  CppUnit::Asserter::failIf(!result, result ? "" : result.error().reason, where);
}
#define ASSERT_LINE(sdp, mline, line) assert_line(sdp, mline, line, CPPUNIT_SOURCELINE())
#define ASSERT_NO_START(sdp, mline, start) assert_no_start(sdp, mline, start, CPPUNIT_SOURCELINE())
#define ASSERT_OK(result) assert_ok(result, CPPUNIT_SOURCELINE())

}  // namespace cardea::sdp::test
