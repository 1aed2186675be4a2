#include <map>

#include "offers.hpp"

namespace cardea::sdp {
namespace {
using namespace test;

class NegotiationTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NegotiationTest);
  CPPUNIT_TEST(a_plugin_sees_sections_codecs_and_extensions);
  CPPUNIT_TEST(an_id_means_one_extension_in_a_bundle);
  CPPUNIT_TEST(an_echo_answer_says_what_janus_would);
  CPPUNIT_TEST(the_plan_of_an_echo_tells_the_worker_everything);
  CPPUNIT_TEST(a_publisher_with_simulcast_is_answered_with_its_rids);
  CPPUNIT_TEST(rid_order_and_three_rids_at_most_decide_substreams);
  CPPUNIT_TEST(refused_simulcast_leaves_no_rid);
  CPPUNIT_TEST(firefox_extension_directions_are_turned_round);
  CPPUNIT_TEST(the_old_simulcast_form_is_answered_in_kind);
  CPPUNIT_TEST(a_sim_group_gives_substreams_by_ssrc);
  CPPUNIT_TEST(our_direction_fits_the_offered_one);
  CPPUNIT_TEST(a_line_without_common_codec_stays_and_an_unwanted_one_goes);
  CPPUNIT_TEST(opus_red_is_accepted_when_asked_for);
  CPPUNIT_TEST(h264_keeps_the_offered_profile);
  CPPUNIT_TEST(h265_is_a_codec_like_the_others);
  CPPUNIT_TEST(transport_cc_needs_its_extension);
  CPPUNIT_TEST(old_data_channels_are_answered_in_the_old_form);
  CPPUNIT_TEST(static_types_and_missing_mids_work_without_a_bundle);
  CPPUNIT_TEST(bundle_only_lines_are_not_rejected_and_unbundled_ones_are);
  CPPUNIT_TEST(bandwidth_is_read_and_written);
  CPPUNIT_TEST(an_active_peer_makes_us_the_server);
  CPPUNIT_TEST(what_a_connection_needs_is_demanded);
  CPPUNIT_TEST(svc_is_told_by_mid_or_index);
  CPPUNIT_TEST(candidates_of_the_offer_are_kept_without_host_names);
  CPPUNIT_TEST(ten_thousand_mutations_do_no_harm);
  CPPUNIT_TEST_SUITE_END();

  SeededRandom random_{7};
  Negotiation negotiation_{our_side(), random_};

  Offer receive(const std::string& sdp, const JsepOptions& options = {}) {
    auto offer = negotiation_.receive_offer(sdp, options);
    ASSERT_OK(offer);
    return std::move(*offer);
  }
  std::string answer(const AnswerPlan& plan) {
    auto text = negotiation_.answer(plan);
    ASSERT_OK(text);
    auto parsed = negotiation_.receive_answer(*text);
    CPPUNIT_ASSERT_EQUAL(469, parsed.error().code);  // nothing was offered
    return std::move(*text);
  }
  const MlinePlan& mline(size_t i) { return negotiation_.plan().mlines.at(i); }

