#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <unordered_set>

#include "base/address.hpp"

namespace cardea {
namespace {

class AddressTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AddressTest);
  CPPUNIT_TEST(addresses_are_printed_as_rfc_5952_says);
  CPPUNIT_TEST(what_is_not_an_address_is_refused);
  CPPUNIT_TEST(ports_are_printed_behind_brackets);
  CPPUNIT_TEST(every_printed_address_reads_back);
  CPPUNIT_TEST(special_ranges_are_known);
  CPPUNIT_TEST(addresses_tell_one_another_apart);
  CPPUNIT_TEST_SUITE_END();

  void addresses_are_printed_as_rfc_5952_says() {
    struct {
      std::string_view given;
      std::string printed;
    } const table[] = {{"192.0.2.1", "192.0.2.1"},
                       {"0.0.0.0", "0.0.0.0"},
                       {"255.255.255.255", "255.255.255.255"},
                       {"::", "::"},
                       {"::1", "::1"},
                       {"1::", "1::"},
                       {"2001:DB8::1", "2001:db8::1"},
                       {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
                       {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group is not shortened
                       {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest run is
                       {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},        // the first of two alike
                       {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
                       {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
                       {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
                       {"::ffff:192.0.2.1", "::ffff:c000:201"},
                       {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
                       {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}};
    for (const auto& row : table) {
      auto address = Address::parse(row.given, 1);
      CPPUNIT_ASSERT_MESSAGE(std::string(row.given), address);
      CPPUNIT_ASSERT_EQUAL(row.printed, address->ip_text());
      CPPUNIT_ASSERT_EQUAL(row.given.find(':') != std::string_view::npos, address->v6);
    }
  }

  void what_is_not_an_address_is_refused() {
    for (std::string_view text : {"",
                                  " ",
                                  "1",
                                  "1.2.3",
                                  "1.2.3.4.5",
                                  "1.2.3.",
                                  ".1.2.3",
                                  "256.1.1.1",
                                  "1.2.3.-4",
                                  "1.2.3.4 ",
                                  "0001.2.3.4",
                                  "1.2.3.4x",
                                  "example.org",
                                  ":",
                                  ":::",
                                  "1:",
                                  ":1",
                                  "1:2:3:4:5:6:7",
                                  "1:2:3:4:5:6:7:8:9",
                                  "1::2::3",
                                  "12345::",
                                  "g::",
                                  "::1.2.3",
                                  "1:2:3:4:5:6:7:1.2.3.4",
                                  "::1%eth0",
                                  "[::1]",
                                  "1:2:3:4:5:6:7:8::",
                                  "::1:2:3:4:5:6:7:8",
                                  "99999999999999999999.1.1.1",
                                  "fe80::1/64",
                                  "::-1"})
      CPPUNIT_ASSERT_MESSAGE(std::string(text), !Address::parse(text, 1));
  }

  void ports_are_printed_behind_brackets() {
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.1:65535"), Address::parse("192.0.2.1", 65535)->text());
    CPPUNIT_ASSERT_EQUAL(std::string("[2001:db8::1]:9"), Address::parse("2001:db8::1", 9)->text());
  }

  void every_printed_address_reads_back() {
    uint32_t state = 1;
    for (int i = 0; i < 5000; ++i) {
      Address address;
      address.v6 = i % 4 != 0;
      address.port = 7;
      for (size_t k = 0; k < (address.v6 ? 16u : 4u); ++k) {
        state = state * 1664525 + 1013904223;
        address.ip[k] = (state >> 16) % 3 == 0 ? static_cast<uint8_t>(state >> 24) : uint8_t{0};
      }
      CPPUNIT_ASSERT_MESSAGE(address.ip_text(), Address::parse(address.ip_text(), 7) == address);
    }
  }

  void special_ranges_are_known() {
    CPPUNIT_ASSERT(Address::parse("127.3.2.1", 0)->loopback());
    CPPUNIT_ASSERT(Address::parse("::1", 0)->loopback());
    CPPUNIT_ASSERT(!Address::parse("128.0.0.1", 0)->loopback());
    CPPUNIT_ASSERT(!Address::parse("::2", 0)->loopback());
    CPPUNIT_ASSERT(!Address::parse("7f00::", 0)->loopback());
    CPPUNIT_ASSERT(Address::parse("169.254.1.1", 0)->link_local());
    CPPUNIT_ASSERT(Address::parse("febf::1", 0)->link_local());
    CPPUNIT_ASSERT(!Address::parse("fec0::1", 0)->link_local());
    CPPUNIT_ASSERT(Address::parse("::", 0)->unspecified());
    CPPUNIT_ASSERT(!Address::parse("0.0.0.1", 0)->unspecified());
  }

  void addresses_tell_one_another_apart() {
    Address one = *Address::parse("192.0.2.1", 1), port = one, socket = one, other = *Address::parse("192.0.2.2", 1);
    port.port = 2;
    socket.socket = 1;
    CPPUNIT_ASSERT(one != port && one != socket && one != other);
    CPPUNIT_ASSERT((one < other) != (other < one));
    CPPUNIT_ASSERT(*Address::parse("0.0.0.0", 1) != *Address::parse("::", 1));
    std::unordered_set<Address> all{one, port, socket, other, one};
    CPPUNIT_ASSERT_EQUAL(size_t{4}, all.size());
    CPPUNIT_ASSERT(all.contains(*Address::parse("192.0.2.1", 2)));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AddressTest);

}  // namespace
}  // namespace cardea
