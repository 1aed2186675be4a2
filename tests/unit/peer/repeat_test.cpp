// Whatever is negotiated, and whatever is negotiated in between: a packet that goes out under a number that was used
// before is the same to the last byte. Two plaintexts under one SRTP index give the key stream away.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "unit/peer/camera.hpp"

namespace cardea::test {
namespace {

class PeerRepeatTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerRepeatTest);
  CPPUNIT_TEST(no_number_ever_has_two_packets);
  CPPUNIT_TEST(padding_ends_where_plain_resends_begin);
  CPPUNIT_TEST(a_stream_that_begins_anew_unseen_takes_no_number_of_the_one_before);
  CPPUNIT_TEST(a_copy_that_is_lost_on_the_way_to_another_worker_changes_nothing);
  CPPUNIT_TEST_SUITE_END();

  // Everything that went out, by SSRC and index.
  class Judge {
  public:
    explicit Judge(House& house) {
      house.sealing = [this](uint32_t ssrc, uint64_t index, Bytes plain) {
        auto [known, fresh] = sent_.try_emplace({ssrc, index}, plain.begin(), plain.end());
        if (fresh) return;
        ++repeated;
        CPPUNIT_ASSERT_MESSAGE("two packets under one index",
                               std::equal(plain.begin(), plain.end(), known->second.begin(), known->second.end()));
      };
    }
    size_t repeated = 0;

  private:
    std::map<std::pair<uint32_t, uint64_t>, std::vector<uint8_t>> sent_;
  };

  static constexpr unsigned combinations = 1 << 8;
  // Bits: RTX, NACK, RED, the mid, transport-wide numbers in place of it, other payload types, other ids, inactive.
  static std::vector<sdp::MlinePlan> lines(unsigned bits) {
    const bool rtx = bits & 1, nack = bits & 2, red = bits & 4, mid = bits & 8, level = bits & 16, types = bits & 32,
               ids = bits & 64, inactive = bits & 128;
    const Direction direction = inactive ? Direction::inactive : Direction::sendonly;
    sdp::MlinePlan video = video_line("v", direction, 500), audio = audio_line("a", direction, 700);
    for (sdp::MlinePlan* line : {&video, &audio}) {
      sdp::PayloadPlan& payload = line->payloads[0];
      payload.nack = nack;
      if (types) payload.type = static_cast<uint8_t>(payload.type - 10);
      if (rtx)
        payload.rtx = static_cast<uint8_t>(payload.type + 1);
      else
        payload.rtx.reset();
      line->rtx_ssrc = rtx ? line->ssrc + 1 : 0;
      line->extensions = {};
      if (mid) line->extensions[Extension::mid] = ids ? 9 : 4;
      if (level) line->extensions[Extension::audio_level] = ids ? 8 : 1;
      if (level) line->extensions[Extension::playout_delay] = ids ? 12 : 6;
    }
    if (red) audio.payloads[0].red = 63;
    return {video, audio};
  }

