#include "offers.hpp"
#include "sdp/codecs.hpp"
#include "sdp/description.hpp"

namespace cardea::sdp {
namespace {
using namespace test;

std::string minimal(const std::string& more = {}) {
  return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + more;
}

class ParseTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ParseTest);
  CPPUNIT_TEST(kept_offers_parse_and_stay_the_same_when_written);
  CPPUNIT_TEST(line_ends_may_be_lf_and_lines_may_end_in_white_space);
  CPPUNIT_TEST(errors_are_465_and_name_the_line);
  CPPUNIT_TEST(what_is_endless_is_refused_or_cut);
  CPPUNIT_TEST(session_attributes_hold_for_every_m_line);
  CPPUNIT_TEST(an_own_fingerprint_replaces_the_session_one);
  CPPUNIT_TEST(unknown_hashes_are_skipped_and_short_digests_refused);
  CPPUNIT_TEST(simulcast_alternatives_and_paused_streams_are_read);
  CPPUNIT_TEST(feedback_for_all_formats_is_given_to_each);
  CPPUNIT_TEST(values_cannot_add_lines);
  CPPUNIT_TEST(candidates_are_read_and_junk_is_none);
  CPPUNIT_TEST(codecs_are_known_by_name_or_static_type);
  CPPUNIT_TEST(h264_formats_are_chosen_by_profile_then_packetization_mode);
  CPPUNIT_TEST_SUITE_END();

  void kept_offers_parse_and_stay_the_same_when_written() {
    for (const auto& name : golden) {
      auto first = parse(golden_offer(name));
      ASSERT_OK(first);
      std::string written = write(*first);
      auto second = parse(written);
      ASSERT_OK(second);
      CPPUNIT_ASSERT_MESSAGE(name, *first == *second);
      CPPUNIT_ASSERT_EQUAL(written, write(*second));
    }
  }

  void line_ends_may_be_lf_and_lines_may_end_in_white_space() {
    auto strict = parse(golden_offer("chromium-simulcast"));
    auto loose = parse(replaced(golden_offer("chromium-simulcast"), "\r\n", " \t\n\n") + "\r\n ");
    ASSERT_OK(loose);
    CPPUNIT_ASSERT(*strict == *loose);
  }

  void errors_are_465_and_name_the_line() {
    struct {
      std::string sdp, reason;
    } cases[] = {
        {"", "Empty SDP"},
        {"hello", "Line 1: v=0 expected"},
        {"v=0\r\ns=-\r\nt=0 0\r\n", "Missing o= line"},
        {"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\nt=0 0\r\n", "Missing s= line"},
        {"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\n", "Missing m= line"},
        {"v=0\r\no=- 1 2\r\n", "Line 2: o= needs six words"},
        {"v=0\r\nm=audio 9 RTP/SAVPF 0\r\n", "Line 2: m= before o="},
        {minimal("nonsense\r\n"), "Line 6: not of the form x=..."},
        {minimal("m=video x UDP/TLS/RTP/SAVPF 96\r\n"), "Line 6: malformed m="},
        {minimal("m=video 9 UDP/TLS/RTP/SAVPF 300\r\n"), "Line 6: payload type expected in m="},
        {minimal("m=video 9 UDP/TLS/RTP/SAVPF\r\n"), "Line 6: m= without formats"},
        {minimal("a=rtpmap:111 opus\r\n"), "Line 6: malformed rtpmap"},
        {minimal("a=mid:12345678901234567\r\n"), "Line 6: mid too long"},
        {minimal("a=setup:maybe\r\n"), "Line 6: unknown setup"},
        {minimal("a=mid:a\x01z\r\n"), "Line 6: control character"},
    };
    for (const auto& c : cases) {
      auto result = parse(c.sdp);
      CPPUNIT_ASSERT_MESSAGE(c.sdp, !result);
      CPPUNIT_ASSERT_EQUAL(465, result.error().code);
      CPPUNIT_ASSERT_EQUAL(c.reason, result.error().reason);
    }
  }