  void a_plugin_sees_sections_codecs_and_extensions() {
    Offer offer = receive(golden_offer("chromium-audio-video-data"));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, offer.sections.size());
    CPPUNIT_ASSERT(!offer.update && !offer.ice_restart && !offer.e2ee);
    const Section &audio = offer.sections[0], &video = offer.sections[1], &data = offer.sections[2];
    CPPUNIT_ASSERT(audio.kind == MediaKind::audio && audio.direction == Direction::sendrecv && audio.red);
    CPPUNIT_ASSERT(audio.codecs.at(0).type == CodecType::opus);
    CPPUNIT_ASSERT_EQUAL(std::string("minptime=10;useinbandfec=1"), audio.codecs.at(0).fmtp);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, audio.codecs.size());  // opus, G722, PCMU, PCMA; no RED, CN, DTMF
    CPPUNIT_ASSERT(audio.extensions.has(Extension::audio_level) && !audio.extensions.has(Extension::rid));
    CPPUNIT_ASSERT(video.kind == MediaKind::video && video.rtx && !video.simulcast() && !video.svc);
    CPPUNIT_ASSERT(video.codecs.at(0).type == CodecType::vp8);
    CPPUNIT_ASSERT(video.extensions.has(Extension::playout_delay));
    CPPUNIT_ASSERT_EQUAL(1, int{audio.extension_id(Extension::audio_level)});
    CPPUNIT_ASSERT_EQUAL(5, int{video.extension_id(Extension::playout_delay)});
    CPPUNIT_ASSERT_EQUAL(0, int{audio.extension_id(Extension::playout_delay)});
    CPPUNIT_ASSERT(data.kind == MediaKind::data && !data.rejected && data.codecs.empty());
    CPPUNIT_ASSERT(negotiation_.awaiting_plan() && !negotiation_.established());
  }

  void an_id_means_one_extension_in_a_bundle() {
    // aiortc offers 2 as abs-send-time of its video and as audio level of its sound.
    for (const std::string& name : golden) {
      negotiation_ = Negotiation(our_side(), random_);
      auto offer = negotiation_.receive_offer(golden_offer(name), {});
      if (!offer) continue;  // an answer
      AnswerPlan plan = echo(*offer);
      for (AnswerSection& section : plan.sections) section.extensions.add(Extension::abs_send_time);
      CPPUNIT_ASSERT(negotiation_.answer(plan));
      std::map<uint8_t, size_t> meanings;
      for (const MlinePlan& line : negotiation_.plan().mlines)
        for (size_t i = 0; i < extension_count; ++i)
          if (uint8_t id = line.extensions.ids[i]; id != 0)
            CPPUNIT_ASSERT_EQUAL_MESSAGE(name, i, meanings.emplace(id, i).first->second);
    }
  }
  void an_echo_answer_says_what_janus_would() {
    std::string sdp = answer(echo(receive(golden_offer("chromium-audio-video-data"))));
    auto session = lines_of(sdp, -1);
    CPPUNIT_ASSERT_EQUAL(std::string("v=0"), session.at(0));
    CPPUNIT_ASSERT_EQUAL(
        replaced(lines_of(golden_offer("chromium-audio-video-data"), -1).at(1), "127.0.0.1", "203.0.113.5"),
        session.at(1));
    const std::string rest[] = {"s=EchoTest 1", "t=0 0", "a=group:BUNDLE 0 1 2", "a=ice-options:trickle"};
    for (size_t i = 0; i < 4; ++i) CPPUNIT_ASSERT_EQUAL(rest[i], session.at(i + 2));
    CPPUNIT_ASSERT(session.at(6).starts_with("a=fingerprint:sha-256 AB:AB"));
    CPPUNIT_ASSERT_EQUAL(std::string("a=extmap-allow-mixed"), session.at(7));
    CPPUNIT_ASSERT_EQUAL(std::string("a=msid-semantic: WMS *"), session.at(8));
    CPPUNIT_ASSERT_EQUAL(std::string("a=ice-lite"), session.at(9));

    const std::vector<std::string> audio = {
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 203.0.113.5",
        "a=sendrecv",
        "a=mid:0",
        "a=rtcp-mux",
        "a=ice-ufrag:ourU",
        "a=ice-pwd:ourPasswordOf22Letters",
        "a=ice-options:trickle",
        "a=setup:active",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 useinbandfec=1",
        "a=rtcp-fb:111 transport-cc",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=msid:janus janus0",
        "a=ssrc:" + std::to_string(mline(0).ssrc) + " cname:janus",
        "a=candidate:1 1 udp 2130706431 203.0.113.5 40010 typ host",
        "a=end-of-candidates",
    };
    auto found = lines_of(sdp, 0);
    CPPUNIT_ASSERT_EQUAL(audio.size(), found.size());
    for (size_t i = 0; i < audio.size(); ++i) CPPUNIT_ASSERT_EQUAL(audio[i], found[i]);

    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    for (const char* feedback : {"ccm fir", "nack", "nack pli", "goog-remb", "transport-cc"})
      ASSERT_LINE(sdp, 1, "a=rtcp-fb:96 " + std::string(feedback));
    ASSERT_LINE(sdp, 1, "a=rtpmap:97 rtx/90000");
    ASSERT_LINE(sdp, 1, "a=fmtp:97 apt=96");
    std::string ssrcs = std::to_string(mline(1).ssrc) + " " + std::to_string(mline(1).rtx_ssrc);
    ASSERT_LINE(sdp, 1, "a=ssrc-group:FID " + ssrcs);
    ASSERT_NO_START(sdp, 1, "a=rid");
    ASSERT_NO_START(sdp, 1, "a=rtcp-rsize");
    ASSERT_LINE(sdp, 1, "a=candidate:1 1 udp 2130706431 203.0.113.5 40010 typ host");
    ASSERT_LINE(sdp, 2, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
    ASSERT_LINE(sdp, 2, "a=sctp-port:5000");
    ASSERT_LINE(sdp, 2, "a=sendrecv");
  }

  void the_plan_of_an_echo_tells_the_worker_everything() {
    std::string offered = golden_offer("chromium-audio-video-data");
    answer(echo(receive(offered)));
    const PeerPlan& plan = negotiation_.plan();
    CPPUNIT_ASSERT(plan.dtls_role == DtlsRole::client);
    CPPUNIT_ASSERT_EQUAL(std::string("ourU"), plan.local.ufrag);
    CPPUNIT_ASSERT(offered.find("a=ice-ufrag:" + plan.remote.ufrag + "\r\n") != std::string::npos);
    CPPUNIT_ASSERT(plan.remote_fingerprint.hash == HashType::sha256);
    CPPUNIT_ASSERT_EQUAL(size_t{32}, plan.remote_fingerprint.digest.size());
    CPPUNIT_ASSERT_EQUAL(size_t{3}, plan.mlines.size());
    CPPUNIT_ASSERT(mline(1).direction == Direction::sendrecv);
    const PayloadPlan& vp8 = mline(1).payloads.at(0);
    CPPUNIT_ASSERT(vp8.type == 96 && vp8.rtx == 97 && vp8.clock_hz == 90000 && vp8.codec.type == CodecType::vp8);
    CPPUNIT_ASSERT(vp8.nack && vp8.pli && vp8.fir && vp8.remb && vp8.transport_cc);
    CPPUNIT_ASSERT_EQUAL(13, int{mline(1).extensions[Extension::video_orientation]});
    CPPUNIT_ASSERT_EQUAL(0, int{mline(1).extensions[Extension::rid]});
    CPPUNIT_ASSERT_EQUAL(size_t{1}, mline(1).ssrcs.size());
    CPPUNIT_ASSERT(mline(1).ssrcs[0].rtx.has_value());
    CPPUNIT_ASSERT(mline(0).ssrc != 0 && mline(1).ssrc != 0 && mline(0).ssrc != mline(1).ssrc);
    CPPUNIT_ASSERT(plan.data && plan.data->mline == 2 && plan.data->sctp_port == 5000);
    CPPUNIT_ASSERT_EQUAL(uint32_t{262144}, plan.data->max_message_size);
    CPPUNIT_ASSERT(mline(2).kind == MediaKind::data && mline(2).direction == Direction::inactive);
  }

  void a_publisher_with_simulcast_is_answered_with_its_rids() {
    Offer offer = receive(golden_offer("chromium-simulcast"));
    CPPUNIT_ASSERT(offer.sections[1].rids == (std::vector<std::string>{"l", "m", "h"}));
    std::string sdp = answer(take(offer));
    ASSERT_LINE(sdp, 1, "a=recvonly");
    for (const char* rid : {"h", "m", "l"}) ASSERT_LINE(sdp, 1, "a=rid:" + std::string(rid) + " recv");
    ASSERT_LINE(sdp, 1, "a=simulcast:recv h;m;l");
    ASSERT_LINE(sdp, 1, "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    ASSERT_LINE(sdp, 1, "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id");
    ASSERT_LINE(sdp, 1, "a=msid:janus janus1");
    ASSERT_LINE(sdp, 1, "a=ssrc:" + std::to_string(mline(1).ssrc) + " cname:janus");
    ASSERT_NO_START(sdp, 1, "a=ssrc-group");
    CPPUNIT_ASSERT(mline(1).rids == (std::vector<std::string>{"l", "m", "h"}));
    CPPUNIT_ASSERT_EQUAL(10, int{mline(1).extensions[Extension::rid]});
  }

  void rid_order_and_three_rids_at_most_decide_substreams() {
    JsepOptions options;
    options.low_to_high_rids = true;
    std::string sdp = golden_offer("chromium-simulcast");
    Offer offer = receive(sdp, options);
    CPPUNIT_ASSERT(offer.sections[1].rids == (std::vector<std::string>{"h", "m", "l"}));
    sdp = replaced(sdp, "a=simulcast:send h;m;l", "a=rid:x send\r\na=simulcast:send h;~m;l;x");
    offer = receive(sdp);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, offer.sections[1].rids.size());
    ASSERT_LINE(answer(take(offer)), 1, "a=simulcast:recv h;~m;l");
  }

  void refused_simulcast_leaves_no_rid() {
    AnswerPlan plan = take(receive(golden_offer("chromium-simulcast")));
    plan.sections[1].simulcast = false;
    std::string sdp = answer(plan);
    ASSERT_NO_START(sdp, 1, "a=rid");
    ASSERT_NO_START(sdp, 1, "a=simulcast");
    CPPUNIT_ASSERT(sdp.find("rtp-stream-id") == std::string::npos);
    CPPUNIT_ASSERT(mline(1).rids.empty());
  }

  void firefox_extension_directions_are_turned_round() {
    std::string sdp = answer(take(receive(golden_offer("firefox-simulcast-data"))));
    ASSERT_LINE(sdp, 1, "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    ASSERT_LINE(sdp, 1, "a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay");
    ASSERT_LINE(sdp, 1, "a=simulcast:recv h;m;l");
    CPPUNIT_ASSERT(mline(1).ssrcs.empty());  // which SSRC has which rid is not told
    CPPUNIT_ASSERT(negotiation_.plan().data.has_value());
  }

  void the_old_simulcast_form_is_answered_in_kind() {
    Offer offer = receive(golden_offer("old-rid-form-by-hand"));
    CPPUNIT_ASSERT(offer.sections[0].rids == (std::vector<std::string>{"high", "low"}));
    ASSERT_LINE(answer(take(offer)), 0, "a=simulcast: recv rid=low;high");
  }

  void a_sim_group_gives_substreams_by_ssrc() {
    Offer offer = receive(golden_offer("sim-group-by-hand"));
    CPPUNIT_ASSERT_EQUAL(3, int{offer.sections[1].ssrc_layers});
    CPPUNIT_ASSERT(offer.sections[1].simulcast());
    AnswerPlan plan = take(offer);
    answer(plan);
    std::vector<SsrcPlan> wanted{{21, 31}, {22, 32}, {23, 33}};
    CPPUNIT_ASSERT(mline(1).ssrcs == wanted);
    CPPUNIT_ASSERT(negotiation_.plan().remote_fingerprint.hash == HashType::sha1);
    receive(golden_offer("sim-group-by-hand"));
    plan.sections[1].simulcast = false;
    answer(plan);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, mline(1).ssrcs.size());
  }

  void our_direction_fits_the_offered_one() {
    std::string sdp = answer(echo(receive(golden_offer("chromium-recvonly"))));
    for (int i = 0; i < 2; ++i) {
      ASSERT_LINE(sdp, i, "a=sendonly");
      CPPUNIT_ASSERT(mline(size_t(i)).direction == Direction::sendonly);
    }
    AnswerPlan plan = take(receive(golden_offer("chromium-recvonly")));
    sdp = answer(plan);  // we would take what is not sent
    ASSERT_LINE(sdp, 0, "a=inactive");
    CPPUNIT_ASSERT(mline(0).direction == Direction::inactive && mline(0).ssrcs.empty());
  }

  void a_line_without_common_codec_stays_and_an_unwanted_one_goes() {
    AnswerPlan plan = take(receive(golden_offer("chromium-audio-video-data")));
    plan.sections[0].codec.reset();
    plan.sections[1].codec = Codec{CodecType::h265, {}};
    plan.sections[2].reject = true;
    std::string sdp = answer(plan);
    ASSERT_LINE(sdp, -1, "a=group:BUNDLE 0 1");
    ASSERT_LINE(sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 0");
    ASSERT_LINE(sdp, 0, "a=inactive");
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96");
    ASSERT_LINE(sdp, 1, "a=inactive");
    ASSERT_LINE(sdp, 2, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
    CPPUNIT_ASSERT(mline(1).payloads.empty() && !negotiation_.plan().data);
    plan.sections.erase(plan.sections.begin() + 1);
    receive(golden_offer("chromium-audio-video-data"));
    sdp = answer(plan);
    ASSERT_LINE(sdp, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0");
    ASSERT_LINE(sdp, -1, "a=group:BUNDLE 0");
  }

  void opus_red_is_accepted_when_asked_for() {
    AnswerPlan plan = echo(receive(golden_offer("chromium-audio-video-data")));
    plan.sections[0].red = true;
    std::string sdp = answer(plan);
    ASSERT_LINE(sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111");
    ASSERT_LINE(sdp, 0, "a=rtpmap:63 red/48000/2");
    ASSERT_LINE(sdp, 0, "a=fmtp:63 111/111");
    CPPUNIT_ASSERT(mline(0).payloads.at(0).type == 111 && mline(0).payloads.at(0).red == 63);
  }

  void h264_keeps_the_offered_profile() {
    Offer offer = receive(golden_offer("safari-by-hand"));
    std::string sdp = answer(echo(offer, Codec{CodecType::h264, {}}));
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 98 99");
    ASSERT_LINE(sdp, 1, "a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
    receive(golden_offer("safari-by-hand"));
    sdp = answer(echo(offer, Codec{CodecType::h264, "profile-level-id=640c1f"}));
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
  }

  void h265_is_a_codec_like_the_others() {
    std::string sdp = answer(echo(receive(golden_offer("safari-by-hand")), Codec{CodecType::h265, {}}));
    ASSERT_LINE(sdp, 1, "a=rtpmap:100 H265/90000");
    ASSERT_LINE(sdp, 1, "a=fmtp:100 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST");
    CPPUNIT_ASSERT(mline(1).payloads.at(0).rtx == 101);
  }

  void transport_cc_needs_its_extension() {
    AnswerPlan plan = echo(receive(golden_offer("chromium-audio-video-data")));
    for (auto& section : plan.sections) section.extensions.remove(Extension::transport_cc);
    std::string sdp = answer(plan);
    CPPUNIT_ASSERT(sdp.find("transport-cc") == std::string::npos);
    CPPUNIT_ASSERT(!mline(1).payloads.at(0).transport_cc);
    ASSERT_LINE(sdp, 1, "a=rtcp-fb:96 nack pli");
  }

  void old_data_channels_are_answered_in_the_old_form() {
    std::string sdp = answer(echo(receive(golden_offer("aiortc"))));
    ASSERT_LINE(sdp, 2, "m=application 9 DTLS/SCTP 5000");
    ASSERT_LINE(sdp, 2, "a=sctpmap:5000 webrtc-datachannel 16");
    ASSERT_NO_START(sdp, 2, "a=sctp-port");
    CPPUNIT_ASSERT(negotiation_.plan().data->sctp_port == 5000);
    CPPUNIT_ASSERT_EQUAL(uint32_t{65536}, negotiation_.plan().data->max_message_size);
    ASSERT_NO_START(sdp, 1, "a=rtcp-fb:97 transport-cc");  // not offered
    ASSERT_NO_START(sdp, 1, "a=rtcp-fb:97 ccm fir");
  }

  void static_types_and_missing_mids_work_without_a_bundle() {
    Offer offer = receive(golden_offer("static-types-by-hand"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), offer.sections[1].mid);
    CPPUNIT_ASSERT(offer.sections[0].codecs.at(0).type == CodecType::pcma && offer.sections[0].codecs.size() == 3);
    CPPUNIT_ASSERT(!offer.sections[0].rejected && offer.sections[1].rejected && offer.sections[2].rejected);
    std::string sdp = answer(echo(offer));
    ASSERT_NO_START(sdp, -1, "a=group");
    ASSERT_LINE(sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 8");
    ASSERT_LINE(sdp, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0");
    ASSERT_LINE(sdp, 2, "m=image 0 udptl t38");
    CPPUNIT_ASSERT_EQUAL(uint32_t{8000}, mline(0).payloads.at(0).clock_hz);
  }

  void bundle_only_lines_are_not_rejected_and_unbundled_ones_are() {
    std::string sdp = golden_offer("chromium-audio-video-data");
    Offer offer = receive(replaced(sdp, "a=mid:1", "a=bundle-only\r\na=mid:1"));
    CPPUNIT_ASSERT(!offer.sections[1].rejected);
    size_t video = sdp.find("m=video ");
    std::string zero = sdp;
    zero.replace(video, zero.find(' ', video + 8) - video, "m=video 0");
    CPPUNIT_ASSERT(receive(zero).sections[1].rejected);
    CPPUNIT_ASSERT(!receive(replaced(zero, "a=mid:1", "a=bundle-only\r\na=mid:1")).sections[1].rejected);
    offer = receive(replaced(sdp, "BUNDLE 0 1 2", "BUNDLE 0 2"));
    CPPUNIT_ASSERT(offer.sections[1].rejected);
    std::string text = answer(echo(offer));
    ASSERT_LINE(text, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0");
    ASSERT_LINE(text, -1, "a=group:BUNDLE 0 2");
  }

  void bandwidth_is_read_and_written() {
    Offer offer = receive(golden_offer("sim-group-by-hand"));
    CPPUNIT_ASSERT(offer.sections[1].bandwidth_bps == uint32_t{2500000});
    AnswerPlan plan = take(offer);
    plan.sections[1].bandwidth_bps = 1000000;
    std::string sdp = answer(plan);
    ASSERT_LINE(sdp, 1, "b=AS:1000");
    ASSERT_LINE(sdp, 1, "b=TIAS:1000000");
  }

  void an_active_peer_makes_us_the_server() {
    std::string sdp = answer(take(receive(golden_offer("sim-group-by-hand"))));
    ASSERT_LINE(sdp, 0, "a=setup:passive");
    CPPUNIT_ASSERT(negotiation_.plan().dtls_role == DtlsRole::server);
  }

  void what_a_connection_needs_is_demanded() {
    std::string sdp = golden_offer("chromium-audio-video-data");
    for (const char* attribute : {"a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"}) {
      auto offer = negotiation_.receive_offer(replaced(sdp, attribute, "a=x-none:"));
      CPPUNIT_ASSERT_MESSAGE(attribute, !offer);
      CPPUNIT_ASSERT_EQUAL(465, offer.error().code);
    }
    CPPUNIT_ASSERT_EQUAL(465, negotiation_.receive_offer(replaced(sdp, "a=mid:1", "a=mid:0")).error().code);
    CPPUNIT_ASSERT_EQUAL(465, negotiation_.receive_offer("v=0").error().code);
    CPPUNIT_ASSERT_EQUAL(469, negotiation_.receive_answer(sdp).error().code);
    CPPUNIT_ASSERT_EQUAL(469, negotiation_.answer({}).error().code);
    CPPUNIT_ASSERT(!negotiation_.established() && negotiation_.plan() == PeerPlan{});
  }

  void svc_is_told_by_mid_or_index() {
    JsepOptions options;
    options.svc_mids = {"1"};
    options.svc_indices = {0};
    Offer offer = receive(golden_offer("chromium-screen-max-bundle"), options);
    CPPUNIT_ASSERT(offer.sections[0].svc && offer.sections[1].svc && !offer.sections[2].svc);
  }

  void candidates_of_the_offer_are_kept_without_host_names() {
    answer(echo(receive(golden_offer("static-types-by-hand"))));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, negotiation_.remote_candidates().size());
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.7:4000"), negotiation_.remote_candidates()[0].address.text());
    Negotiation other(our_side(), random_);
    auto offer = other.receive_offer(golden_offer("safari-by-hand"));
    ASSERT_OK(offer);
    ASSERT_OK(other.answer(echo(*offer)));
    CPPUNIT_ASSERT(other.remote_candidates().empty());
  }

  void ten_thousand_mutations_do_no_harm() {
    SeededRandom random(20260101);
    std::vector<std::string> offers;
    for (const auto& name : golden) offers.push_back(golden_offer(name));
    int accepted = 0;
    for (int i = 0; i < 10000; ++i) {
      std::string sdp = offers[random.below(offers.size())];
      for (uint64_t k = random.below(4); k < 4 && !sdp.empty(); ++k) {
        size_t at = random.below(sdp.size()), length = 1 + random.below(40);
        switch (random.below(5)) {
        case 0: sdp[at] = static_cast<char>(random.u32()); break;
        case 1: sdp.erase(at, length); break;
        case 2: sdp.insert(at, sdp.substr(random.below(sdp.size()), length)); break;
        case 3: sdp.insert(at, std::to_string(random.u64())); break;
        case 4: sdp.resize(sdp.size() - std::min(sdp.size(), length)); break;
        }
      }
      Negotiation negotiation(our_side(), random);
      auto offer = negotiation.receive_offer(sdp);
      if (!offer) {
        CPPUNIT_ASSERT_EQUAL(465, offer.error().code);
        continue;
      }
      ++accepted;
      auto text = negotiation.answer(echo(*offer));
      ASSERT_OK(text);
      auto parsed = parse(*text);
      ASSERT_OK(parsed);
      CPPUNIT_ASSERT_EQUAL(offer->sections.size(), parsed->media.size());
    }
    CPPUNIT_ASSERT(accepted > 2000 && accepted < 9900);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(NegotiationTest);

}  // namespace
}  // namespace cardea::sdp