  static void ask(Member& member, uint32_t ssrc, uint16_t seq) {
    member.client->send_rtcp([&](ByteWriter& out) {
      const std::array<uint16_t, 1> lost{seq};
      rtp::write_nack(out, 1, ssrc, std::span<const uint16_t>(lost));
    });
  }

public:
  void no_number_ever_has_two_packets() {
    const char* seed = std::getenv("CARDEA_SEED");
    SeededRandom random(seed == nullptr ? 11 : std::strtoull(seed, nullptr, 10));
    size_t plainly = 0, by_rtx = 0;
    for (unsigned start = 0; start < combinations / 2; ++start) {  // all that are active
      House house;
      Judge judge(house);
      sdp::MlinePlan voice = audio_in("1");
      voice.payloads[0].red = 63;
      Member& publisher = house.join({video_in("0"), voice});
      Member& subscriber = house.join(lines(start));
      house.router->forward(from(publisher), to(subscriber), house.now);
      house.router->forward(from(publisher, 1), to(subscriber, 1), house.now);
      Camera filming(house, publisher);
      rtp::SeqNo voice_seq = 40;
      uint32_t microphone_ssrc = microphone;
      for (int step = 0; step < 150; ++step) {
        switch (random.below(12)) {
        case 0: house.update(subscriber, lines(static_cast<unsigned>(random.below(combinations)))); break;
        case 1: house.update(subscriber, lines(start)); break;
        case 2:
          house.peer(subscriber)
              ->sender(0)
              ->set_playout_delay(random.below(2) == 0 ? std::nullopt : std::optional(PlayoutDelay{1, 9}));
          break;
        case 3: house.router->pause(*house.peer(subscriber)->sender(0), random.below(2) == 0, house.now); break;
        case 4: house.peer(publisher)->receiver(1)->mute(random.below(2) == 0); break;
        case 5:
          if (random.below(4) == 0) {
            sdp::MlinePlan other = voice;
            other.ssrcs = {{++microphone_ssrc, std::nullopt}};
            house.update(publisher, {video_in("0"), other});
            voice_seq = 30 + static_cast<rtp::SeqNo>(random.below(20));
          }
          break;
        default: {
          if (random.below(6) == 0) filming.packet();  // lost
          filming.send(random.below(10) == 0);
          Client::Rtp sound;
          sound.ssrc = microphone_ssrc;
          sound.seq = voice_seq++;
          sound.timestamp = static_cast<uint32_t>(voice_seq * 960);
          sound.payload = {static_cast<uint8_t>(step), 2, 3};
          if (random.below(3) == 0) {
            sound.payload_type = 63;
            sound.payload.insert(sound.payload.begin(), {opus_type});
          }
          sound.extensions.audio_level = static_cast<uint8_t>(random.below(100));
          publisher.client->send_rtp(sound);
        }
        }
        // Of some, several times; also in a turn that takes a renegotiation after them.
        const auto& got = subscriber.client->packets;
        for (size_t i = 0; i < random.below(4) && !got.empty(); ++i) {
          const Client::Got& any = got[got.size() - 1 - random.below(std::min<size_t>(got.size(), 60))];
          if (any.ssrc == 500 || any.ssrc == 700) ask(subscriber, any.ssrc, any.seq);
        }
        if (random.below(8) == 0) {
          for (auto& datagram : subscriber.client->outbox()) house.deliver(subscriber, std::move(datagram));
          subscriber.client->outbox().clear();
          house.update(subscriber, lines(static_cast<unsigned>(random.below(combinations))));
        }
        house.run(20ms, 10ms);
      }
      plainly += judge.repeated;
      by_rtx += house.resent;
    }
    CPPUNIT_ASSERT_MESSAGE(std::to_string(plainly), plainly > 100);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(by_rtx), by_rtx > 200);
  }

  // RTX is given up and NACK stays.
  void padding_ends_where_plain_resends_begin() {
    House house;
    Judge judge(house);
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join(lines(1 + 2));
    CPPUNIT_ASSERT(house.peer(subscriber)->sender(0)->pads());
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(20);
    house.update(subscriber, lines(2));
    CPPUNIT_ASSERT(!house.peer(subscriber)->sender(0)->pads());
    filming.film(20, false);
    for (const Client::Got& got : std::vector(subscriber.client->packets)) ask(subscriber, got.ssrc, got.seq);
    house.run(100ms);
    CPPUNIT_ASSERT_EQUAL(size_t{20}, judge.repeated);  // those of today's making
  }

  // Nobody sees the begin of the new stream: it comes while the receiver is muted.
  void a_stream_that_begins_anew_unseen_takes_no_number_of_the_one_before() {
    House house;
    Judge judge(house);
    sdp::MlinePlan voice = audio_line("0", Direction::recvonly);
    Member& publisher = house.join({voice});
    Member& subscriber = house.join({lines(2)[1]});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Client::Rtp sound;
    const auto speak = [&](uint32_t ssrc, int count) {
      sound.ssrc = ssrc;
      for (int i = 0; i < count; ++i) {
        sound.timestamp += 960;
        sound.payload = {static_cast<uint8_t>(ssrc), static_cast<uint8_t>(sound.seq), 3};
        publisher.client->send_rtp(sound);
        ++sound.seq;
        house.run(20ms);
      }
    };
    speak(1, 20);
    house.peer(publisher)->receiver(0)->mute(true);
    sound.seq = 5;
    speak(2, 2);
    house.peer(publisher)->receiver(0)->mute(false);
    speak(2, 20);  // numbers 7 to 26: the stream before had 7 to 19 as well
    for (const Client::Got& got : std::vector(subscriber.client->packets)) ask(subscriber, got.ssrc, got.seq);
    house.run(100ms);
    CPPUNIT_ASSERT_EQUAL(size_t{40}, subscriber.client->packets.size());  // repeats are duplicates to the client
    CPPUNIT_ASSERT_EQUAL(size_t{20}, judge.repeated);
  }

  void a_copy_that_is_lost_on_the_way_to_another_worker_changes_nothing() {
    House house;
    Judge judge(house);
    Member& subscriber = house.join({lines(2)[1]});
    const ReceiverId far{PeerId{3, 1, 9}, 2};
    house.router->forward(far, to(subscriber), house.now);
    const auto copy = [&](uint32_t stream, rtp::SeqNo seq) {
      rtp::PacketRef packet = house.packets.get();
      packet->codec = CodecType::opus;
      packet->red = false;
      packet->stream = stream;
      packet->substream = 0;
      packet->seq = seq;
      packet->timestamp = static_cast<uint32_t>(seq * 960);
      packet->arrival = house.now;
      packet->video = {};
      packet->extensions = {};
      packet->payload_at = 12;
      packet->size = 22;
      std::fill_n(packet->bytes.begin() + 12, 10, static_cast<uint8_t>(stream));
      house.router->deliver_mirrored(std::move(packet), far, std::nullopt, house.now, house.output);
      house.turn();
    };
    for (rtp::SeqNo seq = 10; seq < 30; ++seq) copy(1, seq);
    // The new stream's first packets found the ring full.
    for (rtp::SeqNo seq = 12; seq < 30; ++seq) copy(2, seq);
    CPPUNIT_ASSERT_EQUAL(size_t{38}, subscriber.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, judge.repeated);
    for (const Client::Got& got : std::vector(subscriber.client->packets)) ask(subscriber, got.ssrc, got.seq);
    house.run(100ms);
    CPPUNIT_ASSERT_EQUAL(size_t{18}, judge.repeated);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeerRepeatTest);

}  // namespace
}  // namespace cardea::test
