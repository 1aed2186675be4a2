#include <set>

#include "offers.hpp"

namespace cardea::sdp {
namespace {
using namespace test;

// The peer of our offers: another Negotiation cannot answer for a browser, so this turns our offer into an answer.
struct Browser {
  std::string ufrag = "theirU", pwd = "theirPasswordOf22Chars";
  std::string setup = "active";
  std::set<std::string> refused;  // mids

  std::string answer(const std::string& offer) const {
    auto parsed = parse(offer);
    ASSERT_OK(parsed);
    Description description = *parsed;
    description.ice_lite = false;
    description.bundles[0].clear();
    for (auto& media : description.media) {
      media.direction = reversed(media.direction);
      media.transport.ufrag = ufrag;
      media.transport.pwd = pwd;
      media.transport.fingerprints = {{HashType::sha256, std::vector<uint8_t>(32, 0xcd)}};
      media.transport.setup = setup == "active" ? Setup::active : Setup::passive;
      media.ssrcs.clear();
      media.ssrc_groups.clear();
      media.candidates.clear();
      if (refused.contains(media.mid)) media.port = 0;
      if (media.port != 0) description.bundles[0].push_back(media.mid);
    }
    return write(description);
  }
};

class RenegotiationTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RenegotiationTest);
  CPPUNIT_TEST(a_subscriber_is_offered_what_janus_would_offer);
  CPPUNIT_TEST(the_answer_to_our_offer_makes_the_plan);
  CPPUNIT_TEST(variants_of_a_codec_get_payload_types_of_their_own);
  CPPUNIT_TEST(lines_are_added_and_taken_out_but_keep_place_mid_and_ssrc);
  CPPUNIT_TEST(refused_lines_are_inactive_and_their_place_is_kept);
  CPPUNIT_TEST(the_offer_version_counts_up_and_the_answer_repeats_theirs);
  CPPUNIT_TEST(a_browser_adds_and_stops_lines);
  CPPUNIT_TEST(a_stopped_place_may_be_used_anew_but_a_living_one_not);
  CPPUNIT_TEST(a_line_in_a_place_used_anew_has_ssrcs_of_its_own);
  CPPUNIT_TEST(a_peer_may_offer_so_many_lines_and_no_more);
  CPPUNIT_TEST(dtls_roles_never_change);
  CPPUNIT_TEST(a_restart_by_the_peer_wants_new_credentials_of_ours);
  CPPUNIT_TEST(a_restart_of_ours_counts_from_its_answer_on);
  CPPUNIT_TEST(an_offer_of_the_peer_takes_the_place_of_ours);
  CPPUNIT_TEST(our_offer_after_theirs_keeps_their_numbers);
  CPPUNIT_TEST(answers_that_do_not_fit_are_469_and_change_nothing);
  CPPUNIT_TEST(e2ee_sticks);
  CPPUNIT_TEST(red_and_h264_are_offered_with_what_they_need);
  CPPUNIT_TEST(many_lines_have_numbers_enough);
  CPPUNIT_TEST_SUITE_END();

  SeededRandom random_{11};
  Negotiation negotiation_{our_side(), random_};
  Browser browser_;

  OfferPlan room() {
    OfferPlan plan;
    plan.name = "VideoRoom 77";
    plan.sections = {section("0", CodecType::opus, "useinbandfec=1"), section("1", CodecType::vp8), data_section("2")};
    plan.sections[1].extensions.add(Extension::abs_send_time);
    plan.sections[1].extensions.add(Extension::playout_delay);
    return plan;
  }
  std::string offer(const OfferPlan& plan, std::optional<IceCredentials> restart = std::nullopt) {
    auto text = negotiation_.offer(plan, std::move(restart));
    ASSERT_OK(text);
    CPPUNIT_ASSERT(negotiation_.awaiting_answer());
    return std::move(*text);
  }
  Answer receive_answer(const std::string& sdp) {
    auto answer = negotiation_.receive_answer(sdp);
    ASSERT_OK(answer);
    CPPUNIT_ASSERT(!negotiation_.awaiting_answer() && negotiation_.established());
    return std::move(*answer);
  }
  Offer receive_offer(const std::string& sdp) {
    auto offer = negotiation_.receive_offer(sdp);
    ASSERT_OK(offer);
    return std::move(*offer);
  }
  std::string echo_back(const std::string& sdp) {
    auto text = negotiation_.answer(echo(receive_offer(sdp)));
    ASSERT_OK(text);
    return std::move(*text);
  }
  const MlinePlan& mline(size_t i) { return negotiation_.plan().mlines.at(i); }