  void what_is_endless_is_refused_or_cut() {
    CPPUNIT_ASSERT(!parse(minimal(std::string(max_text_size, '\n'))));
    std::string many;
    for (size_t i = 0; i < max_mlines; ++i) many += "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";
    CPPUNIT_ASSERT(!parse(minimal(many)));
    std::string ssrcs;
    for (int i = 1; i < 1000; ++i)
      ssrcs += "a=ssrc:" + std::to_string(i) + " cname:x\r\na=rtcp-fb:* a" + std::to_string(i) + "\r\n";
    auto cut = parse(minimal(ssrcs));
    ASSERT_OK(cut);
    CPPUNIT_ASSERT_EQUAL(max_attributes, cut->media[0].ssrcs.size());
    CPPUNIT_ASSERT_EQUAL(size_t{16}, cut->media[0].formats[0].feedback.size());
  }

  void session_attributes_hold_for_every_m_line() {
    auto parsed = parse(golden_offer("static-types-by-hand"));
    ASSERT_OK(parsed);
    for (const auto& media : parsed->media) {
      CPPUNIT_ASSERT_EQUAL(std::string("phon"), media.transport.ufrag);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, media.transport.fingerprints.size());
      CPPUNIT_ASSERT(media.transport.setup == Setup::actpass);
    }
  }

  void an_own_fingerprint_replaces_the_session_one() {
    std::string sha1 = "a=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n";
    auto parsed = parse(replaced(golden_offer("static-types-by-hand"), "m=video", sha1 + "m=video"));
    ASSERT_OK(parsed);
    CPPUNIT_ASSERT(parsed->media[0].transport.fingerprints.at(0).hash == HashType::sha1);
    CPPUNIT_ASSERT(parsed->media[1].transport.fingerprints.at(0).hash == HashType::sha256);
  }

  void unknown_hashes_are_skipped_and_short_digests_refused() {
    // Those of the session hold where an m-line brings none that is known.
    auto bad = parse(replaced(golden_offer("static-types-by-hand"), "m=video", "a=fingerprint:md5 00:11\r\nm=video"));
    ASSERT_OK(bad);
    CPPUNIT_ASSERT(bad->media[0].transport.fingerprints.at(0).hash == HashType::sha256);
    auto unknown = parse(minimal("a=fingerprint:md5 00:11\r\n"));
    ASSERT_OK(unknown);
    CPPUNIT_ASSERT(unknown->media[0].transport.fingerprints.empty());
    CPPUNIT_ASSERT(!parse(minimal("a=fingerprint:sha-256 00:11\r\n")));
  }

  void simulcast_alternatives_and_paused_streams_are_read() {
    auto parsed =
        parse(minimal("a=simulcast:recv r send x,h,m;~l;gone\r\na=rid:h send\r\na=rid:m send\r\na=rid:l send\r\n"));
    ASSERT_OK(parsed);
    const auto& simulcast = parsed->media[0].simulcast;
    CPPUNIT_ASSERT(simulcast.has_value());
    std::vector<SimulcastStream> wanted{{"h", false}, {"l", true}};
    CPPUNIT_ASSERT(simulcast->send == wanted);
    CPPUNIT_ASSERT(simulcast->recv.empty());
  }

  void feedback_for_all_formats_is_given_to_each() {
    auto parsed = parse(minimal("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtcp-fb:* nack pli\r\n"));
    ASSERT_OK(parsed);
    for (const auto& format : parsed->media[1].formats)
      CPPUNIT_ASSERT(format.feedback == std::vector<std::string>{"nack pli"});
  }

  void values_cannot_add_lines() {
    Description description;
    description.name = "room\r\na=ice-lite";
    description.media.emplace_back();
    description.media[0].media = "audio";
    description.media[0].protocol = "UDP/TLS/RTP/SAVPF";
    description.media[0].formats.emplace_back();
    description.media[0].msid = "a\nb=AS:1";
    auto again = parse(write(description));
    ASSERT_OK(again);
    CPPUNIT_ASSERT_EQUAL(std::string("room  a=ice-lite"), again->name);
    CPPUNIT_ASSERT(!again->ice_lite);
    CPPUNIT_ASSERT(!again->media[0].as_kbps);
  }

  void candidates_are_read_and_junk_is_none() {
    auto candidate = parse_candidate(
        "candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0");
    CPPUNIT_ASSERT(candidate.has_value());
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.7:46154"), candidate->address.text());
    CPPUNIT_ASSERT(candidate->type == CandidateType::srflx);
    CPPUNIT_ASSERT_EQUAL(uint32_t{1677729535}, candidate->priority);
    CPPUNIT_ASSERT(parse_candidate("a=candidate:1 1 TCP 5 2001:db8::1 9 typ host tcptype active")->tcp);
    CPPUNIT_ASSERT_EQUAL(std::string("1 1 udp 2130706431 203.0.113.5 40010 typ host"),
                         write_candidate(*parse_candidate("1 1 UDP 2130706431 203.0.113.5 40010 typ host")));
    for (const char* junk :
         {"", "candidate:", "candidate:1 1 udp 5 x.local 9 typ host", "candidate:1 1 sctp 5 1.2.3.4 9 typ host",
          "candidate:1 0 udp 5 1.2.3.4 9 typ host", "candidate:1 1 udp 99999999999 1.2.3.4 9 typ host",
          "candidate:1 1 udp 5 1.2.3.4 99999 typ host", "candidate:1 1 udp 5 1.2.3.4 9 typ",
          "candidate:1 1 udp 5 1.2.3.4 9 host"})
      CPPUNIT_ASSERT_MESSAGE(junk, !parse_candidate(junk));
  }

  void codecs_are_known_by_name_or_static_type() {
    auto codec = [](uint8_t type, std::string name, uint32_t clock, uint8_t channels) {
      return codec_of(Format{type, std::move(name), clock, channels, {}, {}});
    };
    CPPUNIT_ASSERT(codec(0, "", 0, 1) == CodecType::pcmu);
    CPPUNIT_ASSERT(codec(8, "", 0, 1) == CodecType::pcma);
    CPPUNIT_ASSERT(codec(9, "", 0, 1) == CodecType::g722);
    CPPUNIT_ASSERT(codec(31, "", 0, 1) == std::nullopt);
    CPPUNIT_ASSERT(codec(100, "OPUS", 48000, 2) == CodecType::opus);
    CPPUNIT_ASSERT(codec(100, "multiopus", 48000, 6) == CodecType::multiopus);
    CPPUNIT_ASSERT(codec(100, "L16", 48000, 2) == CodecType::l16_48);
    CPPUNIT_ASSERT(codec(100, "isac", 32000, 1) == CodecType::isac32);
    CPPUNIT_ASSERT(codec(100, "h265", 90000, 1) == CodecType::h265);
    CPPUNIT_ASSERT(codec(100, "red", 48000, 2) == std::nullopt);
    CPPUNIT_ASSERT(codec(100, "rtx", 90000, 1) == std::nullopt);
  }

  void h264_formats_are_chosen_by_profile_then_packetization_mode() {
    MediaDescription media;
    media.media = "video";
    auto add = [&](uint8_t type, std::string fmtp) {
      media.formats.push_back({type, "H264", 90000, 1, std::move(fmtp), {}});
    };
    add(1, "profile-level-id=42001f;packetization-mode=1");
    add(2, "packetization-mode=0;profile-level-id=42e01f");
    add(3, "profile-level-id=42e02a; packetization-mode=1");
    add(4, "profile-level-id=640c1f;packetization-mode=1");
    auto chosen = [&](std::string fmtp) { return int{find_codec(media, {CodecType::h264, std::move(fmtp)})->type}; };
    CPPUNIT_ASSERT_EQUAL(3, chosen(""));
    CPPUNIT_ASSERT_EQUAL(3, chosen("profile-level-id=42e01f"));  // whatever the level
    CPPUNIT_ASSERT_EQUAL(2, chosen("profile-level-id=42e01f;packetization-mode=0"));
    CPPUNIT_ASSERT_EQUAL(1, chosen("profile-level-id=42000a"));
    CPPUNIT_ASSERT_EQUAL(4, chosen("profile-level-id=640C28"));
    CPPUNIT_ASSERT_EQUAL(3, chosen("profile-level-id=f4001f"));  // not there: what every browser has
    CPPUNIT_ASSERT(find_codec(media, {CodecType::vp8, {}}) == nullptr);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ParseTest);

}  // namespace
}  // namespace cardea::sdp
