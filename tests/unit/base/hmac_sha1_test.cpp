#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <string>
#include <vector>

#include "base/hmac_sha1.hpp"

namespace cardea {
namespace {

using Digest = std::array<uint8_t, HmacSha1::size>;

// RFC 2202 section 3, those whose key is no longer than a block.
struct Case {
  std::string key, text;
  Digest digest;
};
const Case cases[] = {
    {std::string(20, '\x0b'), "Hi There", {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                                           0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00}},
    {"Jefe", "what do ya want for nothing?", {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                                              0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79}},
    {std::string(20, '\xaa'), std::string(50, '\xdd'), {0x12, 0x5d, 0x73, 0x42, 0xb9, 0xac, 0x11, 0xcd, 0x91, 0xa3,
                                                        0x9a, 0xf4, 0x8a, 0xa1, 0x7b, 0x4f, 0x63, 0xf1, 0x75, 0xd3}},
};

class HmacSha1Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HmacSha1Test);
  CPPUNIT_TEST(the_digests_of_rfc_2202_come_out);
  CPPUNIT_TEST(one_key_serves_message_after_message);
  CPPUNIT_TEST(pieces_make_the_whole);
  CPPUNIT_TEST(only_the_whole_digest_matches);
  CPPUNIT_TEST_SUITE_END();

  static Digest finished(HmacSha1& hmac) {
    Digest digest;
    hmac.finish(digest.data());
    return digest;
  }

  void the_digests_of_rfc_2202_come_out() {
    for (const Case& each : cases) {
      HmacSha1 hmac(bytes_of(each.key));
      hmac.update(bytes_of(each.text));
      CPPUNIT_ASSERT(finished(hmac) == each.digest);
    }
  }

  void one_key_serves_message_after_message() {
    const Case& each = cases[1];
    HmacSha1 hmac(bytes_of(each.key));
    hmac.update(bytes_of("another message"));
    CPPUNIT_ASSERT(finished(hmac) != each.digest);
    for (int i = 0; i < 2; ++i) {
      hmac.start();
      hmac.update(bytes_of(each.text));
      CPPUNIT_ASSERT(finished(hmac) == each.digest);
    }
    hmac.start();
    hmac.update(bytes_of("left half done"));
    hmac.start();
    hmac.update(bytes_of(each.text));
    CPPUNIT_ASSERT(finished(hmac) == each.digest);
  }

  void pieces_make_the_whole() {
    const std::vector<uint8_t> text(300, 7);
    const std::string key(HmacSha1::max_key, 'k');
    HmacSha1 hmac(bytes_of(key));
    hmac.update(text);
    const Digest whole = finished(hmac);
    for (size_t cut : {0u, 1u, 63u, 64u, 65u, 299u, 300u}) {
      hmac.start();
      hmac.update(Bytes(text).first(cut));
      hmac.update(Bytes(text).subspan(cut));
      CPPUNIT_ASSERT(finished(hmac) == whole);
    }
  }

  void only_the_whole_digest_matches() {
    const Case& each = cases[0];
    HmacSha1 hmac(bytes_of(each.key));
    auto matches = [&](Bytes digest) {
      hmac.start();
      hmac.update(bytes_of(each.text));
      return hmac.matches(digest);
    };
    CPPUNIT_ASSERT(matches(each.digest));
    for (size_t i = 0; i < each.digest.size(); ++i) {
      Digest wrong = each.digest;
      wrong[i] ^= 1;
      CPPUNIT_ASSERT(!matches(wrong));
      CPPUNIT_ASSERT(!matches(Bytes(each.digest).first(i)));
    }
    std::vector<uint8_t> longer(each.digest.begin(), each.digest.end());
    longer.push_back(0);
    CPPUNIT_ASSERT(!matches(longer));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HmacSha1Test);

}  // namespace
}  // namespace cardea