  void a_subscriber_is_offered_what_janus_would_offer() {
    std::string sdp = offer(room());
    CPPUNIT_ASSERT(negotiation_.plan() == PeerPlan{});
    CPPUNIT_ASSERT(negotiation_.index_of("1") == size_t{1} && !negotiation_.index_of("9"));
    ASSERT_LINE(sdp, -1, "s=VideoRoom 77");
    ASSERT_LINE(sdp, -1, "a=group:BUNDLE 0 1 2");
    ASSERT_LINE(sdp, -1, "a=ice-lite");
    ASSERT_LINE(sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111");
    ASSERT_LINE(sdp, 0, "a=sendonly");
    ASSERT_LINE(sdp, 0, "a=setup:actpass");
    ASSERT_LINE(sdp, 0, "a=rtpmap:111 opus/48000/2");
    ASSERT_LINE(sdp, 0, "a=fmtp:111 useinbandfec=1");
    ASSERT_LINE(sdp, 0, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level");
    ASSERT_LINE(sdp, 0, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid");
    ASSERT_LINE(sdp, 0, "a=msid:janus janus0");
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    for (const char* feedback : {"ccm fir", "nack", "nack pli", "goog-remb", "transport-cc"})
      ASSERT_LINE(sdp, 1, "a=rtcp-fb:96 " + std::string(feedback));
    ASSERT_LINE(sdp, 1, "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time");
    ASSERT_LINE(sdp, 1, "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01");
    ASSERT_LINE(sdp, 1, "a=extmap:12 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay");
    ASSERT_LINE(sdp, 1, "a=extmap:13 urn:3gpp:video-orientation");
    ASSERT_LINE(sdp, 1, "a=fmtp:97 apt=96");
    CPPUNIT_ASSERT(has_start(sdp, 1, "a=ssrc-group:FID "));
    ASSERT_NO_START(sdp, 1, "a=rid");
    ASSERT_LINE(sdp, 1, "a=candidate:1 1 udp 2130706431 203.0.113.5 40010 typ host");
    ASSERT_LINE(sdp, 2, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
    ASSERT_LINE(sdp, 2, "a=sctp-port:5000");
    ASSERT_NO_START(sdp, 2, "a=rtcp-mux");
  }

  void the_answer_to_our_offer_makes_the_plan() {
    Answer answer = receive_answer(browser_.answer(offer(room())));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, answer.sections.size());
    CPPUNIT_ASSERT(answer.sections[1].direction == Direction::recvonly && !answer.sections[1].rejected);
    const PeerPlan& plan = negotiation_.plan();
    CPPUNIT_ASSERT(plan.dtls_role == DtlsRole::server);
    CPPUNIT_ASSERT_EQUAL(std::string("theirU"), plan.remote.ufrag);
    CPPUNIT_ASSERT_EQUAL(std::string("ourU"), plan.local.ufrag);
    CPPUNIT_ASSERT(mline(1).direction == Direction::sendonly);
    CPPUNIT_ASSERT(mline(1).payloads.at(0).type == 96 && mline(1).payloads.at(0).rtx == 97);
    CPPUNIT_ASSERT(mline(1).payloads.at(0).nack && mline(1).payloads.at(0).transport_cc);
    CPPUNIT_ASSERT(mline(1).ssrc != 0 && mline(1).rtx_ssrc != 0);
    CPPUNIT_ASSERT_EQUAL(12, int{mline(1).extensions[Extension::playout_delay]});
    CPPUNIT_ASSERT(plan.data && plan.data->mline == 2);

    // A real one.
    Negotiation other(our_side(), random_);
    OfferPlan all;
    all.sections = {section("", CodecType::opus, "useinbandfec=1"),
                    section("", CodecType::vp8),
                    section("", CodecType::opus, "stereo=1"),
                    section("", CodecType::h264),
                    section("", CodecType::h264, "profile-level-id=640032"),
                    section("", CodecType::vp9),
                    section("", CodecType::vp9, "profile-id=2"),
                    section("", CodecType::av1),
                    section("", CodecType::pcmu),
                    data_section("")};
    ASSERT_OK(other.offer(all));
    auto real = other.receive_answer(golden_offer("chromium-answer-to-ours"));
    ASSERT_OK(real);
    CPPUNIT_ASSERT(real->sections[4].rejected);  // High profile of that level
    CPPUNIT_ASSERT(other.plan().mlines[4].direction == Direction::inactive);
    CPPUNIT_ASSERT(other.plan().mlines[3].payloads.at(0).codec.type == CodecType::h264);
    CPPUNIT_ASSERT(other.plan().mlines[8].payloads.at(0).type == 0);
    CPPUNIT_ASSERT(other.plan().data.has_value());
  }

  void variants_of_a_codec_get_payload_types_of_their_own() {
    OfferPlan plan;
    plan.sections = {section("0", CodecType::h264, "profile-level-id=42e01f"), section("1", CodecType::vp8),
                     section("2", CodecType::h264, "profile-level-id=640c1f"),
                     section("3", CodecType::h264, "profile-level-id=42e01f")};
    std::string sdp = offer(plan);
    ASSERT_LINE(sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 107 108");
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    ASSERT_LINE(sdp, 2, "m=video 9 UDP/TLS/RTP/SAVPF 109 110");
    ASSERT_LINE(sdp, 3, "m=video 9 UDP/TLS/RTP/SAVPF 107 108");
    receive_answer(browser_.answer(sdp));
    CPPUNIT_ASSERT(mline(2).payloads.at(0).type == 109);
  }

  void lines_are_added_and_taken_out_but_keep_place_mid_and_ssrc() {
    OfferPlan plan = room();
    receive_answer(browser_.answer(offer(plan)));
    uint32_t ssrc = mline(1).ssrc, rtx = mline(1).rtx_ssrc;

    plan.sections.push_back(section("3", CodecType::vp9));
    receive_answer(browser_.answer(offer(plan)));
    CPPUNIT_ASSERT_EQUAL(size_t{4}, negotiation_.plan().mlines.size());
    CPPUNIT_ASSERT_EQUAL(std::string("3"), mline(3).mid);
    CPPUNIT_ASSERT(mline(1).ssrc == ssrc && mline(1).rtx_ssrc == rtx);

    plan.sections[1].direction = Direction::inactive;
    std::string sdp = offer(plan);
    ASSERT_LINE(sdp, 1, "a=inactive");
    ASSERT_LINE(sdp, 1, "a=rtpmap:96 VP8/90000");
    // A browser that saw the SSRC gone would forget the stream.
    ASSERT_LINE(sdp, 1, "a=ssrc:" + std::to_string(ssrc) + " cname:janus");
    receive_answer(browser_.answer(sdp));
    CPPUNIT_ASSERT(mline(1).direction == Direction::inactive && mline(3).direction == Direction::sendonly);

    plan.sections.erase(plan.sections.begin() + 1);  // not named: the same
    sdp = offer(plan);
    ASSERT_LINE(sdp, 1, "a=inactive");
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    ASSERT_LINE(sdp, 1, "a=mid:1");
    receive_answer(browser_.answer(sdp));

    receive_answer(browser_.answer(offer(room())));
    CPPUNIT_ASSERT(mline(1).direction == Direction::sendonly && mline(1).ssrc == ssrc);
    CPPUNIT_ASSERT(mline(3).direction == Direction::inactive);
  }

  void refused_lines_are_inactive_and_their_place_is_kept() {
    browser_.refused = {"1"};
    Answer answer = receive_answer(browser_.answer(offer(room())));
    CPPUNIT_ASSERT(answer.sections[1].rejected && !answer.sections[0].rejected);
    CPPUNIT_ASSERT(mline(1).payloads.empty() && mline(1).direction == Direction::inactive);
    OfferPlan plan = room();
    plan.sections.erase(plan.sections.begin() + 1);
    std::string sdp = offer(plan);
    ASSERT_LINE(sdp, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0");
    ASSERT_LINE(sdp, -1, "a=group:BUNDLE 0 2");
    receive_answer(browser_.answer(sdp));
  }

  void the_offer_version_counts_up_and_the_answer_repeats_theirs() {
    std::string first = lines_of(offer(room()), -1).at(1), second = lines_of(offer(room()), -1).at(1);
    CPPUNIT_ASSERT(first.ends_with(" 1 IN IP4 203.0.113.5"));
    CPPUNIT_ASSERT(second.ends_with(" 2 IN IP4 203.0.113.5"));
    CPPUNIT_ASSERT_EQUAL(first.substr(0, first.find(" 1 IN")), second.substr(0, second.find(" 2 IN")));
    std::string sdp = echo_back(golden_offer("firefox-simulcast-data"));
    CPPUNIT_ASSERT(lines_of(sdp, -1).at(1).starts_with("o=mozilla...THIS_IS_SDPARTA-99.0 "));
  }

  void a_browser_adds_and_stops_lines() {
    std::string all = golden_offer("chromium-audio-video-data"), audio = all.substr(0, all.find("m=video"));
    audio = replaced(audio, "BUNDLE 0 1 2", "BUNDLE 0");
    echo_back(audio);
    uint32_t ssrc = mline(0).ssrc;
    CPPUNIT_ASSERT(!negotiation_.plan().data);
    Offer offer = receive_offer(all);
    CPPUNIT_ASSERT(offer.update && !offer.ice_restart);
    ASSERT_OK(negotiation_.answer(echo(offer)));
    CPPUNIT_ASSERT(negotiation_.plan().data && mline(0).ssrc == ssrc && negotiation_.plan().mlines.size() == 3);
    offer = receive_offer(all);
    CPPUNIT_ASSERT(offer.update && !offer.ice_restart);

    size_t video = all.find("m=video ");
    std::string stopped = all;
    stopped.replace(video, stopped.find(' ', video + 8) - video, "m=video 0");
    stopped = replaced(stopped, "BUNDLE 0 1 2", "BUNDLE 0 2");
    std::string sdp = echo_back(stopped);
    ASSERT_LINE(sdp, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0");
    CPPUNIT_ASSERT(mline(1).payloads.empty() && mline(0).ssrc == ssrc && negotiation_.plan().data);

    auto shorter = negotiation_.receive_offer(audio);
    CPPUNIT_ASSERT(!shorter && shorter.error().code == 469);
  }

  void a_stopped_place_may_be_used_anew_but_a_living_one_not() {
    std::string sdp = golden_offer("chromium-recvonly");
    echo_back(sdp);
    uint32_t ssrc = mline(1).ssrc;
    std::string renamed = replaced(replaced(sdp, "a=mid:1", "a=mid:7"), "BUNDLE 0 1", "BUNDLE 0 7");
    CPPUNIT_ASSERT_EQUAL(469, negotiation_.receive_offer(renamed).error().code);
    CPPUNIT_ASSERT(!negotiation_.awaiting_plan());
    echo_back(replaced(replaced(sdp, "m=video 9", "m=video 0"), "BUNDLE 0 1", "BUNDLE 0"));
    echo_back(renamed);
    CPPUNIT_ASSERT(mline(1).mid == "7" && mline(1).ssrc != ssrc);
  }

  // Audio, video and data in one place one after the other, rejected by the peer or by us in between, and the same line
  // again: no SSRC comes twice.
  void a_line_in_a_place_used_anew_has_ssrcs_of_its_own() {
    const std::string all = golden_offer("chromium-audio-video-data"), head = all.substr(0, all.find("m="));
    const size_t audio_at = all.find("m=audio"), video_at = all.find("m=video"), data_at = all.find("m=application");
    const std::array sections{all.substr(audio_at, video_at - audio_at), all.substr(video_at, data_at - video_at),
                              all.substr(data_at)};
    const auto offered = [&](size_t which, const std::string& mid, bool stopped) {
      std::string section = sections[which];
      section = replaced(section, "a=mid:" + std::to_string(which), "a=mid:" + mid);
      if (stopped)
        section.replace(section.find(' ') + 1, section.find(' ', section.find(' ') + 1) - section.find(' ') - 1, "0");
      return replaced(head, "BUNDLE 0 1 2", stopped ? "BUNDLE" : "BUNDLE " + mid) + section;
    };
    std::set<uint32_t> seen;
    std::string mid = "0";
    for (const size_t which : {0, 1, 1, 2, 0, 0, 2, 1, 0}) {
      for (const bool by_them : {true, false}) {
        echo_back(offered(which, mid, false));
        CPPUNIT_ASSERT(mline(0).mid == mid);
        if (which < 2) {
          CPPUNIT_ASSERT(mline(0).kind == (which == 0 ? MediaKind::audio : MediaKind::video));
          CPPUNIT_ASSERT(mline(0).ssrc != 0 && seen.insert(mline(0).ssrc).second);
          CPPUNIT_ASSERT(mline(0).rtx_ssrc == 0 || seen.insert(mline(0).rtx_ssrc).second);
        }
        CPPUNIT_ASSERT_EQUAL(which == 2, negotiation_.plan().data.has_value());
        if (by_them) {
          echo_back(offered(which, mid, true));
        } else {
          receive_offer(offered(which, mid, false));
          ASSERT_OK(negotiation_.answer(AnswerPlan{"nothing", {}}));
        }
        CPPUNIT_ASSERT(mline(0).payloads.empty() && !negotiation_.plan().data);
      }
      mid += "x";
    }
    // And in our offers: what a browser refused is offered again under others.
    Negotiation ours(our_side(), random_);
    browser_.refused = {"1"};
    auto first = ours.offer(room());
    ASSERT_OK(first);
    ASSERT_OK(ours.receive_answer(browser_.answer(*first)));
    browser_.refused.clear();
    auto second = ours.offer(room());
    ASSERT_OK(second);
    const auto ssrc_line = [](const std::string& sdp) {
      for (const std::string& line : lines_of(sdp, 1))
        if (line.starts_with("a=ssrc:")) return line;
      return std::string();
    };
    CPPUNIT_ASSERT(!ssrc_line(*first).empty() && !ssrc_line(*second).empty());
    CPPUNIT_ASSERT(ssrc_line(*first) != ssrc_line(*second));
  }

  void a_peer_may_offer_so_many_lines_and_no_more() {
    const std::string sdp = golden_offer("chromium-recvonly"), head = sdp.substr(0, sdp.find("m="));
    const std::string audio = sdp.substr(sdp.find("m=audio"), sdp.find("m=video") - sdp.find("m=audio"));
    const auto many = [&](size_t count) {
      std::string text = head, bundle = "BUNDLE";
      for (size_t i = 0; i < count; ++i) {
        bundle += " " + std::to_string(i);
        text += replaced(audio, "a=mid:0", "a=mid:" + std::to_string(i));
      }
      return replaced(text, "BUNDLE 0 1", bundle);
    };
    LocalParameters local = our_side();
    CPPUNIT_ASSERT_EQUAL(size_t{64}, local.max_offered_mlines);
    local.max_offered_mlines = 3;
    Negotiation negotiation(local, random_);
    ASSERT_OK(negotiation.receive_offer(many(3)));
    auto refused = negotiation.receive_offer(many(4));
    CPPUNIT_ASSERT(!refused && refused.error().code == 465);
    CPPUNIT_ASSERT(refused.error().reason.find("too many m= lines") != std::string::npos);
    CPPUNIT_ASSERT(negotiation.awaiting_plan());  // the one before waits on
    // Where we offered more, so many may come back.
    Negotiation larger(local, random_);
    OfferPlan plan = room();
    plan.sections.push_back(section("3", CodecType::opus));
    auto ours = larger.offer(plan);
    ASSERT_OK(ours);
    const std::string answered = browser_.answer(*ours);
    ASSERT_OK(larger.receive_answer(answered));
    ASSERT_OK(larger.receive_offer(replaced(answered, "a=setup:active", "a=setup:actpass")));
  }

  void dtls_roles_never_change() {
    receive_answer(browser_.answer(offer(room())));
    CPPUNIT_ASSERT(negotiation_.plan().dtls_role == DtlsRole::server);
    browser_.setup = "passive";
    receive_answer(browser_.answer(offer(room())));
    CPPUNIT_ASSERT(negotiation_.plan().dtls_role == DtlsRole::server);

    Negotiation other(our_side(), random_);
    std::string sdp = golden_offer("chromium-recvonly");
    for (const std::string& setup : {std::string("actpass"), std::string("active"), std::string("holdconn")}) {
      auto offer = other.receive_offer(replaced(sdp, "a=setup:actpass", "a=setup:" + setup));
      ASSERT_OK(offer);
      auto text = other.answer(echo(*offer));
      ASSERT_OK(text);
      ASSERT_LINE(*text, 0, "a=setup:active");
      CPPUNIT_ASSERT(other.plan().dtls_role == DtlsRole::client);
    }
  }

  void a_restart_by_the_peer_wants_new_credentials_of_ours() {
    std::string sdp = golden_offer("sim-group-by-hand");
    echo_back(sdp);
    Offer offer = receive_offer(replaced(sdp, "Hs7a", "Hs7b"));
    CPPUNIT_ASSERT(offer.ice_restart && offer.update);
    negotiation_.renew_credentials({"newU", "newPasswordOf22Letters"});
    auto text = negotiation_.answer(echo(offer));
    ASSERT_OK(text);
    ASSERT_LINE(*text, 0, "a=ice-ufrag:newU");
    ASSERT_LINE(*text, 1, "a=ice-pwd:newPasswordOf22Letters");
    CPPUNIT_ASSERT_EQUAL(std::string("newU"), negotiation_.plan().local.ufrag);
    CPPUNIT_ASSERT_EQUAL(std::string("Hs7b"), negotiation_.plan().remote.ufrag);
  }

  void a_restart_of_ours_counts_from_its_answer_on() {
    receive_answer(browser_.answer(offer(room())));
    OfferPlan plan = room();
    plan.ice_restart = true;
    CPPUNIT_ASSERT(!negotiation_.offer(plan));
    std::string sdp = offer(plan, IceCredentials{"newU", "newPasswordOf22Letters"});
    ASSERT_LINE(sdp, 0, "a=ice-ufrag:newU");
    CPPUNIT_ASSERT_EQUAL(std::string("ourU"), negotiation_.plan().local.ufrag);
    sdp = offer(room());  // again, before the answer: they know the new ones already
    ASSERT_LINE(sdp, 0, "a=ice-ufrag:newU");
    browser_.ufrag = "theirNew";
    receive_answer(browser_.answer(sdp));
    CPPUNIT_ASSERT_EQUAL(std::string("newU"), negotiation_.plan().local.ufrag);
    CPPUNIT_ASSERT_EQUAL(std::string("theirNew"), negotiation_.plan().remote.ufrag);
    ASSERT_LINE(offer(room()), 0, "a=ice-ufrag:newU");
  }

  void an_offer_of_the_peer_takes_the_place_of_ours() {
    offer(room());
    receive_offer(golden_offer("chromium-recvonly"));
    CPPUNIT_ASSERT(!negotiation_.awaiting_answer() && negotiation_.awaiting_plan());
    CPPUNIT_ASSERT(!negotiation_.index_of("2"));
    CPPUNIT_ASSERT_EQUAL(469, negotiation_.receive_answer(golden_offer("chromium-recvonly")).error().code);
  }

  void our_offer_after_theirs_keeps_their_numbers() {
    echo_back(golden_offer("chromium-simulcast"));
    OfferPlan plan;
    plan.sections = {section("0", CodecType::opus, "useinbandfec=1", Direction::sendrecv),
                     section("1", CodecType::vp8, {}, Direction::sendrecv), section("2", CodecType::av1)};
    plan.sections[1].extensions.add(Extension::dependency_descriptor);
    plan.sections[1].extensions.add(Extension::playout_delay);
    std::string sdp = offer(plan);
    ASSERT_LINE(sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    ASSERT_LINE(sdp, 1, "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay");
    ASSERT_LINE(sdp, 2, "m=video 9 UDP/TLS/RTP/SAVPF 98 99");
    receive_answer(browser_.answer(sdp));
    // The browser answers as the DTLS server it has been from the start, whatever its setup says.
    CPPUNIT_ASSERT(negotiation_.plan().dtls_role == DtlsRole::client);
  }

  void answers_that_do_not_fit_are_469_and_change_nothing() {
    std::string sdp = browser_.answer(offer(room()));
    auto refused = [&](const std::string& text) {
      auto answer = negotiation_.receive_answer(text);
      CPPUNIT_ASSERT(!answer);
      CPPUNIT_ASSERT(negotiation_.awaiting_answer() && negotiation_.plan() == PeerPlan{});
      return answer.error().code;
    };
    CPPUNIT_ASSERT_EQUAL(469, refused(sdp.substr(0, sdp.find("m=application"))));
    CPPUNIT_ASSERT_EQUAL(469, refused(replaced(sdp, "a=mid:1", "a=mid:x")));
    CPPUNIT_ASSERT_EQUAL(469, refused(replaced(sdp, "m=video", "m=audio")));
    CPPUNIT_ASSERT_EQUAL(465, refused(replaced(sdp, "a=ice-pwd", "a=x")));
    CPPUNIT_ASSERT_EQUAL(465, refused("junk"));
    receive_answer(sdp);
    CPPUNIT_ASSERT_EQUAL(469, negotiation_.receive_answer(sdp).error().code);
  }

  void e2ee_sticks() {
    JsepOptions options;
    options.e2ee = true;
    auto offer = negotiation_.receive_offer(golden_offer("chromium-recvonly"), options);
    ASSERT_OK(offer);
    CPPUNIT_ASSERT(offer->e2ee && negotiation_.e2ee());
    ASSERT_OK(negotiation_.answer(echo(*offer)));
    CPPUNIT_ASSERT(receive_offer(golden_offer("chromium-recvonly")).e2ee);
  }

  void red_and_h264_are_offered_with_what_they_need() {
    OfferPlan plan;
    plan.sections = {section("0", CodecType::opus, "useinbandfec=1"), section("1", CodecType::h264),
                     section("2", CodecType::multiopus, "channel_mapping=0,4,1,2,3,5;coupled_streams=2;num_streams=4")};
    plan.sections[0].red = true;
    plan.sections[0].msid = "me mic";
    std::string sdp = offer(plan);
    ASSERT_LINE(sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111");
    ASSERT_LINE(sdp, 0, "a=fmtp:63 111/111");
    ASSERT_LINE(sdp, 0, "a=msid:me mic");
    ASSERT_LINE(sdp, 1, "a=fmtp:107 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
    ASSERT_LINE(sdp, 2, "a=rtpmap:112 multiopus/48000/6");
    receive_answer(browser_.answer(sdp));
    CPPUNIT_ASSERT(mline(0).payloads.at(0).type == 111 && mline(0).payloads.at(0).red == 63);
  }

  void many_lines_have_numbers_enough() {
    OfferPlan plan;
    for (int i = 0; i < 200; ++i)
      plan.sections.push_back(section("", i % 2 == 0 ? CodecType::opus : CodecType::vp8,
                                      i % 2 == 0 ? "x=" + std::to_string(i) : std::string()));
    std::string sdp = offer(plan);
    receive_answer(browser_.answer(sdp));
    std::set<uint32_t> ssrcs;
    for (const auto& line : negotiation_.plan().mlines) ssrcs.insert(line.ssrc);
    CPPUNIT_ASSERT_EQUAL(size_t{200}, ssrcs.size());
    for (int i = 0; i < 60; ++i) plan.sections.push_back(section("", CodecType::vp8));
    CPPUNIT_ASSERT(!negotiation_.offer(plan));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RenegotiationTest);

}  // namespace
}  // namespace cardea::sdp
